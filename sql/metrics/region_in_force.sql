-- The version of each region that is in force at the end of the as-of day.
--
-- Grain:       one row per region_id with a version in force.
-- Inputs:      crm.region.
-- Parameters:  $end_of_day (Timestamp).
-- Output:      region_id, parent_region_id, name, updated_at (instant).
-- Time column: updated_at; a version without one is in force since ever.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of versions of the same instant the greatest by content counts: columns in schema order, nulls first.
WITH ranked AS (
    SELECT
        region_id, parent_region_id, name, updated_at,
        ROW_NUMBER() OVER (
            PARTITION BY region_id
            ORDER BY updated_at DESC NULLS LAST, parent_region_id DESC NULLS LAST, name DESC NULLS LAST
        ) AS place
    FROM crm.region
    WHERE updated_at IS NULL OR updated_at < $end_of_day
)
SELECT region_id, parent_region_id, name, updated_at
FROM ranked
WHERE place = 1
