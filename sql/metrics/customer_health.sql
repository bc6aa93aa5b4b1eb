-- Customer health, touch density's verdict, orders and lifecycle.
--
-- Grain:       one row per customer in force.
-- Inputs:      metric.customer_in_force, metric.customer_window, metric.customer_order, calendar.day.
-- Parameters:  $as_of, $baseline (Date), $end_of_day, $baseline_end (Timestamp), $touch_weight, $evidence_weight,
--              $overdue_weight, $health_red, $health_amber, $overdue_after_hours, $overdue_days_max, $dense_touches,
--              $new_days (integers), $interval_days, $at_risk_intervals, $lost_intervals (numbers).
-- Output:      customer_id, owner_rep_id, region_id, touches_30d, evidence_30d, effective_touches_30d,
--              evidenced_effective_touches_30d (counts), last_touch (instant, ever; null without one),
--              overdue_days (whole days), customer_health (points), color (red, amber, green), dense,
--              customer_health_before (points, as of 30 days earlier), health_improved, orders_365d (count),
--              order_amount_365d (reporting currency), average_order_value (reporting currency per order),
--              repurchase_interval_days (days), lifecycle_stage (prospect, new, lost, at_risk, growing, mature).
-- Time column: none; as of $as_of.
-- Rerun:       safe, a pure function of inputs and parameters.
--
-- calendar.day need not reach back to every created_on: a day it doesn't have is further back than the cap, or
-- lies after the as-of day and is not overdue. Integer division drops the fraction toward zero, which below zero
-- makes no difference, because zero is the least that counts.
WITH referred AS (
    SELECT
        c.customer_id,
        c.owner_rep_id,
        c.region_id,
        w.touches_30d,
        w.evidence_30d,
        w.effective_touches_30d,
        w.evidenced_effective_touches_30d,
        w.last_touch,
        w.touches_before,
        w.evidence_before,
        CASE
            WHEN w.last_touch IS NOT NULL THEN CAST(w.last_touch AS BIGINT)
            WHEN c.created_on > $as_of THEN CAST($end_of_day AS BIGINT)
            ELSE CAST(d.starts_at AS BIGINT)
        END AS reference_us,
        CASE
            WHEN w.last_touch_before IS NOT NULL THEN CAST(w.last_touch_before AS BIGINT)
            WHEN c.created_on > $baseline THEN CAST($baseline_end AS BIGINT)
            ELSE CAST(d.starts_at AS BIGINT)
        END AS reference_before_us
    FROM metric.customer_in_force AS c
    INNER JOIN metric.customer_window AS w ON w.customer_id = c.customer_id
    LEFT JOIN calendar.day AS d ON d.date = c.created_on
),
overdue AS (
    SELECT
        customer_id,
        owner_rep_id,
        region_id,
        touches_30d,
        evidence_30d,
        effective_touches_30d,
        evidenced_effective_touches_30d,
        last_touch,
        effective_touches_30d >= $dense_touches AND evidenced_effective_touches_30d >= 1 AS dense,
        touches_before,
        evidence_before,
        CASE
            WHEN reference_us IS NULL THEN $overdue_days_max
            ELSE GREATEST(0, LEAST($overdue_days_max,
                (CAST($end_of_day AS BIGINT) - reference_us - $overdue_after_hours * 3600000000) / 86400000000))
        END AS overdue_days,
        CASE
            WHEN reference_before_us IS NULL THEN $overdue_days_max
            ELSE GREATEST(0, LEAST($overdue_days_max,
                (CAST($baseline_end AS BIGINT) - reference_before_us - $overdue_after_hours * 3600000000)
                    / 86400000000))
        END AS overdue_days_before
    FROM referred
),
scored AS (
    SELECT
        customer_id,
        owner_rep_id,
        region_id,
        touches_30d,
        evidence_30d,
        effective_touches_30d,
        evidenced_effective_touches_30d,
        last_touch,
        dense,
        overdue_days,
        $touch_weight * touches_30d + $evidence_weight * evidence_30d - $overdue_weight * overdue_days
            AS customer_health,
        $touch_weight * touches_before + $evidence_weight * evidence_before - $overdue_weight * overdue_days_before
            AS customer_health_before
    FROM overdue
),
paced AS (
    SELECT
        customer_id,
        first_order_on,
        last_order_on,
        orders_365d,
        order_amount_365d,
        order_amount_182d,
        order_amount_before,
        repurchase_interval_days,
        GREATEST(COALESCE(repurchase_interval_days, $interval_days), 1.0) AS pace_days
    FROM metric.customer_order
)
SELECT
    s.customer_id,
    s.owner_rep_id,
    s.region_id,
    s.touches_30d,
    s.evidence_30d,
    s.effective_touches_30d,
    s.evidenced_effective_touches_30d,
    s.last_touch,
    s.overdue_days,
    s.customer_health,
    CASE
        WHEN s.customer_health < $health_red THEN 'red'
        WHEN s.customer_health < $health_amber THEN 'amber'
        ELSE 'green'
    END AS color,
    s.dense,
    s.customer_health_before,
    s.customer_health > s.customer_health_before AS health_improved,
    COALESCE(p.orders_365d, 0) AS orders_365d,
    CAST(COALESCE(p.order_amount_365d, 0) AS DECIMAL(18, 2)) AS order_amount_365d,
    CAST(CAST(p.order_amount_365d * 100 AS BIGINT) AS DOUBLE) / NULLIF(100 * p.orders_365d, 0) AS average_order_value,
    p.repurchase_interval_days,
    CASE
        WHEN p.first_order_on IS NULL THEN 'prospect'
        WHEN $as_of - p.first_order_on < $new_days THEN 'new'
        WHEN $as_of - p.last_order_on > $lost_intervals * p.pace_days THEN 'lost'
        WHEN $as_of - p.last_order_on > $at_risk_intervals * p.pace_days THEN 'at_risk'
        WHEN p.order_amount_182d > p.order_amount_before THEN 'growing'
        ELSE 'mature'
    END AS lifecycle_stage
FROM scored AS s
LEFT JOIN paced AS p ON p.customer_id = s.customer_id
ORDER BY s.customer_id
