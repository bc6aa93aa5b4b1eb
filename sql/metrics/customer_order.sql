-- What a customer ordered in the last 365 days, and how often.
--
-- Grain:       one row per customer_id with an order up to the as-of day.
-- Inputs:      metric.order_day, metric.event.
-- Parameters:  $as_of, $window_365d_start, $window_182d_start (Date).
-- Output:      customer_id, first_order_on, last_order_on (days, ever), orders_365d (count),
--              order_amount_365d, order_amount_182d, order_amount_before (reporting currency: the last 365 days,
--              the last 182, the 183 before those), repurchase_interval_days (days; median of the whole calendar
--              days between successive orders of the last 365 days, null under two orders).
-- Time column: none; as of $as_of.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH ordered AS (
    SELECT
        customer_id,
        MIN(event_date) AS first_order_on,
        MAX(event_date) AS last_order_on,
        SUM(orders) FILTER (WHERE event_date BETWEEN $window_365d_start AND $as_of) AS orders_365d,
        SUM(amount) FILTER (WHERE event_date BETWEEN $window_365d_start AND $as_of) AS order_amount_365d,
        SUM(amount) FILTER (WHERE event_date BETWEEN $window_182d_start AND $as_of) AS order_amount_182d,
        SUM(amount) FILTER (WHERE event_date >= $window_365d_start AND event_date < $window_182d_start)
            AS order_amount_before
    FROM metric.order_day
    GROUP BY customer_id
),
successive AS (
    SELECT
        customer_id,
        event_date - LAG(event_date) OVER (PARTITION BY customer_id ORDER BY event_date) AS gap_days
    FROM metric.event
    WHERE event_type = 'order.placed'
        AND customer_id IS NOT NULL
        AND event_date BETWEEN $window_365d_start AND $as_of
),
ranked AS (
    SELECT
        customer_id,
        gap_days,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY gap_days) AS place,
        COUNT(*) OVER (PARTITION BY customer_id) AS gaps
    FROM successive
    WHERE gap_days IS NOT NULL
),
median AS (
    SELECT customer_id, CAST(SUM(gap_days) AS DOUBLE) / COUNT(*) AS repurchase_interval_days
    FROM ranked
    WHERE place = (gaps + 1) / 2 OR place = (gaps + 2) / 2
    GROUP BY customer_id
)
SELECT
    o.customer_id,
    o.first_order_on,
    o.last_order_on,
    COALESCE(o.orders_365d, 0) AS orders_365d,
    CAST(COALESCE(o.order_amount_365d, 0) AS DECIMAL(18, 2)) AS order_amount_365d,
    CAST(COALESCE(o.order_amount_182d, 0) AS DECIMAL(18, 2)) AS order_amount_182d,
    CAST(COALESCE(o.order_amount_before, 0) AS DECIMAL(18, 2)) AS order_amount_before,
    m.repurchase_interval_days
FROM ordered AS o
LEFT JOIN median AS m ON m.customer_id = o.customer_id
