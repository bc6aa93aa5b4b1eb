-- Which rep is strongest in which skill, among those who show it at all?
WITH ranked AS (
    SELECT
        c.skill, c.rep_id, c.numerator, c.denominator, c.score,
        row_number() OVER (PARTITION BY c.skill ORDER BY c.score DESC, c.rep_id) AS place
    FROM mart.capability AS c
    WHERE c.as_of = (SELECT max(as_of) FROM mart.capability) AND c.score IS NOT NULL
)
SELECT skill, rep_id, numerator, denominator, round(score, 1) AS score
FROM ranked
WHERE place = 1
ORDER BY skill;
