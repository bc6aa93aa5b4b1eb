-- What was signed and ordered in each period, as the events tell it?
WITH once AS (
    SELECT DISTINCT event_id, event_type, event_date, amount
    FROM raw.behaviour
    WHERE event_type IN ('deal.signed', 'order.placed', 'payment.received')
)
SELECT
    period_of(event_date) AS period, event_type, count(*) AS events, sum(amount) AS amount, max(amount) AS largest
FROM once
GROUP BY 1, 2
ORDER BY 1, 2;
