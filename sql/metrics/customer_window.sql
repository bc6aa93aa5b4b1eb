-- What a customer received in the last 30 days, and in the 30 days before those.
--
-- Grain:       one row per customer in force.
-- Inputs:      metric.customer_in_force, metric.customer_day.
-- Parameters:  $as_of, $window_start, $baseline, $baseline_start (Date).
-- Output:      customer_id, touches_30d, effective_touches_30d, evidenced_effective_touches_30d (counts),
--              evidence_30d (pieces), last_touch (instant, ever up to the as-of day), touches_before (count),
--              evidence_before (pieces), last_touch_before (instant): the same three as of 30 days earlier.
-- Time column: none; as of $as_of and $baseline.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH touched AS (
    SELECT
        customer_id,
        SUM(touches) FILTER (WHERE event_date BETWEEN $window_start AND $as_of) AS touches_30d,
        SUM(effective_touches) FILTER (WHERE event_date BETWEEN $window_start AND $as_of) AS effective_touches_30d,
        SUM(evidenced_effective_touches) FILTER (WHERE event_date BETWEEN $window_start AND $as_of)
            AS evidenced_effective_touches_30d,
        SUM(evidence) FILTER (WHERE event_date BETWEEN $window_start AND $as_of) AS evidence_30d,
        MAX(last_touch) FILTER (WHERE event_date <= $as_of) AS last_touch,
        SUM(touches) FILTER (WHERE event_date BETWEEN $baseline_start AND $baseline) AS touches_before,
        SUM(evidence) FILTER (WHERE event_date BETWEEN $baseline_start AND $baseline) AS evidence_before,
        MAX(last_touch) FILTER (WHERE event_date <= $baseline) AS last_touch_before
    FROM metric.customer_day
    GROUP BY customer_id
)
SELECT
    c.customer_id,
    COALESCE(t.touches_30d, 0) AS touches_30d,
    COALESCE(t.effective_touches_30d, 0) AS effective_touches_30d,
    COALESCE(t.evidenced_effective_touches_30d, 0) AS evidenced_effective_touches_30d,
    COALESCE(t.evidence_30d, 0) AS evidence_30d,
    t.last_touch,
    COALESCE(t.touches_before, 0) AS touches_before,
    COALESCE(t.evidence_before, 0) AS evidence_before,
    t.last_touch_before
FROM metric.customer_in_force AS c
LEFT JOIN touched AS t ON t.customer_id = c.customer_id
