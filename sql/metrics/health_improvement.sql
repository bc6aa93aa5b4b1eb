-- The share of customers whose health rose against 30 days before.
--
-- Grain:       one row per region and one for the company.
-- Inputs:      metric.scope, metric.scope_customer, metric.customer_health.
-- Parameters:  those of its inputs.
-- Output:      scope (region, company), scope_id, customers, improved (counts),
--              health_improvement_rate (ratio 0 to 1; null without customers).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH counted AS (
    SELECT
        m.scope,
        m.scope_id,
        COUNT(*) AS customers,
        COUNT(*) FILTER (WHERE h.health_improved) AS improved
    FROM metric.scope_customer AS m
    INNER JOIN metric.customer_health AS h ON h.customer_id = m.customer_id
    WHERE m.scope IN ('region', 'company')
    GROUP BY m.scope, m.scope_id
)
SELECT
    s.scope,
    s.scope_id,
    COALESCE(c.customers, 0) AS customers,
    COALESCE(c.improved, 0) AS improved,
    CAST(c.improved AS DOUBLE) / NULLIF(c.customers, 0) AS health_improvement_rate
FROM metric.scope AS s
LEFT JOIN counted AS c ON c.scope = s.scope AND c.scope_id = s.scope_id
WHERE s.scope IN ('region', 'company')
ORDER BY s.scope, s.scope_id
