-- Which sources bring leads that are worth something?
SELECT
    l.source,
    count(*) AS leads,
    round(avg(l.completeness), 3) AS completeness,
    round(avg(l.activity), 3) AS activity,
    count(*) FILTER (WHERE l.mql) AS mql,
    count(*) FILTER (WHERE l.stage = 'converted') AS converted
FROM mart.lead AS l
WHERE l.as_of = (SELECT max(as_of) FROM mart.lead)
GROUP BY l.source
ORDER BY leads DESC, l.source;
