-- What happened on each channel, day by day, copies counted once?
SELECT
    b.event_date,
    b.channel,
    count(DISTINCT b.event_id) AS events,
    count(DISTINCT b.event_id) FILTER (WHERE e.touch) AS touches,
    count(DISTINCT b.event_id) FILTER (WHERE e.effective_touch) AS effective_touches
FROM raw.behaviour AS b
JOIN catalogue.event AS e ON e.code = b.event_type
WHERE b.event_date >= DATE '2026-01-05'
GROUP BY b.event_date, b.channel
ORDER BY b.event_date, events DESC, b.channel;
