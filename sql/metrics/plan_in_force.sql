-- The version of each plan that is in force at the end of the as-of day.
--
-- Grain:       one row per period and region_id with a version in force.
-- Inputs:      crm.plan.
-- Parameters:  $end_of_day (Timestamp).
-- Output:      period (as 2026-11 or 2026-Q4), region_id, target_amount (reporting currency), updated_at (instant).
-- Time column: updated_at; a version without one is in force since ever.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of versions of the same instant the greatest by content counts.
WITH ranked AS (
    SELECT
        period, region_id, target_amount, updated_at,
        ROW_NUMBER() OVER (
            PARTITION BY period, region_id
            ORDER BY updated_at DESC NULLS LAST, target_amount DESC NULLS LAST
        ) AS place
    FROM crm.plan
    WHERE updated_at IS NULL OR updated_at < $end_of_day
)
SELECT period, region_id, target_amount, updated_at
FROM ranked
WHERE place = 1
