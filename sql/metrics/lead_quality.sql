-- What the leads of the last 30 days are worth working on: complete, active, urgent.
--
-- Grain:       one row per lead_id created in the last 30 days.
-- Inputs:      metric.lead_life, metric.event, config.lead_attribute.
-- Parameters:  $as_of, $window_start (Date), $end_of_day (Timestamp), $activity_half_life_days, $activity_half,
--              $mql_completeness, $mql_activity, $mql_urgency (numbers).
-- Output:      lead_id, completeness (share of the configured attributes that lead.created carries, 0 to 1), activity
--              (a ÷ (a + half), 0 to 1, with a the lead's events of the last 30 days, decayed), urgency (share of seven
--              days that is left, counted from the newest urgent event, 0 to 1), mql (whether all three reach the
--              team's standard).
-- Time column: none; as of $as_of.
-- Rerun:       safe; the sum behind activity has no fixed order, its last digits may differ from mart.lead's.
--
-- Events count from the creation on, whoever caused them; being assigned is no sign of life.
WITH created AS (
    SELECT lead_id, created_at, created_attributes
    FROM metric.lead_life
    WHERE created_on BETWEEN $window_start AND $as_of
),
given AS (
    SELECT
        c.lead_id,
        CAST(COUNT(*) FILTER (WHERE map_extract(c.created_attributes, a.name)[1] IS NOT NULL) AS DOUBLE) / COUNT(*)
            AS completeness
    FROM created AS c
    CROSS JOIN config.lead_attribute AS a
    GROUP BY c.lead_id
),
lived AS (
    SELECT
        c.lead_id,
        SUM(POWER(CAST(0.5 AS DOUBLE), e.days_ago / $activity_half_life_days)) AS decayed,
        MAX(1 - e.days_ago / 7) FILTER (
            WHERE e.event_type IN (
                'web.pricing_viewed', 'web.form_submitted', 'budget.confirmed', 'decision_maker.identified',
                'quote.sent'
            )
        ) AS urgency
    FROM created AS c
    INNER JOIN (
        SELECT
            lead_id, event_type, event_time,
            CAST(CAST($end_of_day AS BIGINT) - CAST(event_time AS BIGINT) AS DOUBLE) / 86400000000 AS days_ago
        FROM metric.event
        WHERE event_date >= $window_start AND event_type <> 'lead.assigned' AND lead_id IS NOT NULL
    ) AS e ON e.lead_id = c.lead_id
    WHERE e.event_time >= c.created_at
    GROUP BY c.lead_id
),
axis AS (
    SELECT
        c.lead_id,
        COALESCE(g.completeness, 0) AS completeness,
        COALESCE(v.decayed / (v.decayed + $activity_half), 0) AS activity,
        GREATEST(COALESCE(v.urgency, 0), 0) AS urgency
    FROM created AS c
    LEFT JOIN given AS g ON g.lead_id = c.lead_id
    LEFT JOIN lived AS v ON v.lead_id = c.lead_id
)
SELECT
    lead_id,
    completeness,
    activity,
    urgency,
    completeness >= $mql_completeness AND activity >= $mql_activity AND urgency >= $mql_urgency AS mql
FROM axis
ORDER BY lead_id
