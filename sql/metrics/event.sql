-- Behaviour events up to the as-of day, each counted once, with the catalogue's flags beside it.
--
-- Grain:       one row per event_date and event_id whose event_type the catalogue knows.
-- Inputs:      raw.behaviour, catalogue.event.
-- Parameters:  $as_of (Date).
-- Output:      event_date (day, business time zone), event_time (instant), event_id, event_type, channel,
--              rep_id, customer_id, lead_id, opportunity_id, amount (reporting currency),
--              evidence_count (pieces), stage, attribute_region_id, attribute_source (attributes of those keys),
--              attributes (all, text → text), touch, effective_touch, follow_up, discovery, solution, accepted, rejected (flags), copies (rows
--              that shared the identity, this one included).
-- Time column: event_time; event_date is its day.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- Of the copies of an event the smallest by content stays, so that arrival order doesn't matter: nulls first, texts
-- by bytes, attributes by their keys, joined, then by their values; the lake keeps a map's keys in ascending order.
WITH repeated AS (
    SELECT event_date, event_id, COUNT(*) AS copies
    FROM raw.behaviour
    WHERE event_date <= $as_of
    GROUP BY event_date, event_id
    HAVING COUNT(*) > 1
),
ranked AS (
    SELECT
        b.event_date, b.event_time, b.event_id, b.event_type, b.channel, b.rep_id, b.customer_id, b.lead_id,
        b.opportunity_id, b.amount, b.evidence_count,
        b.attributes['stage'] AS stage,
        b.attributes['region_id'] AS attribute_region_id,
        b.attributes['source'] AS attribute_source,
        b.attributes,
        r.copies,
        ROW_NUMBER() OVER (
            PARTITION BY b.event_date, b.event_id
            ORDER BY
                b.event_time ASC NULLS FIRST,
                b.event_type ASC NULLS FIRST,
                b.channel ASC NULLS FIRST,
                b.rep_id ASC NULLS FIRST,
                b.customer_id ASC NULLS FIRST,
                b.lead_id ASC NULLS FIRST,
                b.opportunity_id ASC NULLS FIRST,
                b.amount ASC NULLS FIRST,
                b.evidence_count ASC NULLS FIRST,
                b.evidence ASC NULLS FIRST,
                array_to_string(map_keys(b.attributes), ',', '') ASC NULLS FIRST,
                array_to_string(map_values(b.attributes), ',', '') ASC NULLS FIRST
        ) AS place
    FROM raw.behaviour AS b
    INNER JOIN repeated AS r ON r.event_date = b.event_date AND r.event_id = b.event_id
    WHERE b.event_date <= $as_of
),
kept AS (
    SELECT
        b.event_date, b.event_time, b.event_id, b.event_type, b.channel, b.rep_id, b.customer_id, b.lead_id,
        b.opportunity_id, b.amount, b.evidence_count,
        b.attributes['stage'] AS stage,
        b.attributes['region_id'] AS attribute_region_id,
        b.attributes['source'] AS attribute_source,
        b.attributes,
        1 AS copies
    FROM raw.behaviour AS b
    WHERE b.event_date <= $as_of
        AND NOT EXISTS (
            SELECT 1 FROM repeated AS r WHERE r.event_date = b.event_date AND r.event_id = b.event_id
        )
    UNION ALL
    SELECT
        event_date, event_time, event_id, event_type, channel, rep_id, customer_id, lead_id,
        opportunity_id, amount, evidence_count, stage, attribute_region_id, attribute_source, attributes, copies
    FROM ranked
    WHERE place = 1
)
SELECT
    k.event_date,
    k.event_time,
    k.event_id,
    k.event_type,
    k.channel,
    k.rep_id,
    k.customer_id,
    k.lead_id,
    k.opportunity_id,
    k.amount,
    k.evidence_count,
    k.stage,
    k.attribute_region_id,
    k.attribute_source,
    k.attributes,
    c.touch,
    c.effective_touch,
    c.follow_up,
    c.discovery,
    c.solution,
    c.accepted,
    c.rejected,
    k.copies
FROM kept AS k
INNER JOIN catalogue.event AS c ON c.code = k.event_type
