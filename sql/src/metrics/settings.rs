//! What a run of the metrics is made of beside the tables: the day, the business time zone, weights and thresholds.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use datafusion::arrow::datatypes::Date32Type;
use datafusion::common::ScalarValue;

use super::MetricError;
use super::component::Component;
use super::day::{offset_day, start_of_day};

/// ISO weeks that `lead_conversion_week` covers, the running one included.
const CONVERSION_WEEKS: i64 = 12;

/// Day, zone, weights and thresholds. [`Settings::new`] has the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The day that everything is as of.
    pub as_of: NaiveDate,
    /// The business time zone, whose midnights bound the days.
    pub zone: Tz,
    /// Weights and thresholds of customer health.
    pub health: HealthSettings,
    /// Seconds within which a lead is to be answered.
    pub sla_seconds: i64,
    /// Seconds after which an unanswered lead is escalated.
    pub escalation_seconds: i64,
    /// Whole days in one stage after which an open opportunity is stuck.
    pub stuck_days: i64,
    /// Effective lead conversion below this is red, a ratio.
    pub conversion_red: f64,
    /// Effective lead conversion below this is amber, a ratio.
    pub conversion_amber: f64,
    /// Process health below this is red, in points.
    pub process_red: f64,
    /// Process health below this is amber, in points.
    pub process_amber: f64,
    /// The pipeline's stages in order; the names of one stage share its rank. The first name of the first is where
    /// an opportunity starts that doesn't say.
    pub stages: Vec<Vec<String>>,
    /// The components of process health, with anchors and weights.
    pub components: Vec<Component>,
}

/// `customer_health = touch_weight · touches + evidence_weight · evidence − overdue_weight · overdue days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthSettings {
    /// Points of a touch (2).
    pub touch_weight: i64,
    /// Points of a piece of evidence (5).
    pub evidence_weight: i64,
    /// Points lost for a day overdue (3).
    pub overdue_weight: i64,
    /// Hours since the last touch from which a customer is overdue (72).
    pub overdue_after_hours: i64,
    /// Most days that count as overdue (30).
    pub overdue_days_max: i64,
    /// Health below this is red (15).
    pub red: i64,
    /// Health below this is amber (25).
    pub amber: i64,
}

impl Default for HealthSettings {
    fn default() -> Self {
        Self {
            touch_weight: 2,
            evidence_weight: 5,
            overdue_weight: 3,
            overdue_after_hours: 72,
            overdue_days_max: 30,
            red: 15,
            amber: 25,
        }
    }
}

impl Settings {
    /// The defaults for a day and a zone.
    pub fn new(as_of: NaiveDate, zone: Tz) -> Self {
        Self {
            as_of,
            zone,
            health: HealthSettings::default(),
            sla_seconds: 900,
            escalation_seconds: 1800,
            stuck_days: 7,
            conversion_red: 0.12,
            conversion_amber: 0.20,
            process_red: 60.0,
            process_amber: 80.0,
            stages: default_stages(),
            components: Component::defaults(),
        }
    }

    /// Every named parameter of the metrics with its value, names without the `$`. A window of N days is the N days
    /// that end with `as_of`; `baseline` is 30 days before it.
    ///
    /// # Errors
    /// [`MetricError::DayOutOfRange`] at the ends of the calendar.
    pub fn parameters(&self) -> Result<Vec<(&'static str, ScalarValue)>, MetricError> {
        let day = |offset: i64| offset_day(self.as_of, offset);
        let instant = |day: NaiveDate| -> Result<ScalarValue, MetricError> {
            let micros = start_of_day(self.zone, day)?;
            Ok(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
        };
        let first_of_month = self.as_of.with_day(1).ok_or(MetricError::DayOutOfRange { day: self.as_of })?;
        let weekday = i64::from(self.as_of.weekday().num_days_from_monday());
        let first_stage = self.stages.iter().flatten().next().map(|name| stage_key(name));
        Ok(vec![
            ("as_of", date(self.as_of)),
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
            ("week_start", date(day(-weekday - 7 * (CONVERSION_WEEKS - 1))?)),
            ("touch_weight", self.health.touch_weight.into()),
            ("evidence_weight", self.health.evidence_weight.into()),
            ("overdue_weight", self.health.overdue_weight.into()),
            ("overdue_after_hours", self.health.overdue_after_hours.into()),
            ("overdue_days_max", self.health.overdue_days_max.into()),
            ("health_red", self.health.red.into()),
            ("health_amber", self.health.amber.into()),
            ("sla_seconds", self.sla_seconds.into()),
            ("escalation_seconds", self.escalation_seconds.into()),
            ("stuck_days", self.stuck_days.into()),
            ("first_stage", ScalarValue::Utf8(first_stage)),
            ("conversion_red", self.conversion_red.into()),
            ("conversion_amber", self.conversion_amber.into()),
            ("process_red", self.process_red.into()),
            ("process_amber", self.process_amber.into()),
        ])
    }
}

/// A stage's name as the metrics compare it: lower case, spaces and hyphens as underscores.
pub(super) fn stage_key(name: &str) -> String {
    name.to_lowercase().replace([' ', '-'], "_")
}

fn date(day: NaiveDate) -> ScalarValue {
    ScalarValue::Date32(Some(Date32Type::from_naive_date(day)))
}

fn default_stages() -> Vec<Vec<String>> {
    const STAGES: [&[&str]; 7] = [
        &["prospecting", "new", "lead", "engaging"],
        &["qualification", "qualified", "contacted"],
        &["discovery", "needs_analysis", "needs", "analysis"],
        &["demo", "solution", "value_proposition", "evaluation"],
        &["proposal", "quote", "quoted", "proposal_sent"],
        &["negotiation", "review"],
        &["contract", "closing", "verbal", "commit"],
    ];
    STAGES.iter().map(|names| names.iter().map(|&name| name.to_owned()).collect()).collect()
}
