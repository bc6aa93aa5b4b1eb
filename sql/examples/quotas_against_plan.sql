-- Do the quotas of each region add up to its plan, and what had to give way?
SELECT p.region_id, p.period, p.reps, p.quota_total, p.plan, p.difference, p.relaxed
FROM mart.quota_plan AS p
WHERE p.as_of = (SELECT max(as_of) FROM mart.quota_plan)
ORDER BY p.region_id;
