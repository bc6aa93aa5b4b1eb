-- Which regions lie in which: the closure of parent_region_id, each region in itself.
--
-- Grain:       one row per ancestor and descendant.
-- Inputs:      metric.region_in_force, metric.rep_in_force, metric.customer_in_force, metric.plan_in_force.
-- Parameters:  those of its inputs.
-- Output:      ancestor, descendant (region ids; those in force, and those only met as a parent, on a rep, a
--              customer or a plan).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- A cycle of parents ends by itself: UNION keeps a pair once, so its members lie in each other.
WITH RECURSIVE tree AS (
    SELECT known.region_id AS ancestor, known.region_id AS descendant
    FROM (
        SELECT region_id FROM metric.region_in_force
        UNION
        SELECT parent_region_id AS region_id FROM metric.region_in_force WHERE parent_region_id IS NOT NULL
        UNION
        SELECT region_id FROM metric.rep_in_force WHERE region_id IS NOT NULL
        UNION
        SELECT region_id FROM metric.customer_in_force WHERE region_id IS NOT NULL
        UNION
        SELECT region_id FROM metric.plan_in_force
    ) AS known
    UNION
    SELECT tree.ancestor, child.region_id AS descendant
    FROM tree
    INNER JOIN metric.region_in_force AS child ON child.parent_region_id = tree.descendant
)
SELECT ancestor, descendant
FROM tree
