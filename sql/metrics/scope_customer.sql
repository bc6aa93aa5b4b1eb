-- Which customers a scope holds: the rep's own, those of a manager's direct reports, a region's with all regions
-- below it (by the customer's region, not its owner's), all of them.
--
-- Grain:       one row per scope, scope_id and customer_id.
-- Inputs:      metric.customer_in_force, metric.rep_in_force, metric.region_tree.
-- Parameters:  those of its inputs.
-- Output:      scope, scope_id, customer_id.
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- A customer whose owner is no rep in force counts for its region and the company alone.
SELECT 'rep' AS scope, r.rep_id AS scope_id, c.customer_id
FROM metric.customer_in_force AS c
INNER JOIN metric.rep_in_force AS r ON r.rep_id = c.owner_rep_id
UNION ALL
SELECT 'manager' AS scope, r.manager_id AS scope_id, c.customer_id
FROM metric.customer_in_force AS c
INNER JOIN metric.rep_in_force AS r ON r.rep_id = c.owner_rep_id
WHERE r.manager_id IS NOT NULL
UNION ALL
SELECT 'region' AS scope, t.ancestor AS scope_id, c.customer_id
FROM metric.customer_in_force AS c
INNER JOIN metric.region_tree AS t ON t.descendant = c.region_id
UNION ALL
SELECT 'company' AS scope, 'company' AS scope_id, customer_id FROM metric.customer_in_force
