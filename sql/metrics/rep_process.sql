-- The counts that the process-health components of a rep are made of, over the last 30 days.
--
-- Grain:       one row per rep in force.
-- Inputs:      metric.rep_in_force, metric.rep_day, metric.lead, metric.opportunity, metric.stage_move,
--              metric.customer_in_force, metric.customer_window, metric.working_day.
-- Parameters:  $as_of, $window_start (Date), $window_start_at, $end_of_day (Timestamp).
-- Output:      rep_id; counts: leads_timely, leads_due, discovery, opportunities_in_window, accepted, rejected,
--              visit_touches, working_days, forward_moves, touches, effective_touches, customers (owned as of the
--              day), customers_touched (of those, by anybody).
-- Time column: none; as of $as_of.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH lead_count AS (
    SELECT rep_id, COUNT(*) FILTER (WHERE sla_met) AS leads_timely, COUNT(sla_met) AS leads_due
    FROM metric.lead
    GROUP BY rep_id
),
act AS (
    SELECT
        rep_id,
        SUM(discovery) AS discovery,
        SUM(accepted) AS accepted,
        SUM(rejected) AS rejected,
        SUM(visit_touches) AS visit_touches,
        SUM(touches) AS touches,
        SUM(effective_touches) AS effective_touches
    FROM metric.rep_day
    WHERE event_date BETWEEN $window_start AND $as_of
    GROUP BY rep_id
),
pipeline AS (
    SELECT rep_id, COUNT(*) AS opportunities_in_window
    FROM metric.opportunity
    WHERE opened_at < $end_of_day AND (closed_at IS NULL OR closed_at >= $window_start_at)
    GROUP BY rep_id
),
moved AS (
    SELECT rep_id, COUNT(*) AS forward_moves
    FROM metric.stage_move
    WHERE event_date BETWEEN $window_start AND $as_of
    GROUP BY rep_id
),
portfolio AS (
    SELECT
        c.owner_rep_id AS rep_id,
        COUNT(*) AS customers,
        COUNT(*) FILTER (WHERE w.touches_30d > 0) AS customers_touched
    FROM metric.customer_in_force AS c
    INNER JOIN metric.customer_window AS w ON w.customer_id = c.customer_id
    GROUP BY c.owner_rep_id
),
working AS (
    SELECT COUNT(*) FILTER (WHERE is_working_day) AS working_days
    FROM metric.working_day
    WHERE date BETWEEN $window_start AND $as_of
)
SELECT
    r.rep_id,
    COALESCE(l.leads_timely, 0) AS leads_timely,
    COALESCE(l.leads_due, 0) AS leads_due,
    COALESCE(a.discovery, 0) AS discovery,
    COALESCE(o.opportunities_in_window, 0) AS opportunities_in_window,
    COALESCE(a.accepted, 0) AS accepted,
    COALESCE(a.rejected, 0) AS rejected,
    COALESCE(a.visit_touches, 0) AS visit_touches,
    d.working_days,
    COALESCE(m.forward_moves, 0) AS forward_moves,
    COALESCE(a.touches, 0) AS touches,
    COALESCE(a.effective_touches, 0) AS effective_touches,
    COALESCE(p.customers, 0) AS customers,
    COALESCE(p.customers_touched, 0) AS customers_touched
FROM metric.rep_in_force AS r
CROSS JOIN working AS d
LEFT JOIN lead_count AS l ON l.rep_id = r.rep_id
LEFT JOIN act AS a ON a.rep_id = r.rep_id
LEFT JOIN pipeline AS o ON o.rep_id = r.rep_id
LEFT JOIN moved AS m ON m.rep_id = r.rep_id
LEFT JOIN portfolio AS p ON p.rep_id = r.rep_id
