-- What does each rep owe, how much of it is signed, and how probable is it to be reached?
SELECT q.rep_id, q.region_id, q.period, q.attained, q.quota, round(q.p_attain, 3) AS p_attain, q.bound
FROM mart.quota AS q
WHERE q.as_of = (SELECT max(as_of) FROM mart.quota)
ORDER BY q.quota DESC, q.rep_id
LIMIT 10;
