-- The six components of the process-health index, with their scores.
--
-- Grain:       one row per scope, scope_id and component.
-- Inputs:      metric.scope_process, config.component.
-- Parameters:  those of its inputs.
-- Output:      scope, scope_id, component, num, den (counts; for interaction_depth products of counts),
--              value (num ÷ den; null without a denominator), score (0 to 100, linear between the component's
--              anchors; null with value), weight.
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Above a rep the counts are summed first, so a value is never a mean of ratios.
-- A score between the anchors (x0, y0) and (x1, y1) is y0 + (value - x0) / (x1 - x0) * (y1 - y0), in that order.
WITH paired AS (
    SELECT
        t.scope,
        t.scope_id,
        c.component,
        c.anchor_0,
        c.anchor_60,
        c.anchor_80,
        c.anchor_100,
        c.weight,
        CASE c.component
            WHEN 'response_timeliness' THEN t.leads_timely
            WHEN 'discovery_depth' THEN t.discovery
            WHEN 'solution_match' THEN t.accepted
            WHEN 'visit_frequency' THEN t.visit_touches
            WHEN 'opportunity_velocity' THEN t.forward_moves
            WHEN 'interaction_depth' THEN t.effective_touches * t.customers_touched
        END AS num,
        CASE c.component
            WHEN 'response_timeliness' THEN t.leads_due
            WHEN 'discovery_depth' THEN t.opportunities_in_window
            WHEN 'solution_match' THEN t.accepted + t.rejected
            WHEN 'visit_frequency' THEN t.working_days
            WHEN 'opportunity_velocity' THEN t.opportunities_in_window
            WHEN 'interaction_depth' THEN t.touches * t.customers
        END AS den
    FROM metric.scope_process AS t
    CROSS JOIN config.component AS c
),
valued AS (
    SELECT
        scope, scope_id, component, anchor_0, anchor_60, anchor_80, anchor_100, weight, num, den,
        CAST(num AS DOUBLE) / NULLIF(den, 0) AS value
    FROM paired
)
SELECT
    scope,
    scope_id,
    component,
    num,
    den,
    value,
    CASE
        WHEN value IS NULL THEN NULL
        WHEN value <= anchor_0 THEN 0.0
        WHEN value < anchor_60 THEN 0.0 + (value - anchor_0) / (anchor_60 - anchor_0) * 60.0
        WHEN value < anchor_80 THEN 60.0 + (value - anchor_60) / (anchor_80 - anchor_60) * 20.0
        WHEN value < anchor_100 THEN 80.0 + (value - anchor_80) / (anchor_100 - anchor_80) * 20.0
        ELSE 100.0
    END AS score,
    weight
FROM valued
