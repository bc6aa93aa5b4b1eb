-- Effective lead conversion per ISO week: of a week's leads that were not disqualified, those converted by now.
--
-- Grain:       one row per region or company, and ISO week: the week of the as-of day and the 11 before it.
-- Inputs:      metric.scope, metric.region_tree, metric.lead_life, calendar.day.
-- Parameters:  $as_of, $week_start (Date: the Monday 11 weeks before that of the as-of day's week),
--              $conversion_red, $conversion_amber (ratios).
-- Output:      scope (region, company), scope_id, iso_week (as 2026-W47), week_start (its Monday),
--              effective_leads, converted (counts), effective_lead_conversion (ratio 0 to 1; null without
--              effective leads), color (red, amber, green; null with the ratio).
-- Time column: week_start; leads by the day of their creation.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH week AS (
    SELECT date AS week_start
    FROM calendar.day
    WHERE date BETWEEN $week_start AND $as_of AND (date - $week_start) % 7 = 0
),
lead AS (
    SELECT
        region_id,
        created_on - CAST((created_on - $week_start) % 7 AS INT) AS week_start,
        converted_at IS NOT NULL AS converted
    FROM metric.lead_life
    WHERE created_on BETWEEN $week_start AND $as_of AND disqualified_at IS NULL
),
placed AS (
    SELECT 'region' AS scope, t.ancestor AS scope_id, l.week_start, l.converted
    FROM lead AS l
    INNER JOIN metric.region_tree AS t ON t.descendant = l.region_id
    UNION ALL
    SELECT 'company' AS scope, 'company' AS scope_id, week_start, converted
    FROM lead
),
counted AS (
    SELECT
        scope,
        scope_id,
        week_start,
        COUNT(*) AS effective_leads,
        COUNT(*) FILTER (WHERE converted) AS converted
    FROM placed
    GROUP BY scope, scope_id, week_start
),
measured AS (
    SELECT
        s.scope,
        s.scope_id,
        w.week_start,
        COALESCE(c.effective_leads, 0) AS effective_leads,
        COALESCE(c.converted, 0) AS converted,
        CAST(c.converted AS DOUBLE) / NULLIF(c.effective_leads, 0) AS effective_lead_conversion
    FROM metric.scope AS s
    CROSS JOIN week AS w
    LEFT JOIN counted AS c
        ON c.scope = s.scope AND c.scope_id = s.scope_id AND c.week_start = w.week_start
    WHERE s.scope IN ('region', 'company')
)
SELECT
    scope,
    scope_id,
    to_char(week_start, '%G-W%V') AS iso_week,
    week_start,
    effective_leads,
    converted,
    effective_lead_conversion,
    CASE
        WHEN effective_lead_conversion IS NULL THEN NULL
        WHEN effective_lead_conversion < $conversion_red THEN 'red'
        WHEN effective_lead_conversion < $conversion_amber THEN 'amber'
        ELSE 'green'
    END AS color
FROM measured
ORDER BY scope, scope_id, week_start
