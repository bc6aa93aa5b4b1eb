//! What the metrics take beside tables: the named parameters of a day under a configuration.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use datafusion::arrow::datatypes::Date32Type;
use datafusion::common::ScalarValue;
use engine::settings::Settings;

use super::MetricError;
use super::day::{offset_day, start_of_day};

/// ISO weeks that `lead_conversion_week` covers, the running one included.
const CONVERSION_WEEKS: i64 = 12;

/// A named parameter, without the `$`, and its value.
pub type Parameter = (&'static str, ScalarValue);

/// Every named parameter of the metrics. A window of N days is the N days that end with `as_of`; `baseline` is 30 days
/// before it.
///
/// # Errors
/// [`MetricError::Zone`] for an unknown time zone, [`MetricError::DayOutOfRange`] at the ends of the calendar.
pub fn parameters(as_of: NaiveDate, settings: &Settings) -> Result<Vec<Parameter>, MetricError> {
    let mut parameters = days(as_of, zone(settings)?)?;
    parameters.extend(thresholds(settings));
    Ok(parameters)
}

/// The business time zone of the settings.
pub(super) fn zone(settings: &Settings) -> Result<Tz, MetricError> {
    settings.timezone.parse().map_err(|_| MetricError::Zone { name: settings.timezone.clone() })
}

fn days(as_of: NaiveDate, zone: Tz) -> Result<Vec<Parameter>, MetricError> {
    let day = |offset: i64| offset_day(as_of, offset);
    let instant = |day: NaiveDate| -> Result<ScalarValue, MetricError> {
        Ok(ScalarValue::TimestampMicrosecond(Some(start_of_day(zone, day)?), Some("UTC".into())))
    };
    let first_of_month = as_of.with_day(1).ok_or(MetricError::DayOutOfRange { day: as_of })?;
    let last_of_before = offset_day(first_of_month, -1)?;
    let first_before = last_of_before.with_day(1).ok_or(MetricError::DayOutOfRange { day: as_of })?;
    let last_before = last_of_before.min(offset_day(first_before, i64::from(as_of.day0()))?);
    let weekday = i64::from(as_of.weekday().num_days_from_monday());
    Ok(vec![
        ("as_of", date(as_of)),
        ("end_of_day", instant(day(1)?)?),
        ("window_start", date(day(-29)?)),
        ("window_start_at", instant(day(-29)?)?),
        ("window_90d_start", date(day(-89)?)),
        ("window_182d_start", date(day(-181)?)),
        ("window_365d_start", date(day(-364)?)),
        ("baseline", date(day(-30)?)),
        ("baseline_end", instant(day(-29)?)?),
        ("baseline_start", date(day(-59)?)),
        ("month_start", date(first_of_month)),
        ("month_before_start", date(first_before)),
        ("month_before_end", date(last_before)),
        ("month_before_end_at", instant(offset_day(last_before, 1)?)?),
        ("week_start", date(day(-weekday - 7 * (CONVERSION_WEEKS - 1))?)),
    ])
}

fn thresholds(settings: &Settings) -> Vec<Parameter> {
    let Settings { health, lead, pipeline, process, lifecycle, factor, .. } = settings;
    let [mql_completeness, mql_activity, mql_urgency] = lead.mql;
    vec![
        ("touch_weight", health.touch_weight.into()),
        ("evidence_weight", health.evidence_weight.into()),
        ("overdue_weight", health.overdue_weight.into()),
        ("overdue_after_hours", health.overdue_after_hours.into()),
        ("overdue_days_max", health.overdue_days_max.into()),
        ("health_red", health.red_below.into()),
        ("health_amber", health.amber_below.into()),
        ("dense_touches", health.dense_touches.into()),
        ("new_days", i64::from(lifecycle.new_days).into()),
        ("interval_days", lifecycle.interval_days.into()),
        ("at_risk_intervals", lifecycle.at_risk_intervals.into()),
        ("lost_intervals", lifecycle.lost_intervals.into()),
        ("sla_seconds", lead.sla_seconds.into()),
        ("escalation_seconds", lead.escalation_seconds.into()),
        ("activity_half_life_days", lead.activity_half_life_days.into()),
        ("activity_half", lead.activity_half.into()),
        ("mql_completeness", mql_completeness.into()),
        ("mql_activity", mql_activity.into()),
        ("mql_urgency", mql_urgency.into()),
        ("heat_weight_other", factor.heat_weight_other.into()),
        ("conversion_red", lead.conversion_red_below.into()),
        ("conversion_amber", lead.conversion_amber_below.into()),
        ("stuck_days", pipeline.stuck_days.into()),
        ("first_stage", ScalarValue::Utf8(pipeline.stages.iter().flatten().next().cloned())),
        ("process_red", process.red_below.into()),
        ("process_amber", process.amber_below.into()),
    ]
}

fn date(day: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(Date32Type::from_naive_date(day)))
}
