-- Which customers would leave red with one touch more, with evidence? (Seven points.)
SELECT h.customer_id, h.owner_rep_id, h.customer_health, h.color, health_color(h.customer_health + 7) AS then_color
FROM mart.customer_health AS h
WHERE
    h.as_of = (SELECT max(as_of) FROM mart.customer_health)
    AND h.color = 'red'
    AND health_color(h.customer_health + 7) <> 'red'
ORDER BY h.customer_health DESC, h.customer_id
LIMIT 10;
