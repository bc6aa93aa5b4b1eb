-- Which reps a scope holds: itself, direct reports, a region's with all regions below it, everybody.
--
-- Grain:       one row per scope, scope_id and rep_id.
-- Inputs:      metric.rep_in_force, metric.region_tree.
-- Parameters:  those of its inputs.
-- Output:      scope, scope_id, rep_id.
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT 'rep' AS scope, rep_id AS scope_id, rep_id FROM metric.rep_in_force
UNION ALL
SELECT 'manager' AS scope, manager_id AS scope_id, rep_id FROM metric.rep_in_force WHERE manager_id IS NOT NULL
UNION ALL
SELECT 'region' AS scope, t.ancestor AS scope_id, r.rep_id
FROM metric.rep_in_force AS r
INNER JOIN metric.region_tree AS t ON t.descendant = r.region_id
UNION ALL
SELECT 'company' AS scope, 'company' AS scope_id, rep_id FROM metric.rep_in_force
