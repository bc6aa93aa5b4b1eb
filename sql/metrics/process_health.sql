-- The process-health index: the weighted mean of its six components' scores.
--
-- Grain:       one row per scope and scope_id.
-- Inputs:      metric.process_component, metric.scope_process.
-- Parameters:  $process_red, $process_amber (points).
-- Output:      scope (rep, manager, region, company), scope_id; for each of response_timeliness, discovery_depth,
--              solution_match, visit_frequency, opportunity_velocity and interaction_depth its _num and _den
--              (counts), the ratio itself under the bare name, and its _score (0 to 100), both null without a
--              denominator; touches, effective_touches, customers, customers_touched (counts, the factors of
--              interaction_depth), process_health (0 to 100; null without any component), color (red, amber, green;
--              null with the index).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- The weighted sum and the sum of weights run over the components in this order, from the left; a null component
-- adds 0.0 to both.
WITH pivoted AS (
    SELECT
        scope,
        scope_id,
        MAX(num) FILTER (WHERE component = 'response_timeliness') AS response_timeliness_num,
        MAX(den) FILTER (WHERE component = 'response_timeliness') AS response_timeliness_den,
        MAX(value) FILTER (WHERE component = 'response_timeliness') AS response_timeliness,
        MAX(score) FILTER (WHERE component = 'response_timeliness') AS response_timeliness_score,
        MAX(weight) FILTER (WHERE component = 'response_timeliness' AND score IS NOT NULL)
            AS response_timeliness_weight,
        MAX(num) FILTER (WHERE component = 'discovery_depth') AS discovery_depth_num,
        MAX(den) FILTER (WHERE component = 'discovery_depth') AS discovery_depth_den,
        MAX(value) FILTER (WHERE component = 'discovery_depth') AS discovery_depth,
        MAX(score) FILTER (WHERE component = 'discovery_depth') AS discovery_depth_score,
        MAX(weight) FILTER (WHERE component = 'discovery_depth' AND score IS NOT NULL)
            AS discovery_depth_weight,
        MAX(num) FILTER (WHERE component = 'solution_match') AS solution_match_num,
        MAX(den) FILTER (WHERE component = 'solution_match') AS solution_match_den,
        MAX(value) FILTER (WHERE component = 'solution_match') AS solution_match,
        MAX(score) FILTER (WHERE component = 'solution_match') AS solution_match_score,
        MAX(weight) FILTER (WHERE component = 'solution_match' AND score IS NOT NULL)
            AS solution_match_weight,
        MAX(num) FILTER (WHERE component = 'visit_frequency') AS visit_frequency_num,
        MAX(den) FILTER (WHERE component = 'visit_frequency') AS visit_frequency_den,
        MAX(value) FILTER (WHERE component = 'visit_frequency') AS visit_frequency,
        MAX(score) FILTER (WHERE component = 'visit_frequency') AS visit_frequency_score,
        MAX(weight) FILTER (WHERE component = 'visit_frequency' AND score IS NOT NULL)
            AS visit_frequency_weight,
        MAX(num) FILTER (WHERE component = 'opportunity_velocity') AS opportunity_velocity_num,
        MAX(den) FILTER (WHERE component = 'opportunity_velocity') AS opportunity_velocity_den,
        MAX(value) FILTER (WHERE component = 'opportunity_velocity') AS opportunity_velocity,
        MAX(score) FILTER (WHERE component = 'opportunity_velocity') AS opportunity_velocity_score,
        MAX(weight) FILTER (WHERE component = 'opportunity_velocity' AND score IS NOT NULL)
            AS opportunity_velocity_weight,
        MAX(num) FILTER (WHERE component = 'interaction_depth') AS interaction_depth_num,
        MAX(den) FILTER (WHERE component = 'interaction_depth') AS interaction_depth_den,
        MAX(value) FILTER (WHERE component = 'interaction_depth') AS interaction_depth,
        MAX(score) FILTER (WHERE component = 'interaction_depth') AS interaction_depth_score,
        MAX(weight) FILTER (WHERE component = 'interaction_depth' AND score IS NOT NULL)
            AS interaction_depth_weight
    FROM metric.process_component
    GROUP BY scope, scope_id
),
indexed AS (
    SELECT
        scope,
        scope_id,
        response_timeliness_num,
        response_timeliness_den,
        response_timeliness,
        response_timeliness_score,
        discovery_depth_num,
        discovery_depth_den,
        discovery_depth,
        discovery_depth_score,
        solution_match_num,
        solution_match_den,
        solution_match,
        solution_match_score,
        visit_frequency_num,
        visit_frequency_den,
        visit_frequency,
        visit_frequency_score,
        opportunity_velocity_num,
        opportunity_velocity_den,
        opportunity_velocity,
        opportunity_velocity_score,
        interaction_depth_num,
        interaction_depth_den,
        interaction_depth,
        interaction_depth_score,
        (
            COALESCE(response_timeliness_weight * response_timeliness_score, 0.0)
            + COALESCE(discovery_depth_weight * discovery_depth_score, 0.0)
            + COALESCE(solution_match_weight * solution_match_score, 0.0)
            + COALESCE(visit_frequency_weight * visit_frequency_score, 0.0)
            + COALESCE(opportunity_velocity_weight * opportunity_velocity_score, 0.0)
            + COALESCE(interaction_depth_weight * interaction_depth_score, 0.0)
        ) / NULLIF(
            COALESCE(response_timeliness_weight, 0.0)
            + COALESCE(discovery_depth_weight, 0.0)
            + COALESCE(solution_match_weight, 0.0)
            + COALESCE(visit_frequency_weight, 0.0)
            + COALESCE(opportunity_velocity_weight, 0.0)
            + COALESCE(interaction_depth_weight, 0.0),
            0.0
        ) AS process_health
    FROM pivoted
)
SELECT
    i.scope,
    i.scope_id,
    i.response_timeliness_num,
    i.response_timeliness_den,
    i.response_timeliness,
    i.response_timeliness_score,
    i.discovery_depth_num,
    i.discovery_depth_den,
    i.discovery_depth,
    i.discovery_depth_score,
    i.solution_match_num,
    i.solution_match_den,
    i.solution_match,
    i.solution_match_score,
    i.visit_frequency_num,
    i.visit_frequency_den,
    i.visit_frequency,
    i.visit_frequency_score,
    i.opportunity_velocity_num,
    i.opportunity_velocity_den,
    i.opportunity_velocity,
    i.opportunity_velocity_score,
    i.interaction_depth_num,
    i.interaction_depth_den,
    i.interaction_depth,
    i.interaction_depth_score,
    p.touches,
    p.effective_touches,
    p.customers,
    p.customers_touched,
    i.process_health,
    CASE
        WHEN i.process_health IS NULL THEN NULL
        WHEN i.process_health < $process_red THEN 'red'
        WHEN i.process_health < $process_amber THEN 'amber'
        ELSE 'green'
    END AS color
FROM indexed AS i
INNER JOIN metric.scope_process AS p ON p.scope = i.scope AND p.scope_id = i.scope_id
ORDER BY i.scope, i.scope_id
