-- What reps and their scopes sell, and how directly.
--
-- Grain:       one row per scope and scope_id.
-- Inputs:      metric.scope, metric.scope_rep, metric.rep_sales, metric.rep_in_force, metric.market_heat.
-- Parameters:  those of its inputs.
-- Output:      scope (rep, manager, region, company), scope_id, deals_signed (count) and amount_signed (reporting
--              currency) in the as-of day's month up to that day, reps_on_duty (count), revenue_per_rep (reporting
--              currency per rep on duty), amount_signed_before and reps_on_duty_before (the same in the month before,
--              up to the same day of it, or its last), revenue_growth (of revenue_per_rep against then; −1 to …),
--              market_growth (of the heat index where the scope sells: a rep's region, a region; else everywhere),
--              revenue_growth_net ((1 + revenue_growth) ÷ (1 + market_growth) − 1),
--              effective_visits_30d, opportunities_opened_30d (counts), push_efficiency
--              (opportunities per effective visit), quotes_accepted_90d, quotes_rejected_90d (counts),
--              quote_success_rate (accepted ÷ answered, 0 to 1), quote_success_vs_company (difference), first_deal_reps (new
--              reps with a first deal), first_deal_days (days, the mean over those). Ratios are null without a denominator.
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH summed AS (
    SELECT
        m.scope,
        m.scope_id,
        SUM(p.deals_signed) AS deals_signed,
        SUM(p.amount_signed) AS amount_signed,
        SUM(p.on_duty) AS reps_on_duty,
        SUM(p.amount_signed_before) AS amount_signed_before,
        SUM(p.on_duty_before) AS reps_on_duty_before,
        SUM(p.effective_visits_30d) AS effective_visits_30d,
        SUM(p.opportunities_opened_30d) AS opportunities_opened_30d,
        SUM(p.quotes_accepted_90d) AS quotes_accepted_90d,
        SUM(p.quotes_rejected_90d) AS quotes_rejected_90d,
        COUNT(p.first_deal_days) AS first_deal_reps,
        SUM(p.first_deal_days) AS first_deal_days_sum
    FROM metric.scope_rep AS m
    INNER JOIN metric.rep_sales AS p ON p.rep_id = m.rep_id
    GROUP BY m.scope, m.scope_id
),
measured AS (
    SELECT
        s.scope,
        s.scope_id,
        COALESCE(t.deals_signed, 0) AS deals_signed,
        CAST(COALESCE(t.amount_signed, 0) AS DECIMAL(18, 2)) AS amount_signed,
        COALESCE(t.reps_on_duty, 0) AS reps_on_duty,
        CAST(CAST(t.amount_signed * 100 AS BIGINT) AS DOUBLE) / NULLIF(100 * t.reps_on_duty, 0) AS revenue_per_rep,
        CAST(COALESCE(t.amount_signed_before, 0) AS DECIMAL(18, 2)) AS amount_signed_before,
        COALESCE(t.reps_on_duty_before, 0) AS reps_on_duty_before,
        CAST(CAST(t.amount_signed_before * 100 AS BIGINT) AS DOUBLE) / NULLIF(100 * t.reps_on_duty_before, 0)
            AS revenue_per_rep_before,
        COALESCE(t.effective_visits_30d, 0) AS effective_visits_30d,
        COALESCE(t.opportunities_opened_30d, 0) AS opportunities_opened_30d,
        CAST(t.opportunities_opened_30d AS DOUBLE) / NULLIF(t.effective_visits_30d, 0) AS push_efficiency,
        COALESCE(t.quotes_accepted_90d, 0) AS quotes_accepted_90d,
        COALESCE(t.quotes_rejected_90d, 0) AS quotes_rejected_90d,
        CAST(t.quotes_accepted_90d AS DOUBLE) / NULLIF(t.quotes_accepted_90d + t.quotes_rejected_90d, 0)
            AS quote_success_rate,
        COALESCE(t.first_deal_reps, 0) AS first_deal_reps,
        CAST(t.first_deal_days_sum AS DOUBLE) / NULLIF(t.first_deal_reps, 0) AS first_deal_days,
        h.heat / h.heat_before - 1 AS market_growth
    FROM metric.scope AS s
    LEFT JOIN summed AS t ON t.scope = s.scope AND t.scope_id = s.scope_id
    LEFT JOIN metric.rep_in_force AS r ON s.scope = 'rep' AND r.rep_id = s.scope_id
    LEFT JOIN metric.market_heat AS h
        ON h.region_id IS NOT DISTINCT FROM CASE s.scope WHEN 'rep' THEN r.region_id WHEN 'region' THEN s.scope_id END
),
grown AS (
    SELECT *, revenue_per_rep / NULLIF(revenue_per_rep_before, 0) - 1 AS revenue_growth
    FROM measured
)
SELECT
    m.scope,
    m.scope_id,
    m.deals_signed,
    m.amount_signed,
    m.reps_on_duty,
    m.revenue_per_rep,
    m.amount_signed_before,
    m.reps_on_duty_before,
    m.revenue_growth,
    m.market_growth,
    (1 + m.revenue_growth) / (1 + m.market_growth) - 1 AS revenue_growth_net,
    m.effective_visits_30d,
    m.opportunities_opened_30d,
    m.push_efficiency,
    m.quotes_accepted_90d,
    m.quotes_rejected_90d,
    m.quote_success_rate,
    m.quote_success_rate - c.quote_success_rate AS quote_success_vs_company,
    m.first_deal_reps,
    m.first_deal_days
FROM grown AS m
INNER JOIN grown AS c ON c.scope = 'company'
ORDER BY m.scope, m.scope_id
