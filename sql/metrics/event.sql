-- Behaviour events up to the as-of day, each counted once, with the catalogue's flags beside it.
--
-- Grain:       one row per event_date and event_id.
-- Inputs:      raw.behaviour, catalogue.event.
-- Parameters:  $as_of (Date).
-- Output:      event_date (day, business time zone), event_time (instant), event_id, event_type, channel,
--              rep_id, customer_id, lead_id, opportunity_id, amount (reporting currency),
--              evidence_count (pieces), stage, attribute_region_id, attribute_source (attributes of those keys),
--              touch, effective_touch, follow_up, discovery, solution, accepted, rejected (flags; false for a
--              code the catalogue doesn't have), copies (rows that shared the identity, this one included).
-- Time column: event_time; event_date is its day.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of the copies of an event the smallest by content stays, so that arrival order doesn't matter. Lists of
-- attribute keys and of entries compare element by element; they are built for duplicated events only.
WITH recorded AS (
    SELECT
        event_date, event_time, event_id, event_type, channel, rep_id, customer_id, lead_id, opportunity_id,
        amount, evidence_count, evidence, attributes,
        COUNT(*) OVER (PARTITION BY event_date, event_id) AS copies
    FROM raw.behaviour
    WHERE event_date <= $as_of
),
keyed AS (
    SELECT
        event_date, event_time, event_id, event_type, channel, rep_id, customer_id, lead_id, opportunity_id,
        amount, evidence_count, evidence, copies,
        attributes['stage'] AS stage,
        attributes['region_id'] AS attribute_region_id,
        attributes['source'] AS attribute_source,
        CASE WHEN copies > 1 THEN array_sort(map_keys(attributes)) END AS attribute_keys,
        CASE WHEN copies > 1 THEN array_sort(map_entries(attributes)) END AS attribute_entries
    FROM recorded
),
ranked AS (
    SELECT
        event_date, event_time, event_id, event_type, channel, rep_id, customer_id, lead_id, opportunity_id,
        amount, evidence_count, stage, attribute_region_id, attribute_source, copies,
        ROW_NUMBER() OVER (
            PARTITION BY event_date, event_id
            ORDER BY
                event_time ASC NULLS FIRST,
                event_type ASC NULLS FIRST,
                channel ASC NULLS FIRST,
                rep_id ASC NULLS FIRST,
                customer_id ASC NULLS FIRST,
                lead_id ASC NULLS FIRST,
                opportunity_id ASC NULLS FIRST,
                amount ASC NULLS FIRST,
                evidence_count ASC NULLS FIRST,
                evidence ASC NULLS FIRST,
                attribute_keys ASC NULLS FIRST,
                attribute_entries ASC NULLS FIRST
        ) AS place
    FROM keyed
)
SELECT
    r.event_date,
    r.event_time,
    r.event_id,
    r.event_type,
    r.channel,
    r.rep_id,
    r.customer_id,
    r.lead_id,
    r.opportunity_id,
    r.amount,
    r.evidence_count,
    r.stage,
    r.attribute_region_id,
    r.attribute_source,
    COALESCE(c.touch, FALSE) AS touch,
    COALESCE(c.effective_touch, FALSE) AS effective_touch,
    COALESCE(c.follow_up, FALSE) AS follow_up,
    COALESCE(c.discovery, FALSE) AS discovery,
    COALESCE(c.solution, FALSE) AS solution,
    COALESCE(c.accepted, FALSE) AS accepted,
    COALESCE(c.rejected, FALSE) AS rejected,
    r.copies
FROM ranked AS r
LEFT JOIN catalogue.event AS c ON c.code = r.event_type
WHERE r.place = 1
