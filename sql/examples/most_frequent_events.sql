-- Which events are most frequent, and what are they called?
WITH counted AS (
    SELECT event_type, count(DISTINCT event_id) AS events FROM raw.behaviour GROUP BY event_type
)
SELECT c.event_type, e.name_en, e.name_zh, c.events
FROM counted AS c
JOIN catalogue.event AS e ON e.code = c.event_type
ORDER BY events DESC, c.event_type
LIMIT 10;
