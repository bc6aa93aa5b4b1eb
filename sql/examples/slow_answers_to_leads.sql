-- Who answers leads late? Leads that came in, answered ones, and how fast.
SELECT
    coalesce(l.rep_id, 'nobody') AS rep_id,
    count(*) AS leads,
    count(l.answered_at) AS answered,
    count(*) FILTER (WHERE l.sla_met) AS in_time,
    count(*) FILTER (WHERE l.escalated) AS escalated,
    round(avg(l.response_seconds) / 60, 1) AS minutes_mean
FROM mart.lead AS l
WHERE l.as_of = (SELECT max(as_of) FROM mart.lead)
GROUP BY 1
ORDER BY escalated DESC, rep_id;
