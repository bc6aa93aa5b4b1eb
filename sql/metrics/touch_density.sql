-- Customer touch density: the share of a scope's customers that are densely touched.
--
-- Grain:       one row per scope and scope_id.
-- Inputs:      metric.scope, metric.scope_customer, metric.customer_health.
-- Parameters:  those of its inputs.
-- Output:      scope (rep, manager, region, company), scope_id, customers, dense_customers (counts),
--              touch_density (ratio 0 to 1; null without customers).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH counted AS (
    SELECT
        m.scope,
        m.scope_id,
        COUNT(*) AS customers,
        COUNT(*) FILTER (WHERE h.dense) AS dense_customers
    FROM metric.scope_customer AS m
    INNER JOIN metric.customer_health AS h ON h.customer_id = m.customer_id
    GROUP BY m.scope, m.scope_id
)
SELECT
    s.scope,
    s.scope_id,
    COALESCE(c.customers, 0) AS customers,
    COALESCE(c.dense_customers, 0) AS dense_customers,
    CAST(c.dense_customers AS DOUBLE) / NULLIF(c.customers, 0) AS touch_density
FROM metric.scope AS s
LEFT JOIN counted AS c ON c.scope = s.scope AND c.scope_id = s.scope_id
ORDER BY s.scope, s.scope_id
