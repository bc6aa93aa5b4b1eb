-- The life of each lead: when it was created, given, answered, qualified, converted, ended.
--
-- Grain:       one row per lead_id with a lead.created.
-- Inputs:      metric.event, metric.rep_in_force.
-- Parameters:  those of its inputs.
-- Output:      lead_id, region_id (the creation's attribute, else the assignee's region), source (the creation's
--              attribute), created_at (instant), created_on (its day), created_attributes (all of the creation's,
--              text → text), assignee (rep of the last lead.assigned that names one), answered_at (first lead.responded, or touch of the lead by its assignee), qualified_at,
--              converted_at, disqualified_at, lost_at (first event of that kind), followed_at (first effective
--              touch, by anybody): instants at or after created_at, null where it didn't happen.
-- Time column: created_at.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- What lies before the creation is not part of the life, except that it may say who the assignee is.
WITH created AS (
    SELECT
        lead_id, event_time, event_date, attribute_region_id, attribute_source, attributes,
        ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY event_time, event_id) AS place
    FROM metric.event
    WHERE event_type = 'lead.created' AND lead_id IS NOT NULL
),
assigned AS (
    SELECT
        lead_id, rep_id,
        ROW_NUMBER() OVER (PARTITION BY lead_id ORDER BY event_time DESC, event_id DESC) AS place
    FROM metric.event
    WHERE event_type = 'lead.assigned' AND lead_id IS NOT NULL AND rep_id IS NOT NULL
),
lead AS (
    SELECT
        c.lead_id,
        c.event_time AS created_at,
        c.event_date AS created_on,
        c.attribute_region_id,
        c.attribute_source,
        c.attributes,
        a.rep_id AS assignee
    FROM created AS c
    LEFT JOIN assigned AS a ON a.lead_id = c.lead_id AND a.place = 1
    WHERE c.place = 1
),
lived AS (
    SELECT
        l.lead_id,
        MIN(e.event_time) FILTER (WHERE e.event_type = 'lead.responded' OR (e.touch AND e.rep_id = l.assignee))
            AS answered_at,
        MIN(e.event_time) FILTER (WHERE e.event_type = 'lead.qualified') AS qualified_at,
        MIN(e.event_time) FILTER (WHERE e.event_type = 'lead.converted') AS converted_at,
        MIN(e.event_time) FILTER (WHERE e.event_type = 'lead.disqualified') AS disqualified_at,
        MIN(e.event_time) FILTER (WHERE e.event_type = 'lead.lost') AS lost_at,
        MIN(e.event_time) FILTER (WHERE e.effective_touch) AS followed_at
    FROM lead AS l
    INNER JOIN metric.event AS e ON e.lead_id = l.lead_id
    WHERE e.event_time >= l.created_at
    GROUP BY l.lead_id
)
SELECT
    l.lead_id,
    COALESCE(l.attribute_region_id, r.region_id) AS region_id,
    l.attribute_source AS source,
    l.created_at,
    l.created_on,
    l.attributes AS created_attributes,
    l.assignee,
    v.answered_at,
    v.qualified_at,
    v.converted_at,
    v.disqualified_at,
    v.lost_at,
    v.followed_at
FROM lead AS l
LEFT JOIN lived AS v ON v.lead_id = l.lead_id
LEFT JOIN metric.rep_in_force AS r ON r.rep_id = l.assignee
