//! What was published of every rep as of a day, as rules ask about it.

use arrow::compute::concat_batches;
use datafusion::prelude::SessionContext;
use engine::EngineError;
use engine::quota::Span;
use engine::rule::{Columns, Subject};
use engine::settings::Period;
use engine::time::{Day, date};
use sql::SqlError;

use super::rows::ask;

/// One day's measures, proposals before rules and bases, a row per rep. Money in minor units.
#[derive(Debug)]
pub(crate) struct RepMeasures {
    pub(crate) columns: Columns,
    pub(crate) proposals: Vec<i64>,
    pub(crate) bases: Vec<i64>,
}

impl RepMeasures {
    /// The ids of the reps, row by row.
    pub(crate) fn reps(&self) -> Vec<String> {
        let reps = Subject::find("rep_id").and_then(|subject| self.columns.texts(subject));
        let name = |row: usize| reps.and_then(|reps| reps.names(row).first().cloned()).unwrap_or_default();
        (0..self.columns.rows()).map(name).collect()
    }

    /// What each has signed in the period so far, row by row; 0 where nobody knows.
    pub(crate) fn attained(&self) -> Vec<i64> {
        let attained = Subject::find("attained").and_then(|subject| self.columns.numbers(subject));
        attained.unwrap_or_default().iter().map(|&amount| minor(amount)).collect()
    }
}

/// Loads them; none where the day was published by a program that didn't keep them.
///
/// # Errors
/// Where the lake can't be read.
pub(crate) async fn rep_measures(
    session: &SessionContext,
    day: Day,
    period: Period,
) -> anyhow::Result<Option<RepMeasures>> {
    let day_text = date(day).to_string();
    let query = format!("SELECT * FROM mart.rep_measure WHERE as_of = DATE '{day_text}' ORDER BY rep_id");
    let statement = sql::statements(&query)?.pop();
    let statement = statement.ok_or_else(|| EngineError::Lake("a query is one statement".to_owned()))?;
    let frame = sql::plan(session, statement).await?;
    let schema = std::sync::Arc::clone(frame.schema().inner());
    let batches = frame.collect().await.map_err(|error| SqlError::Compute(Box::new(error)))?;
    let batch = concat_batches(&schema, &batches)?;
    let query = format!("SELECT base FROM mart.quota WHERE as_of = DATE '{day_text}' ORDER BY rep_id");
    let bases: Vec<i64> = ask(session, &query).await?.iter().map(|row| row.money(0).unwrap_or(0)).collect();
    if bases.len() != batch.num_rows() {
        return Ok(None);
    }
    let mut columns = Columns::read(&batch);
    columns.set_calendar(day, &Span::of(day, period));
    let proposals =
        Subject::find("proposal").and_then(|subject| columns.numbers(subject)).unwrap_or_default();
    let proposals = proposals.iter().map(|&amount| minor(amount)).collect();
    Ok(Some(RepMeasures { columns, proposals, bases }))
}

/// Minor units from an amount that was published with two digits.
#[expect(clippy::cast_possible_truncation, reason = "amounts are far below 2^53, and NaN is 0")]
fn minor(amount: f64) -> i64 {
    (amount * 100.0).round() as i64
}
