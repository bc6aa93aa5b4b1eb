-- How many customers of each rep are red, amber and green?
SELECT
    h.owner_rep_id AS rep_id,
    count(*) AS customers,
    count(*) FILTER (WHERE h.color = 'red') AS red,
    count(*) FILTER (WHERE h.color = 'amber') AS amber,
    count(*) FILTER (WHERE h.color = 'green') AS green
FROM mart.customer_health AS h
WHERE h.as_of = (SELECT max(as_of) FROM mart.customer_health) AND h.owner_rep_id IS NOT NULL
GROUP BY h.owner_rep_id
ORDER BY red DESC, rep_id;
