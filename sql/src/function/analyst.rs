//! What an analyst wants: the colour of a customer's health, the period of a day.

use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ScalarUDF, Signature, TypeSignature, Volatility};
use engine::quota::Span;
use engine::settings::Settings;

use super::simple::{Answer, Simple};

/// Days from year 1 to 1970, and to year 10000: what a period has a name for.
const DAYS: std::ops::Range<i64> = -719_162..2_932_897;

/// All of them, by the company's settings.
pub(super) fn all(settings: &Settings) -> Vec<ScalarUDF> {
    vec![health_color(settings), period_of(settings)]
}

/// `health_color(x)`: `red`, `amber` or `green` for a customer's health, by the thresholds of the settings.
fn health_color(settings: &Settings) -> ScalarUDF {
    let (red, amber) = (settings.health.red_below, settings.health.amber_below);
    let signature = Signature::uniform(1, vec![DataType::Int64, DataType::Float64], Volatility::Immutable);
    Simple::new("health_color", DataType::Utf8, move |row| {
        let Some(health) = row.number(0) else { return Ok(Answer::Null) };
        let below = |limit: i64| i32::try_from(limit).map_or(limit > 0, |limit| health < f64::from(limit));
        let color = if below(red) {
            "red"
        } else if below(amber) {
            "amber"
        } else {
            "green"
        };
        Ok(Answer::Text(color.to_owned()))
    })
    .taking(signature)
    .udf()
}

/// `period_of(date)`: the quota's period in which a day falls, as in `mart.quota.period`.
fn period_of(settings: &Settings) -> ScalarUDF {
    let period = settings.quota.period;
    let signature =
        Signature::one_of(vec![TypeSignature::Exact(vec![DataType::Date32])], Volatility::Immutable);
    Simple::new("period_of", DataType::Utf8, move |row| {
        let Some(date) = row.text(0) else { return Ok(Answer::Null) };
        let day: chrono::NaiveDate = date.parse().map_err(|_| {
            DataFusionError::Execution(format!("period_of: '{date}' is no day like 2026-03-31"))
        })?;
        let day = engine::time::day_number(day);
        if !DAYS.contains(&i64::from(day)) {
            return Err(DataFusionError::Execution(format!(
                "period_of: {date} is outside the years 1 to 9999"
            )));
        }
        Ok(Answer::Text(Span::of(day, period).name))
    })
    .taking(signature)
    .udf()
}
