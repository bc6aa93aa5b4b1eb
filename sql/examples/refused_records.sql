-- Which records were refused, where, and why?
SELECT d.stream, d.field, d.reason, count(*) AS records
FROM raw.dead_letter AS d
GROUP BY d.stream, d.field, d.reason
ORDER BY records DESC, d.stream, d.reason, d.field;
