-- The scopes that measures are published for.
--
-- Grain:       one row per scope and scope_id.
-- Inputs:      metric.rep_in_force, metric.region_tree.
-- Parameters:  those of its inputs.
-- Output:      scope (rep, manager, region, company), scope_id ('company' for the company).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT 'rep' AS scope, rep_id AS scope_id FROM metric.rep_in_force
UNION ALL
SELECT 'manager' AS scope, manager_id AS scope_id
FROM metric.rep_in_force
WHERE manager_id IS NOT NULL
GROUP BY manager_id
UNION ALL
SELECT 'region' AS scope, ancestor AS scope_id FROM metric.region_tree WHERE ancestor = descendant
UNION ALL
SELECT 'company' AS scope, 'company' AS scope_id
