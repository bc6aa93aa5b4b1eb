//! The declarations of the published tables: METRICS.md, section 7, and the columns added to it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};

use super::{
    BY_RUN, Spec, cash, flag, int, long, maybe_cash, maybe_date, maybe_flag, maybe_text, maybe_time, ratio,
    text,
};
use crate::measure::COMPONENTS;

pub(super) fn specs() -> Vec<Spec> {
    let mut specs = vec![
        mart("mart.customer_health", customer_health()),
        mart(
            "mart.touch_density",
            [scope(), vec![long("customers"), long("dense_customers"), ratio("touch_density")]].concat(),
        ),
        mart("mart.process_health", process_health()),
        mart(
            "mart.health_improvement",
            [scope(), vec![long("customers"), long("improved"), ratio("health_improvement_rate")]].concat(),
        ),
        mart("mart.lead", lead()),
        mart("mart.opportunity", opportunity()),
        mart("mart.lead_funnel", funnel()),
        mart(
            "mart.lead_conversion",
            [
                scope(),
                vec![
                    text("iso_week"),
                    long("effective_leads"),
                    long("converted"),
                    ratio("effective_lead_conversion"),
                    maybe_text("color"),
                ],
            ]
            .concat(),
        ),
        mart("mart.sales_measure", sales_measure()),
        mart(
            "mart.capability",
            vec![
                text("rep_id"),
                text("skill"),
                int("position"),
                long("numerator"),
                long("denominator"),
                ratio("value"),
                ratio("score"),
                long("peers"),
            ],
        ),
        mart("mart.derived_event", derived_event()),
        mart(
            "mart.alert",
            vec![
                text("rule"),
                text("severity"),
                text("scope"),
                text("scope_id"),
                maybe_text("entity_id"),
                maybe_time("since"),
                text("message"),
                text("evidence"),
            ],
        ),
    ];
    specs.extend(quota());
    specs.push(mart("mart.elasticity", elasticity()));
    specs.push(mart("mart.fairness", fairness()));
    specs.push(mart("mart.rep_measure", crate::rule::fields()));
    specs.push(mart("mart.quota_rule", quota_rule()));
    specs.push(mart("mart.quota_adjustment", quota_adjustment()));
    specs.push(mart("mart.lead_score", lead_score()));
    specs.push(mart("mart.lead_route", lead_route()));
    specs
}

fn mart(name: &'static str, fields: Vec<Field>) -> Spec {
    Spec::new(name, BY_RUN, fields)
}

fn scope() -> Vec<Field> {
    vec![text("scope"), text("scope_id")]
}

fn customer_health() -> Vec<Field> {
    vec![
        text("customer_id"),
        maybe_text("owner_rep_id"),
        maybe_text("region_id"),
        long("touches_30d"),
        long("evidence_30d"),
        long("effective_touches_30d"),
        long("evidenced_effective_touches_30d"),
        maybe_time("last_touch"),
        long("overdue_days"),
        long("customer_health"),
        text("color"),
        flag("dense"),
        flag("health_improved"),
        long("orders_365d"),
        cash("order_amount_365d"),
        ratio("average_order_value"),
        ratio("repurchase_interval_days"),
        text("lifecycle_stage"),
        ratio("p_order_30d"),
        maybe_cash("ltv_3y"),
        maybe_text("ltv_model_id"),
    ]
}

fn process_health() -> Vec<Field> {
    let mut fields = scope();
    for name in COMPONENTS {
        fields.extend([
            long(&format!("{name}_num")),
            long(&format!("{name}_den")),
            ratio(name),
            ratio(&format!("{name}_score")),
        ]);
    }
    fields.extend([long("touches"), long("effective_touches"), long("customers"), long("customers_touched")]);
    fields.extend([ratio("process_health"), maybe_text("color")]);
    fields.extend([
        ratio("process_health_14d"),
        ratio("process_health_14d_low"),
        ratio("process_health_14d_high"),
        ratio("p_red_14d"),
        maybe_text("forecast_model_id"),
    ]);
    fields
}

fn lead() -> Vec<Field> {
    vec![
        text("lead_id"),
        maybe_text("rep_id"),
        maybe_text("region_id"),
        maybe_text("source"),
        maybe_time("created_at"),
        maybe_time("answered_at"),
        optional_long("response_seconds"),
        maybe_flag("sla_met"),
        flag("escalated"),
        flag("followed_7d"),
        text("stage"),
        ratio("completeness"),
        ratio("activity"),
        ratio("urgency"),
        flag("mql"),
    ]
}

fn opportunity() -> Vec<Field> {
    vec![
        text("opportunity_id"),
        maybe_text("rep_id"),
        maybe_text("customer_id"),
        maybe_text("lead_id"),
        maybe_time("opened_at"),
        maybe_text("stage"),
        optional_long("stage_rank"),
        maybe_time("stage_changed_at"),
        maybe_time("closed_at"),
        maybe_text("outcome"),
        maybe_cash("amount"),
        flag("open"),
        long("stage_age_days"),
        flag("stuck"),
        ratio("cycle_days"),
        ratio("p_win"),
        maybe_date("expected_close"),
        maybe_text("win_model_id"),
        ratio("p_win_low"),
        ratio("p_win_high"),
    ]
}

fn funnel() -> Vec<Field> {
    vec![
        maybe_text("region_id"),
        maybe_text("source"),
        text("stage"),
        int("stage_position"),
        long("entered"),
        long("advanced"),
        long("lost"),
        ratio("conversion"),
        ratio("company_conversion"),
        ratio("median_days"),
        optional_long("worst_rank"),
    ]
}

fn sales_measure() -> Vec<Field> {
    [
        scope(),
        vec![
            long("deals_signed"),
            cash("amount_signed"),
            long("reps_on_duty"),
            ratio("revenue_per_rep"),
            cash("amount_signed_before"),
            long("reps_on_duty_before"),
            ratio("revenue_growth"),
            ratio("market_growth"),
            ratio("revenue_growth_net"),
            long("opportunities_opened_30d"),
            long("effective_visits_30d"),
            ratio("push_efficiency"),
            long("quotes_accepted_90d"),
            long("quotes_rejected_90d"),
            ratio("quote_success_rate"),
            ratio("quote_success_vs_company"),
            ratio("first_deal_days"),
        ],
    ]
    .concat()
}

fn derived_event() -> Vec<Field> {
    vec![
        text("event_id"),
        maybe_time("event_time"),
        text("event_type"),
        maybe_text("rep_id"),
        maybe_text("customer_id"),
        maybe_text("lead_id"),
        maybe_text("opportunity_id"),
    ]
}

fn quota() -> [Spec; 4] {
    [
        mart(
            "mart.factor",
            vec![
                text("rep_id"),
                text("factor"),
                int("position"),
                ratio("raw"),
                ratio("value"),
                ratio("effect"),
                text("basis"),
            ],
        ),
        mart(
            "mart.quota",
            vec![
                text("rep_id"),
                maybe_text("region_id"),
                text("period"),
                cash("attained"),
                cash("expected"),
                cash("low"),
                cash("high"),
                cash("proposal"),
                cash("quota"),
                maybe_cash("previous_quota"),
                maybe_date("previous_as_of"),
                ratio("p_attain"),
                ratio("attainment_weight"),
                ratio("market_heat"),
                text("bound"),
                cash("base"),
                ratio("scale"),
                text("basis"),
                maybe_text("leans_on"),
            ],
        ),
        mart(
            "mart.quota_explanation",
            vec![
                text("rep_id"),
                text("period"),
                text("kind"),
                int("position"),
                text("term"),
                cash("amount"),
                ratio("ratio"),
            ],
        ),
        mart(
            "mart.quota_plan",
            vec![
                text("region_id"),
                text("period"),
                maybe_cash("plan"),
                cash("quota_total"),
                maybe_cash("difference"),
                text("relaxed"),
                maybe_cash("relaxed_amount"),
                long("reps"),
                long("binding_reps"),
                maybe_text("binding"),
            ],
        ),
    ]
}

fn elasticity() -> Vec<Field> {
    vec![
        maybe_text("region_id"),
        ratio("market_heat"),
        flag("cold"),
        ratio("attainment_weight"),
        ratio("attainment_points"),
    ]
}

fn fairness() -> Vec<Field> {
    let mut fields = vec![text("grouping"), text("group_id"), long("reps")];
    for name in ["p_attain", "quota_per_potential", "quota_move"] {
        fields.extend([ratio(name), ratio(&format!("{name}_low")), ratio(&format!("{name}_high"))]);
    }
    fields.extend([ratio("rank_correlation"), flag("off")]);
    fields
}

fn quota_rule() -> Vec<Field> {
    vec![
        text("rep_id"),
        text("period"),
        int("position"),
        text("rule"),
        text("action"),
        flag("beyond_plan"),
        cash("before"),
        cash("after"),
    ]
}

fn quota_adjustment() -> Vec<Field> {
    vec![
        text("rep_id"),
        text("period"),
        int("position"),
        text("request_id"),
        text("approved_by"),
        maybe_cash("amount"),
        ratio("percent"),
        flag("beyond_plan"),
        cash("before"),
        cash("after"),
    ]
}

fn lead_score() -> Vec<Field> {
    vec![
        text("lead_id"),
        maybe_text("rep_id"),
        ratio("p_convert"),
        ratio("low"),
        ratio("high"),
        ratio("score"),
        text("grade"),
        flag("grade_unsure"),
        text("model_id"),
        ratio("intercept"),
        Field::new("reasons", DataType::List(Arc::new(reason())), false),
    ]
}

fn lead_route() -> Vec<Field> {
    vec![
        text("lead_id"),
        maybe_text("region_id"),
        maybe_text("source"),
        text("cause"),
        maybe_text("from_rep_id"),
        maybe_text("rep_id"),
        text("strategy"),
        ratio("p_convert"),
        text("basis"),
        ratio("rep_factor"),
        ratio("expected_wins"),
        optional_long("position"),
        long("candidates"),
        optional_long("load_before"),
        optional_long("load_after"),
        optional_long("capacity"),
        text("reason"),
    ]
}

/// One reason of a score: a list's element.
pub(crate) fn reason() -> Field {
    let contribution = crate::contract::required("contribution", DataType::Float64);
    let fields = Fields::from(vec![text("feature"), maybe_text("value"), contribution]);
    Field::new("element", DataType::Struct(fields), false)
}

fn optional_long(name: &str) -> Field {
    crate::contract::optional(name, DataType::Int64)
}
