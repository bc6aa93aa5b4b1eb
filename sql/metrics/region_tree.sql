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
-- Of regions that lie above each other in a circle the one with the smallest id becomes a root.
WITH RECURSIVE above AS (
    SELECT region_id, parent_region_id AS ancestor
    FROM metric.region_in_force
    WHERE parent_region_id IS NOT NULL
    UNION
    SELECT above.region_id, parent.parent_region_id AS ancestor
    FROM above
    INNER JOIN metric.region_in_force AS parent ON parent.region_id = above.ancestor
    WHERE parent.parent_region_id IS NOT NULL
),
root AS (
    SELECT up.region_id
    FROM above AS up
    INNER JOIN above AS back ON back.region_id = up.ancestor AND back.ancestor = up.region_id
    GROUP BY up.region_id
    HAVING MIN(up.ancestor) = up.region_id
),
tree AS (
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
    WHERE child.region_id NOT IN (SELECT region_id FROM root)
)
SELECT ancestor, descendant
FROM tree
