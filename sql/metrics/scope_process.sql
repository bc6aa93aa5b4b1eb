-- The counts that the process-health components of a scope are made of: the sums over its reps.
--
-- Grain:       one row per scope and scope_id.
-- Inputs:      metric.scope, metric.scope_rep, metric.rep_process.
-- Parameters:  those of its inputs.
-- Output:      scope (rep, manager, region, company), scope_id; the counts of metric.rep_process, zeros for a scope
--              without reps (working_days are a day for each rep).
-- Time column: none; as of the day of its inputs.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH summed AS (
    SELECT
        m.scope,
        m.scope_id,
        SUM(p.leads_timely) AS leads_timely,
        SUM(p.leads_due) AS leads_due,
        SUM(p.discovery) AS discovery,
        SUM(p.opportunities_in_window) AS opportunities_in_window,
        SUM(p.accepted) AS accepted,
        SUM(p.rejected) AS rejected,
        SUM(p.visit_touches) AS visit_touches,
        SUM(p.working_days) AS working_days,
        SUM(p.forward_moves) AS forward_moves,
        SUM(p.touches) AS touches,
        SUM(p.effective_touches) AS effective_touches,
        SUM(p.customers) AS customers,
        SUM(p.customers_touched) AS customers_touched
    FROM metric.scope_rep AS m
    INNER JOIN metric.rep_process AS p ON p.rep_id = m.rep_id
    GROUP BY m.scope, m.scope_id
)
SELECT
    s.scope,
    s.scope_id,
    COALESCE(t.leads_timely, 0) AS leads_timely,
    COALESCE(t.leads_due, 0) AS leads_due,
    COALESCE(t.discovery, 0) AS discovery,
    COALESCE(t.opportunities_in_window, 0) AS opportunities_in_window,
    COALESCE(t.accepted, 0) AS accepted,
    COALESCE(t.rejected, 0) AS rejected,
    COALESCE(t.visit_touches, 0) AS visit_touches,
    COALESCE(t.working_days, 0) AS working_days,
    COALESCE(t.forward_moves, 0) AS forward_moves,
    COALESCE(t.touches, 0) AS touches,
    COALESCE(t.effective_touches, 0) AS effective_touches,
    COALESCE(t.customers, 0) AS customers,
    COALESCE(t.customers_touched, 0) AS customers_touched
FROM metric.scope AS s
LEFT JOIN summed AS t ON t.scope = s.scope AND t.scope_id = s.scope_id
