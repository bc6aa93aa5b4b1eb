-- What a rep did on a day.
--
-- Grain:       one row per event_date and rep_id with an event that day.
-- Inputs:      metric.event.
-- Parameters:  those of its inputs.
-- Output:      event_date (day), rep_id; counts: events, touches, evidence (pieces, of touches),
--              effective_touches, follow_ups, visit_touches (touches on the channels visit and meeting),
--              effective_visits (effective touches on those), discovery, solutions, accepted, rejected, quotes_sent, quotes_accepted, quotes_rejected, deals_signed, orders;
--              amount_signed, order_amount (reporting currency).
-- Time column: event_date.
-- Rerun:       safe, a pure function of inputs and parameters.
SELECT
    event_date,
    rep_id,
    COUNT(*) AS events,
    COUNT(*) FILTER (WHERE touch) AS touches,
    COALESCE(SUM(CAST(evidence_count AS BIGINT)) FILTER (WHERE touch), 0) AS evidence,
    COUNT(*) FILTER (WHERE effective_touch) AS effective_touches,
    COUNT(*) FILTER (WHERE follow_up) AS follow_ups,
    COUNT(*) FILTER (WHERE touch AND channel IN ('visit', 'meeting')) AS visit_touches,
    COUNT(*) FILTER (WHERE effective_touch AND channel IN ('visit', 'meeting')) AS effective_visits,
    COUNT(*) FILTER (WHERE discovery) AS discovery,
    COUNT(*) FILTER (WHERE solution) AS solutions,
    COUNT(*) FILTER (WHERE accepted) AS accepted,
    COUNT(*) FILTER (WHERE rejected) AS rejected,
    COUNT(*) FILTER (WHERE event_type = 'quote.sent') AS quotes_sent,
    COUNT(*) FILTER (WHERE event_type = 'quote.accepted') AS quotes_accepted,
    COUNT(*) FILTER (WHERE event_type = 'quote.rejected') AS quotes_rejected,
    COUNT(*) FILTER (WHERE event_type = 'deal.signed') AS deals_signed,
    CAST(COALESCE(SUM(amount) FILTER (WHERE event_type = 'deal.signed'), 0) AS DECIMAL(18, 2)) AS amount_signed,
    COUNT(*) FILTER (WHERE event_type = 'order.placed') AS orders,
    CAST(COALESCE(SUM(amount) FILTER (WHERE event_type = 'order.placed'), 0) AS DECIMAL(18, 2)) AS order_amount
FROM metric.event
WHERE rep_id IS NOT NULL
GROUP BY event_date, rep_id
