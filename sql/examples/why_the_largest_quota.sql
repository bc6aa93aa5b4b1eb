-- Why is the largest quota what it is? The terms add up to it, to the cent.
WITH largest AS (
    SELECT rep_id, period, as_of, quota
    FROM mart.quota
    WHERE as_of = (SELECT max(as_of) FROM mart.quota)
    ORDER BY quota DESC, rep_id
    LIMIT 1
)
SELECT e.position, e.term, e.amount, sum(e.amount) OVER (ORDER BY e.position) AS so_far, l.quota
FROM largest AS l
JOIN mart.quota_explanation AS e ON e.rep_id = l.rep_id AND e.period = l.period AND e.as_of = l.as_of
WHERE e.kind = 'level' AND e.amount <> 0
ORDER BY e.position;
