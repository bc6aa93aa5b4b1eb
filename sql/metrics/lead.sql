-- How fast the leads of the last 30 days were answered.
--
-- Grain:       one row per lead_id created in the last 30 days.
-- Inputs:      metric.lead_life.
-- Parameters:  $as_of, $window_start (Date), $end_of_day (Timestamp), $sla_seconds, $escalation_seconds (integers).
-- Output:      lead_id, rep_id (the assignee), region_id, source, created_at, answered_at (instants),
--              response_seconds (whole seconds), sla_met (null while unanswered and not older than the SLA),
--              escalated (not answered within the escalation time, which has passed), followed_7d (an effective
--              touch within seven times 24 hours of creation), stage (converted, disqualified, lost, qualified,
--              responded or created: the first of these that the lead came to).
-- Time column: created_at.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Comparisons are in microseconds: an answer after 900.5 s has response_seconds 900 and misses an SLA of 900 s.
WITH timed AS (
    SELECT
        lead_id,
        region_id,
        source,
        created_at,
        assignee,
        answered_at,
        CASE
            WHEN converted_at IS NOT NULL THEN 'converted'
            WHEN disqualified_at IS NOT NULL THEN 'disqualified'
            WHEN lost_at IS NOT NULL THEN 'lost'
            WHEN qualified_at IS NOT NULL THEN 'qualified'
            WHEN answered_at IS NOT NULL THEN 'responded'
            ELSE 'created'
        END AS stage,
        CAST(answered_at AS BIGINT) - CAST(created_at AS BIGINT) AS response_us,
        CAST($end_of_day AS BIGINT) - CAST(created_at AS BIGINT) AS age_us,
        CAST(followed_at AS BIGINT) - CAST(created_at AS BIGINT) AS followed_us
    FROM metric.lead_life
    WHERE created_on BETWEEN $window_start AND $as_of
)
SELECT
    lead_id,
    assignee AS rep_id,
    region_id,
    source,
    created_at,
    answered_at,
    response_us / 1000000 AS response_seconds,
    CASE
        WHEN response_us IS NOT NULL THEN response_us <= $sla_seconds * 1000000
        WHEN age_us > $sla_seconds * 1000000 THEN FALSE
    END AS sla_met,
    (response_us IS NULL OR response_us > $escalation_seconds * 1000000)
        AND age_us >= $escalation_seconds * 1000000 AS escalated,
    COALESCE(followed_us < 604800000000, FALSE) AS followed_7d,
    stage
FROM timed
ORDER BY lead_id
