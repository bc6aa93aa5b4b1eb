-- Which share of its customers does each region serve densely, beside the company?
SELECT
    d.scope_id AS region_id, r.name, d.dense_customers, d.customers, round(d.touch_density, 4) AS touch_density,
    round(d.touch_density - c.touch_density, 4) AS against_company
FROM mart.touch_density AS d
JOIN mart.touch_density AS c ON c.as_of = d.as_of AND c.scope = 'company'
LEFT JOIN crm.region AS r ON r.region_id = d.scope_id
WHERE d.scope = 'region' AND d.as_of = (SELECT max(as_of) FROM mart.touch_density)
ORDER BY touch_density DESC NULLS LAST, region_id;
