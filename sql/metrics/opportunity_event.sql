-- The events of each opportunity, in order.
--
-- Grain:       one row per opportunity_id and event.
-- Inputs:      metric.event.
-- Parameters:  those of its inputs.
-- Output:      opportunity_id, position (1, 2, … by event_time, then event_id), event_date, event_time (instant),
--              event_type (opportunity.*), rep_id, customer_id, lead_id, amount (reporting currency), stage (the
--              attribute).
-- Time column: event_time.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT
    opportunity_id,
    CAST(ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY event_time, event_id) AS BIGINT) AS position,
    event_date,
    event_time,
    event_type,
    rep_id,
    customer_id,
    lead_id,
    amount,
    stage
FROM metric.event
WHERE opportunity_id IS NOT NULL AND starts_with(event_type, 'opportunity.')
