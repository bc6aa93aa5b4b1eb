-- The stages an opportunity went through: the one it opened in, then each change up to its closing.
--
-- Grain:       one row per opportunity_id and stage event; the opening is position 0, known or not.
-- Inputs:      metric.opportunity_event, config.stage.
-- Parameters:  $first_stage (string).
-- Output:      opportunity_id, position (of the event; 0 for the opening), stage (as given), stage_rank (from 0; null
--              if unknown), previous_rank (that of the stage before; null for the opening or if unknown),
--              changed_at (instant; null for the opening), event_date (day), rep_id (of the event).
-- Time column: changed_at.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- The rank of a stage is that of its name in the configured list (trimmed, in lower case, spaces and hyphens as
-- underscores), else the first number in the name, else unknown. A stage_changed that names no stage changes nothing.
WITH opening AS (
    SELECT
        opportunity_id,
        MIN(position) FILTER (WHERE event_type = 'opportunity.opened') AS opened_position,
        MIN(position) FILTER (WHERE event_type IN ('opportunity.won', 'opportunity.lost')) AS closed_position
    FROM metric.opportunity_event
    GROUP BY opportunity_id
),
step AS (
    SELECT e.opportunity_id, e.position, e.stage, e.event_time AS changed_at, e.event_date, e.rep_id
    FROM metric.opportunity_event AS e
    INNER JOIN opening AS o ON o.opportunity_id = e.opportunity_id
    WHERE e.event_type = 'opportunity.stage_changed'
        AND e.stage IS NOT NULL
        AND (o.closed_position IS NULL OR e.position < o.closed_position)
    UNION ALL
    SELECT
        o.opportunity_id,
        0 AS position,
        COALESCE(e.stage, $first_stage) AS stage,
        NULL AS changed_at,
        NULL AS event_date,
        NULL AS rep_id
    FROM opening AS o
    LEFT JOIN metric.opportunity_event AS e
        ON e.opportunity_id = o.opportunity_id AND e.position = o.opened_position
),
named AS (
    SELECT
        opportunity_id,
        position,
        stage,
        replace(replace(lower(trim(stage)), ' ', '_'), '-', '_') AS name,
        changed_at,
        event_date,
        rep_id
    FROM step
),
ranked AS (
    SELECT
        n.opportunity_id,
        n.position,
        n.stage,
        COALESCE(c.rank, TRY_CAST(regexp_match(n.name, '[0-9]+')[1] AS BIGINT)) AS stage_rank,
        n.changed_at,
        n.event_date,
        n.rep_id
    FROM named AS n
    LEFT JOIN config.stage AS c ON c.name = n.name
)
SELECT
    opportunity_id,
    position,
    stage,
    stage_rank,
    LAG(stage_rank) OVER (PARTITION BY opportunity_id ORDER BY position) AS previous_rank,
    changed_at,
    event_date,
    rep_id
FROM ranked
