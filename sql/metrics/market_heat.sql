-- The market heat index, now and a month before, wherever somebody sells.
--
-- Grain:       one row per region_id with an observation that reaches it; null: everywhere, for whoever is in no region.
-- Inputs:      raw.market_factor, metric.region_tree, config.heat_weight.
-- Parameters:  $end_of_day, $month_before_end_at (Timestamp), $heat_weight_other (number).
-- Output:      region_id, heat (100 = normal; 100 · exp of the weighted sum of z), heat_before (the same at the end of
--              the same day of the month before, or its last), factors (number that heat is made of).
-- Time column: none; observations by observed_at, the 365 times 24 hours before the end of the day.
-- Rerun:       safe; sums of floats have no fixed order, the last digits may differ from mart.factor's.
--
-- z is the latest observation's, against the mean and sample deviation of all, at most 3 either way; 0 where they
-- don't vary. A factor counts for a region from the nearest region above that has observations of it, else from
-- everywhere. Of observations of one factor, region and instant the greatest value counts.
WITH moment AS (
    SELECT 'now' AS moment, $end_of_day AS until_at
    UNION ALL
    SELECT 'before' AS moment, $month_before_end_at AS until_at
),
observed AS (
    SELECT m.moment, f.factor, f.region_id, f.observed_at, MAX(f.value) AS value
    FROM raw.market_factor AS f
    CROSS JOIN moment AS m
    WHERE f.observed_at < m.until_at AND f.observed_at >= m.until_at - INTERVAL '365' DAY
    GROUP BY m.moment, f.factor, f.region_id, f.observed_at
),
series AS (
    SELECT
        moment,
        factor,
        region_id,
        LAST_VALUE(value ORDER BY observed_at) AS latest,
        AVG(value) AS mean,
        NULLIF(STDDEV_SAMP(value), 0) AS deviation
    FROM observed
    GROUP BY moment, factor, region_id
),
depth AS (
    SELECT descendant AS region_id, COUNT(*) AS depth FROM metric.region_tree GROUP BY descendant
),
place AS (
    SELECT t.descendant AS region_id, t.ancestor AS place_id, d.depth
    FROM metric.region_tree AS t
    INNER JOIN depth AS d ON d.region_id = t.ancestor
    UNION ALL
    SELECT region_id, NULL AS place_id, 0 AS depth FROM depth
    UNION ALL
    SELECT NULL AS region_id, NULL AS place_id, 0 AS depth
),
reached AS (
    SELECT
        p.region_id,
        s.moment,
        s.factor,
        COALESCE((s.latest - s.mean) / s.deviation, 0) AS z,
        ROW_NUMBER() OVER (PARTITION BY p.region_id, s.moment, s.factor ORDER BY p.depth DESC) AS place
    FROM place AS p
    INNER JOIN series AS s ON s.region_id IS NOT DISTINCT FROM p.place_id
),
weighed AS (
    SELECT
        r.region_id,
        r.moment,
        COALESCE(w.weight, $heat_weight_other) * GREATEST(LEAST(r.z, 3.0), -3.0) AS pull
    FROM reached AS r
    LEFT JOIN config.heat_weight AS w ON w.factor = r.factor
    WHERE r.place = 1
)
SELECT
    region_id,
    100 * EXP(SUM(pull) FILTER (WHERE moment = 'now')) AS heat,
    100 * EXP(SUM(pull) FILTER (WHERE moment = 'before')) AS heat_before,
    COUNT(*) FILTER (WHERE moment = 'now') AS factors
FROM weighed
GROUP BY region_id
