-- Forward moves: changes to a later stage before the closing, and winnings that close.
--
-- Grain:       one row per forward move.
-- Inputs:      metric.opportunity, metric.opportunity_event, metric.opportunity_stage.
-- Parameters:  those of its inputs.
-- Output:      opportunity_id, rep_id (of the event, else the opportunity's owner), event_date (day),
--              moved_at (instant), won (the move is the winning).
-- Time column: moved_at; event_date is its day.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- From or to a stage of unknown rank is no move.
WITH closing AS (
    SELECT
        opportunity_id, event_type, rep_id, event_date, event_time,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY position) AS place
    FROM metric.opportunity_event
    WHERE event_type IN ('opportunity.won', 'opportunity.lost')
),
move AS (
    SELECT opportunity_id, rep_id, event_date, changed_at AS moved_at, FALSE AS won
    FROM metric.opportunity_stage
    WHERE stage_rank > previous_rank
    UNION ALL
    SELECT opportunity_id, rep_id, event_date, event_time AS moved_at, TRUE AS won
    FROM closing
    WHERE place = 1 AND event_type = 'opportunity.won'
)
SELECT
    m.opportunity_id,
    COALESCE(m.rep_id, o.rep_id) AS rep_id,
    m.event_date,
    m.moved_at,
    m.won
FROM move AS m
INNER JOIN metric.opportunity AS o ON o.opportunity_id = m.opportunity_id
