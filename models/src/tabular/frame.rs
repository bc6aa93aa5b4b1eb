//! A table of typed columns, and the plain features read off it: numbers and codes.

use serde::{Deserialize, Serialize};

use super::error::TabularError;

/// The code of a missing category, and of a level that is not known.
pub const MISSING: u32 = u32::MAX;

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    columns: Vec<Column>,
    rows: usize,
}

/// A column and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The name, unique within the frame.
    pub name: String,
    /// The values, one per row.
    pub values: Values,
}

/// A column's values, one per row.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN is missing. Infinities count as the end of the range seen in training.
    Number(Vec<f64>),
    /// Days since 1970-01-01 with the time of day as fraction; NaN is missing.
    Date(Vec<f64>),
    /// Positions in `levels`; [`MISSING`] is missing.
    Text {
        /// One code per row.
        codes: Vec<u32>,
        /// The distinct texts.
        levels: Vec<String>,
    },
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers.
    Number,
    /// Dates, or instants.
    Date,
    /// Categories.
    Text,
}

impl Kind {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "numbers",
            Self::Date => "dates",
            Self::Text => "texts",
        }
    }
}

impl Values {
    /// What the column holds.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Date(_) => Kind::Date,
            Self::Text { .. } => Kind::Text,
        }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(values) | Self::Date(values) => values.len(),
            Self::Text { codes, .. } => codes.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect();
        match self {
            Self::Number(values) => Self::Number(pick(values)),
            Self::Date(values) => Self::Date(pick(values)),
            Self::Text { codes, levels } => {
                Self::Text { codes: rows.iter().map(|&row| codes[row]).collect(), levels: levels.clone() }
            }
        }
    }
}

impl Frame {
    /// A frame of `columns`, of `rows` rows each.
    ///
    /// # Errors
    /// [`TabularError::Length`], [`TabularError::Twice`].
    pub fn new(columns: Vec<Column>, rows: usize) -> Result<Self, TabularError> {
        for (position, column) in columns.iter().enumerate() {
            if column.values.len() != rows {
                let (column, found) = (column.name.clone(), column.values.len());
                return Err(TabularError::Length { column, expected: rows, found });
            }
            if columns.iter().take(position).any(|earlier| earlier.name == column.name) {
                return Err(TabularError::Twice { column: column.name.clone() });
            }
        }
        Ok(Self { columns, rows })
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The frame of the rows at `rows`, in that order.
    #[must_use]
    pub fn take(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter();
        let columns =
            columns.map(|column| Column { name: column.name.clone(), values: column.values.take(rows) });
        Self { columns: columns.collect(), rows: rows.len() }
    }
}

/// What of a column a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The value itself; of a date the day as a number.
    Whole,
    /// The month of a date.
    Month,
    /// The day of the week of a date.
    Weekday,
    /// The hour of an instant, UTC.
    Hour,
}

/// A feature before anything is learnt: a number or a code for each row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plain<'a> {
    Number(std::borrow::Cow<'a, [f64]>),
    Code { codes: std::borrow::Cow<'a, [u32]>, levels: Vec<String> },
}

/// The parts of a column that can be features.
pub(super) fn parts(kind: Kind) -> &'static [Part] {
    match kind {
        Kind::Number | Kind::Text => &[Part::Whole],
        Kind::Date => &[Part::Whole, Part::Month, Part::Weekday, Part::Hour],
    }
}

/// Reads a part off a column.
pub(super) fn plain(values: &Values, part: Part) -> Plain<'_> {
    match (values, part) {
        (Values::Number(values) | Values::Date(values), Part::Whole) => {
            Plain::Number(values.as_slice().into())
        }
        (Values::Text { codes, levels }, _) => {
            Plain::Code { codes: codes.as_slice().into(), levels: levels.clone() }
        }
        (Values::Number(days) | Values::Date(days), part) => {
            let (of, count): (fn(f64) -> u32, u32) = match part {
                Part::Month | Part::Whole => (month, 12),
                Part::Weekday => (weekday, 7),
                Part::Hour => (hour, 24),
            };
            let code = |&day: &f64| if day.is_finite() { of(day) } else { MISSING };
            let codes: Vec<u32> = days.iter().map(code).collect();
            Plain::Code { codes: codes.into(), levels: (0..count).map(|level| level.to_string()).collect() }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to the days of a few million years")]
fn whole_day(day: f64) -> i64 {
    day.floor().clamp(-1e9, 1e9) as i64
}

/// The month from 0, of the proleptic Gregorian calendar (Hinnant, `civil_from_days`).
fn month(day: f64) -> u32 {
    let days = (whole_day(day) + 719_468).rem_euclid(146_097);
    let year = (days - days / 1_460 + days / 36_524 - days / 146_096) / 365;
    let day_of_year = days - (365 * year + year / 4 - year / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    u32::try_from((shifted + 2) % 12).unwrap_or(0)
}

/// The day of the week, Monday is 0.
fn weekday(day: f64) -> u32 {
    u32::try_from((whole_day(day) + 3).rem_euclid(7)).unwrap_or(0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a fraction of a day times 24 lies in 0..24"
)]
fn hour(day: f64) -> u32 {
    // A microsecond of slack: seconds of a day are no exact fractions.
    (((day - day.floor()) * 24.0 + 1e-9) as u32).min(23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_dates() {
        // 1970-01-01 Thu; 2000-02-29 Tue; 2024-12-31 Tue 23:00; 1969-12-31 Wed.
        let check = |day: f64, expected: (u32, u32, u32)| {
            assert_eq!((month(day), weekday(day), hour(day)), expected, "{day}");
        };
        check(0.0, (0, 3, 0));
        check(11_016.0, (1, 1, 0));
        check(20_088.0 + 23.0 / 24.0, (11, 1, 23));
        check(-1.0, (11, 2, 0));
        check(11_017.5, (2, 2, 12));
        assert!(month(1e300) < 12 && weekday(-1e300) < 7 && hour(1e300) < 24);
    }

    #[test]
    fn columns_that_do_not_fit() {
        let column =
            |name: &str, n: usize| Column { name: name.into(), values: Values::Number(vec![0.0; n]) };
        assert!(Frame::new(vec![column("a", 2), column("b", 3)], 2).is_err());
        assert_eq!(
            Frame::new(vec![column("a", 2), column("a", 2)], 2),
            Err(TabularError::Twice { column: "a".into() })
        );
    }
}
