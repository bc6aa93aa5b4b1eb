-- Which customers has nobody touched for longest, and who owns them?
SELECT h.customer_id, h.owner_rep_id, h.region_id, h.overdue_days, h.touches_30d, h.lifecycle_stage
FROM mart.customer_health AS h
WHERE h.as_of = (SELECT max(as_of) FROM mart.customer_health) AND h.owner_rep_id IS NOT NULL
ORDER BY h.overdue_days DESC, h.customer_id
LIMIT 10;
