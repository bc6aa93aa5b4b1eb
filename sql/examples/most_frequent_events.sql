-- Which events are most frequent, and what are they called?
SELECT b.event_type, e.name_en, e.name_zh, count(DISTINCT b.event_id) AS events
FROM raw.behaviour AS b
JOIN catalogue.event AS e ON e.code = b.event_type
GROUP BY b.event_type, e.name_en, e.name_zh
ORDER BY events DESC, b.event_type
LIMIT 10;
