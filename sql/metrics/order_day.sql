-- Orders of a customer on a day.
--
-- Grain:       one row per event_date and customer_id that ordered that day.
-- Inputs:      metric.event.
-- Parameters:  those of its inputs.
-- Output:      event_date (day), customer_id, orders (count), amount (reporting currency).
-- Time column: event_date.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT
    event_date,
    customer_id,
    COUNT(*) AS orders,
    CAST(COALESCE(SUM(amount), 0) AS DECIMAL(18, 2)) AS amount
FROM metric.event
WHERE event_type = 'order.placed' AND customer_id IS NOT NULL
GROUP BY event_date, customer_id
