-- How much is in the pipeline at each stage, and how old is it?
SELECT
    coalesce(o.stage, 'unknown') AS stage,
    count(*) AS opportunities,
    coalesce(sum(o.amount), 0) AS amount,
    count(*) FILTER (WHERE o.stuck) AS stuck,
    max(o.stage_age_days) AS oldest_days
FROM mart.opportunity AS o
WHERE o.as_of = (SELECT max(as_of) FROM mart.opportunity) AND o.open
GROUP BY o.stage, o.stage_rank
ORDER BY o.stage_rank NULLS LAST, stage;
