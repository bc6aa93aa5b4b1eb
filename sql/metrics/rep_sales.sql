-- The counts and sums that a rep's sales measures are made of.
--
-- Grain:       one row per rep in force.
-- Inputs:      metric.rep_in_force, metric.rep_day, metric.opportunity.
-- Parameters:  $as_of, $month_start, $month_before_start, $month_before_end, $window_start, $window_90d_start,
--              $window_365d_start (Date).
-- Output:      rep_id, deals_signed (count, in the as-of day's month), amount_signed (reporting currency, likewise),
--              on_duty (0 or 1), amount_signed_before and on_duty_before (the same in the month before, up to the
--              same day of it, or its last), effective_visits_30d, opportunities_opened_30d (by owner),
--              quotes_accepted_90d, quotes_rejected_90d (counts), first_deal_days (days from hired_on to the first
--              deal ever; null unless hired in the last 365 days and a deal was signed).
-- Time column: none; as of $as_of.
-- Rerun:       safe, a pure function of inputs and parameters.
WITH act AS (
    SELECT
        rep_id,
        SUM(deals_signed) FILTER (WHERE event_date BETWEEN $month_start AND $as_of) AS deals_signed,
        SUM(amount_signed) FILTER (WHERE event_date BETWEEN $month_start AND $as_of) AS amount_signed,
        SUM(amount_signed) FILTER (WHERE event_date BETWEEN $month_before_start AND $month_before_end)
            AS amount_signed_before,
        SUM(effective_visits) FILTER (WHERE event_date BETWEEN $window_start AND $as_of) AS effective_visits_30d,
        SUM(quotes_accepted) FILTER (WHERE event_date BETWEEN $window_90d_start AND $as_of) AS quotes_accepted_90d,
        SUM(quotes_rejected) FILTER (WHERE event_date BETWEEN $window_90d_start AND $as_of) AS quotes_rejected_90d,
        MIN(event_date) FILTER (WHERE deals_signed > 0) AS first_deal_on
    FROM metric.rep_day
    GROUP BY rep_id
),
opened AS (
    SELECT rep_id, COUNT(*) AS opportunities_opened_30d
    FROM metric.opportunity
    WHERE opened_on BETWEEN $window_start AND $as_of
    GROUP BY rep_id
)
SELECT
    r.rep_id,
    COALESCE(a.deals_signed, 0) AS deals_signed,
    CAST(COALESCE(a.amount_signed, 0) AS DECIMAL(18, 2)) AS amount_signed,
    CASE
        WHEN COALESCE(lower(r.status), '') NOT IN ('left', 'inactive')
            AND (r.hired_on IS NULL OR r.hired_on <= $as_of)
            AND (r.left_on IS NULL OR r.left_on > $as_of) THEN 1
        ELSE 0
    END AS on_duty,
    CAST(COALESCE(a.amount_signed_before, 0) AS DECIMAL(18, 2)) AS amount_signed_before,
    CASE
        WHEN COALESCE(lower(r.status), '') NOT IN ('left', 'inactive')
            AND (r.hired_on IS NULL OR r.hired_on <= $month_before_end)
            AND (r.left_on IS NULL OR r.left_on > $month_before_end) THEN 1
        ELSE 0
    END AS on_duty_before,
    COALESCE(a.effective_visits_30d, 0) AS effective_visits_30d,
    COALESCE(o.opportunities_opened_30d, 0) AS opportunities_opened_30d,
    COALESCE(a.quotes_accepted_90d, 0) AS quotes_accepted_90d,
    COALESCE(a.quotes_rejected_90d, 0) AS quotes_rejected_90d,
    CASE WHEN r.hired_on BETWEEN $window_365d_start AND $as_of THEN a.first_deal_on - r.hired_on END AS first_deal_days
FROM metric.rep_in_force AS r
LEFT JOIN act AS a ON a.rep_id = r.rep_id
LEFT JOIN opened AS o ON o.rep_id = r.rep_id
