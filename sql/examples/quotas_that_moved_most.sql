-- Whose quota moved most since the day before, and by how many percent?
SELECT
    q.rep_id, q.previous_as_of, q.previous_quota, q.quota, q.quota - q.previous_quota AS moved,
    round(100.0 * CAST(q.quota - q.previous_quota AS DOUBLE) / CAST(q.previous_quota AS DOUBLE), 2) AS percent
FROM mart.quota AS q
WHERE q.as_of = (SELECT max(as_of) FROM mart.quota) AND q.previous_quota IS NOT NULL
ORDER BY abs(q.quota - q.previous_quota) DESC, q.rep_id
LIMIT 5;
