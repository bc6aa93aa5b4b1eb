-- At which stage do leads stop, over all regions and sources?
SELECT
    f.stage, sum(f.entered) AS entered, sum(f.advanced) AS advanced, sum(f.lost) AS lost,
    round(CAST(sum(f.advanced) AS DOUBLE) / nullif(sum(f.entered), 0), 3) AS conversion
FROM mart.lead_funnel AS f
WHERE f.as_of = (SELECT max(as_of) FROM mart.lead_funnel)
GROUP BY f.stage, f.stage_position
ORDER BY f.stage_position;
