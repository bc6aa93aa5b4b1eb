-- The version of each customer that is in force at the end of the as-of day.
--
-- Grain:       one row per customer_id with a version in force.
-- Inputs:      crm.customer.
-- Parameters:  $end_of_day (Timestamp).
-- Output:      customer_id, owner_rep_id, region_id, segment, industry, size_band, created_on (day),
--              recorded_stage (the CRM's own lifecycle_stage, not ours), updated_at (instant).
-- Time column: updated_at; a version without one is in force since ever.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of versions of the same instant the greatest by content counts: columns in schema order, nulls first.
WITH ranked AS (
    SELECT
        customer_id, owner_rep_id, region_id, segment, industry, size_band, created_on, lifecycle_stage, updated_at,
        ROW_NUMBER() OVER (
            PARTITION BY customer_id
            ORDER BY
                updated_at DESC NULLS LAST,
                owner_rep_id DESC NULLS LAST,
                region_id DESC NULLS LAST,
                segment DESC NULLS LAST,
                industry DESC NULLS LAST,
                size_band DESC NULLS LAST,
                created_on DESC NULLS LAST,
                lifecycle_stage DESC NULLS LAST
        ) AS place
    FROM crm.customer
    WHERE updated_at IS NULL OR updated_at < $end_of_day
)
SELECT
    customer_id, owner_rep_id, region_id, segment, industry, size_band, created_on,
    lifecycle_stage AS recorded_stage, updated_at
FROM ranked
WHERE place = 1
