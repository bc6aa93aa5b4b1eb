-- Touches of a customer on a day.
--
-- Grain:       one row per event_date and customer_id that was touched that day.
-- Inputs:      metric.event.
-- Parameters:  those of its inputs.
-- Output:      event_date (day), customer_id, touches, effective_touches, evidenced_effective_touches (counts),
--              evidence (pieces), last_touch (instant).
--              An effective touch is a touch: the catalogue sees to it.
-- Time column: event_date.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT
    event_date,
    customer_id,
    COUNT(*) AS touches,
    COUNT(*) FILTER (WHERE effective_touch) AS effective_touches,
    COUNT(*) FILTER (WHERE effective_touch AND evidence_count > 0) AS evidenced_effective_touches,
    COALESCE(SUM(CAST(evidence_count AS BIGINT)), 0) AS evidence,
    MAX(event_time) AS last_touch
FROM metric.event
WHERE customer_id IS NOT NULL AND touch
GROUP BY event_date, customer_id
