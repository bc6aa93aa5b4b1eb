//! The rows of a query as values that a report can put into words.

use anyhow::Context as _;
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use sql::SqlError;

/// One row: texts by column position, none for null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row(Vec<Option<String>>);

impl Row {
    /// A text; empty for null.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.0.get(column).and_then(Option::as_deref).unwrap_or_default()
    }

    /// A text, where there is one.
    pub(crate) fn maybe(&self, column: usize) -> Option<&str> {
        self.0.get(column).and_then(Option::as_deref)
    }

    /// A real number, where there is one.
    pub(crate) fn real(&self, column: usize) -> Option<f64> {
        self.maybe(column)?.parse().ok()
    }

    /// A count; 0 for null.
    pub(crate) fn count(&self, column: usize) -> u64 {
        self.maybe(column).and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Money in minor units, where there is some.
    pub(crate) fn money(&self, column: usize) -> Option<i64> {
        minor_units(self.maybe(column)?)
    }
}

/// Reads a decimal with two digits after its point as minor units.
fn minor_units(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, cents) = digits.split_once('.').unwrap_or((digits, "00"));
    if cents.len() != 2 {
        return None;
    }
    let value: i64 = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
    Some(if negative { -value } else { value })
}

/// Asks the session.
pub(crate) async fn ask(session: &SessionContext, query: &str) -> anyhow::Result<Vec<Row>> {
    let statement = sql::statements(query)?.pop().context("a report's query is one statement")?;
    let frame = sql::plan(session, statement).await?;
    let batches = frame.collect().await.map_err(|error| SqlError::Compute(Box::new(error)))?;
    let mut rows = Vec::new();
    for batch in &batches {
        read(batch, &mut rows)?;
    }
    Ok(rows)
}

fn read(batch: &RecordBatch, rows: &mut Vec<Row>) -> anyhow::Result<()> {
    let options = FormatOptions::default();
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        let cell = |(column, formatter): (usize, &ArrayFormatter<'_>)| {
            batch.column(column).is_valid(row).then(|| formatter.value(row).to_string())
        };
        rows.push(Row(columns.iter().enumerate().map(cell).collect()));
    }
    Ok(())
}

/// Text as an SQL literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_minor_units_exactly() {
        for (text, expected) in
            [("1234.50", Some(123_450)), ("-0.07", Some(-7)), ("5", Some(500)), ("1.5", None), ("", None)]
        {
            assert_eq!(minor_units(text), expected, "{text}");
        }
    }
}
