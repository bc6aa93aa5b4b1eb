-- Where each opportunity stands.
--
-- Grain:       one row per opportunity_id with an opportunity.* event.
-- Inputs:      metric.opportunity_event, metric.opportunity_stage.
-- Parameters:  $end_of_day (Timestamp), $stuck_days (integer).
-- Output:      opportunity_id, owner (rep of the last event that has one), customer_id (likewise),
--              opened_at (instant; first opportunity.opened, else first event), opened_on (its day), stage,
--              stage_rank (null if unknown), stage_changed_at (instant; null if never), closed_at (instant; first
--              won or lost), closed_on (its day), outcome (won, lost; null while open), amount (reporting
--              currency; the last one given), open, stage_age_days (whole days to the end of the as-of day since
--              the last change, else since the opening), stuck (open, and longer than $stuck_days in its stage),
--              cycle_days (days from opening to winning).
-- Time column: opened_at.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH marked AS (
    SELECT
        opportunity_id,
        COALESCE(MIN(position) FILTER (WHERE event_type = 'opportunity.opened'), MIN(position)) AS opened_position,
        MIN(position) FILTER (WHERE event_type IN ('opportunity.won', 'opportunity.lost')) AS closed_position,
        MAX(position) FILTER (WHERE rep_id IS NOT NULL) AS owner_position,
        MAX(position) FILTER (WHERE customer_id IS NOT NULL) AS customer_position,
        MAX(position) FILTER (WHERE amount IS NOT NULL) AS amount_position
    FROM metric.opportunity_event
    GROUP BY opportunity_id
),
gathered AS (
    SELECT
        m.opportunity_id,
        MAX(e.rep_id) FILTER (WHERE e.position = m.owner_position) AS owner,
        MAX(e.customer_id) FILTER (WHERE e.position = m.customer_position) AS customer_id,
        MAX(e.event_time) FILTER (WHERE e.position = m.opened_position) AS opened_at,
        MAX(e.event_date) FILTER (WHERE e.position = m.opened_position) AS opened_on,
        MAX(e.event_time) FILTER (WHERE e.position = m.closed_position) AS closed_at,
        MAX(e.event_date) FILTER (WHERE e.position = m.closed_position) AS closed_on,
        MAX(e.event_type) FILTER (WHERE e.position = m.closed_position) AS closing,
        MAX(e.amount) FILTER (WHERE e.position = m.amount_position) AS amount
    FROM marked AS m
    INNER JOIN metric.opportunity_event AS e ON e.opportunity_id = m.opportunity_id
    GROUP BY m.opportunity_id
),
latest AS (
    SELECT
        opportunity_id, stage, stage_rank, changed_at,
        ROW_NUMBER() OVER (PARTITION BY opportunity_id ORDER BY position DESC) AS place
    FROM metric.opportunity_stage
),
aged AS (
    SELECT
        g.opportunity_id,
        g.owner,
        g.customer_id,
        g.opened_at,
        g.opened_on,
        l.stage,
        l.stage_rank,
        l.changed_at AS stage_changed_at,
        g.closed_at,
        g.closed_on,
        CASE g.closing WHEN 'opportunity.won' THEN 'won' WHEN 'opportunity.lost' THEN 'lost' END AS outcome,
        g.amount,
        g.closed_at IS NULL AS open,
        (CAST($end_of_day AS BIGINT) - CAST(COALESCE(l.changed_at, g.opened_at) AS BIGINT)) / 86400000000
            AS stage_age_days
    FROM gathered AS g
    INNER JOIN latest AS l ON l.opportunity_id = g.opportunity_id AND l.place = 1
)
SELECT
    opportunity_id,
    owner,
    customer_id,
    opened_at,
    opened_on,
    stage,
    stage_rank,
    stage_changed_at,
    closed_at,
    closed_on,
    outcome,
    amount,
    open,
    stage_age_days,
    open AND stage_age_days > $stuck_days AS stuck,
    CASE
        WHEN outcome = 'won' THEN CAST(CAST(closed_at AS BIGINT) - CAST(opened_at AS BIGINT) AS DOUBLE) / 86400000000
    END AS cycle_days
FROM aged
ORDER BY opportunity_id
