-- The version of each rep that is in force at the end of the as-of day.
--
-- Grain:       one row per rep_id with a version in force.
-- Inputs:      crm.rep.
-- Parameters:  $end_of_day (Timestamp).
-- Output:      rep_id, region_id, manager_id, team, role, hired_on, left_on (days), status, consent_at,
--              updated_at (instants).
-- Time column: updated_at; a version without one is in force since ever.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of versions of the same instant the greatest by content counts: columns in schema order, nulls first.
WITH ranked AS (
    SELECT
        rep_id, region_id, manager_id, team, role, hired_on, left_on, status, consent_at, updated_at,
        ROW_NUMBER() OVER (
            PARTITION BY rep_id
            ORDER BY
                updated_at DESC NULLS LAST,
                region_id DESC NULLS LAST,
                manager_id DESC NULLS LAST,
                team DESC NULLS LAST,
                role DESC NULLS LAST,
                hired_on DESC NULLS LAST,
                left_on DESC NULLS LAST,
                status DESC NULLS LAST,
                consent_at DESC NULLS LAST
        ) AS place
    FROM crm.rep
    WHERE updated_at IS NULL OR updated_at < $end_of_day
)
SELECT rep_id, region_id, manager_id, team, role, hired_on, left_on, status, consent_at, updated_at
FROM ranked
WHERE place = 1
