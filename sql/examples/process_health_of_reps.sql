-- How healthy is the sales process of each rep, and which component is weakest?
SELECT
    h.scope_id AS rep_id, round(h.process_health, 1) AS process_health, h.color,
    round(least(
        coalesce(h.response_timeliness_score, 100), coalesce(h.discovery_depth_score, 100),
        coalesce(h.solution_match_score, 100), coalesce(h.visit_frequency_score, 100),
        coalesce(h.opportunity_velocity_score, 100), coalesce(h.interaction_depth_score, 100)
    ), 1) AS weakest_score
FROM mart.process_health AS h
WHERE h.scope = 'rep' AND h.as_of = (SELECT max(as_of) FROM mart.process_health)
ORDER BY process_health NULLS LAST, rep_id;
