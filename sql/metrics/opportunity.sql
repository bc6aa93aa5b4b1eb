-- Where each opportunity stands.
--
-- Grain:       one row per opportunity_id with an opportunity.* event.
-- Inputs:      metric.opportunity_event, metric.opportunity_stage, config.stage.
-- Parameters:  $end_of_day (Timestamp), $stuck_days (integer).
-- Output:      opportunity_id, rep_id (the owner: the rep of the last event that has one), customer_id, lead_id
--              (likewise), opened_at (instant; first opportunity.opened, else first event), opened_on (its day),
--              stage, stage_rank (null if unknown), stage_changed_at (instant; the opening's if it never changed),
--              closed_at (instant; first won or lost), closed_on (its day), outcome (won, lost; null while open),
--              amount (reporting currency; the last one given), open, stage_age_days (whole days from
--              stage_changed_at to the end of the as-of day, for closed ones too), stuck (open, and longer in its
--              stage than that allows, else than $stuck_days), cycle_days (days from opening to winning).
-- Time column: opened_at.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH marked AS (
    SELECT
        opportunity_id,
        COALESCE(MIN(position) FILTER (WHERE event_type = 'opportunity.opened'), MIN(position)) AS opened_position,
        MIN(position) FILTER (WHERE event_type IN ('opportunity.won', 'opportunity.lost')) AS closed_position,
        MAX(position) FILTER (WHERE rep_id IS NOT NULL) AS owner_position,
        MAX(position) FILTER (WHERE customer_id IS NOT NULL) AS customer_position,
        MAX(position) FILTER (WHERE lead_id IS NOT NULL) AS lead_position,
        MAX(position) FILTER (WHERE amount IS NOT NULL) AS amount_position
    FROM metric.opportunity_event
    GROUP BY opportunity_id
),
gathered AS (
    SELECT
        m.opportunity_id,
        MAX(e.rep_id) FILTER (WHERE e.position = m.owner_position) AS rep_id,
        MAX(e.customer_id) FILTER (WHERE e.position = m.customer_position) AS customer_id,
        MAX(e.lead_id) FILTER (WHERE e.position = m.lead_position) AS lead_id,
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
patience AS (
    SELECT rank, MAX(stuck_days) AS stuck_days
    FROM config.stage
    GROUP BY rank
),
aged AS (
    SELECT
        g.opportunity_id,
        g.rep_id,
        g.customer_id,
        g.lead_id,
        g.opened_at,
        g.opened_on,
        l.stage,
        l.stage_rank,
        COALESCE(l.changed_at, g.opened_at) AS stage_changed_at,
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
    a.opportunity_id,
    a.rep_id,
    a.customer_id,
    a.lead_id,
    a.opened_at,
    a.opened_on,
    a.stage,
    a.stage_rank,
    a.stage_changed_at,
    a.closed_at,
    a.closed_on,
    a.outcome,
    a.amount,
    a.open,
    a.stage_age_days,
    a.open AND a.stage_age_days > COALESCE(p.stuck_days, $stuck_days) AS stuck,
    CASE
        WHEN a.outcome = 'won'
            THEN CAST(CAST(a.closed_at AS BIGINT) - CAST(a.opened_at AS BIGINT) AS DOUBLE) / 86400000000
    END AS cycle_days
FROM aged AS a
LEFT JOIN patience AS p ON p.rank = a.stage_rank
ORDER BY a.opportunity_id
