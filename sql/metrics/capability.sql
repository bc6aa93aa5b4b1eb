-- The capability profile: six skills of a rep, each as what it shows in, ranked among the reps on duty.
--
-- Grain:       one row per rep in force and skill.
-- Inputs:      metric.rep_process, metric.rep_sales, metric.rep_day.
-- Parameters:  $as_of, $window_90d_start (Date).
-- Output:      rep_id, skill, position (1 to 6), numerator, denominator (counts), value (numerator ÷ denominator; null
--              without a denominator), score (0 to 100: the share of peers below, those level with the rep counted
--              half; null without a value, or off duty), peers (reps on duty with a value, the rep included; else 0).
-- Time column: none; as of $as_of.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- communication: leads answered in time, 30 days. negotiation: quotes accepted of those answered, 90 days.
-- solution_design: accepted of all answers, 90 days. relationship: owned customers touched, 30 days.
-- product_knowledge: effective touches of all, 90 days. execution: forward stage moves per opportunity, 30 days.
WITH act AS (
    SELECT
        rep_id,
        SUM(accepted) AS accepted,
        SUM(rejected) AS rejected,
        SUM(touches) AS touches,
        SUM(effective_touches) AS effective_touches
    FROM metric.rep_day
    WHERE event_date BETWEEN $window_90d_start AND $as_of
    GROUP BY rep_id
),
counted AS (
    SELECT
        p.rep_id,
        s.on_duty,
        p.leads_timely,
        p.leads_due,
        s.quotes_accepted_90d,
        s.quotes_accepted_90d + s.quotes_rejected_90d AS quotes_answered_90d,
        COALESCE(a.accepted, 0) AS accepted,
        COALESCE(a.accepted + a.rejected, 0) AS answered,
        p.customers_touched,
        p.customers,
        COALESCE(a.effective_touches, 0) AS effective_touches,
        COALESCE(a.touches, 0) AS touches,
        p.forward_moves,
        p.opportunities_in_window
    FROM metric.rep_process AS p
    INNER JOIN metric.rep_sales AS s ON s.rep_id = p.rep_id
    LEFT JOIN act AS a ON a.rep_id = p.rep_id
),
shown AS (
    SELECT rep_id, on_duty, 'communication' AS skill, 1 AS position, leads_timely AS numerator, leads_due AS denominator
    FROM counted
    UNION ALL
    SELECT rep_id, on_duty, 'negotiation', 2, quotes_accepted_90d, quotes_answered_90d FROM counted
    UNION ALL
    SELECT rep_id, on_duty, 'solution_design', 3, accepted, answered FROM counted
    UNION ALL
    SELECT rep_id, on_duty, 'relationship', 4, customers_touched, customers FROM counted
    UNION ALL
    SELECT rep_id, on_duty, 'product_knowledge', 5, effective_touches, touches FROM counted
    UNION ALL
    SELECT rep_id, on_duty, 'execution', 6, forward_moves, opportunities_in_window FROM counted
),
valued AS (
    SELECT
        rep_id, on_duty, skill, position, numerator, denominator,
        CAST(numerator AS DOUBLE) / NULLIF(denominator, 0) AS value
    FROM shown
),
ranked AS (
    SELECT
        rep_id,
        skill,
        RANK() OVER (PARTITION BY skill ORDER BY value) - 1 AS below,
        COUNT(*) OVER (PARTITION BY skill, value) AS level,
        COUNT(*) OVER (PARTITION BY skill) AS peers
    FROM valued
    WHERE on_duty = 1 AND value IS NOT NULL
)
SELECT
    v.rep_id,
    v.skill,
    v.position,
    v.numerator,
    v.denominator,
    v.value,
    CAST(100 * (2 * CAST(r.below AS BIGINT) + r.level) AS DOUBLE) / (2 * r.peers) AS score,
    COALESCE(r.peers, 0) AS peers
FROM valued AS v
LEFT JOIN ranked AS r ON r.rep_id = v.rep_id AND r.skill = v.skill
ORDER BY v.rep_id, v.position
