//! `mart.rep_measure`: what rules could ask about as of a day, so that a rule can be tried on days gone by.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Date32Array, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Date32Type, Field, Float64Type};

use super::{Columns, Kind, Subject, Texts, subjects};
use crate::contract::optional;
use crate::quota::Span;
use crate::time::{Day, date};

/// The column that holds a region and all regions around it, as a JSON list.
const REGION_PATH: &str = "region_path";
/// Subjects that follow from the day and the period alone.
const CALENDAR: [&str; 6] = ["today", "month", "weekday", "day_of_period", "days_left", "period_elapsed"];

fn published() -> impl Iterator<Item = Subject> {
    subjects().filter(|subject| !CALENDAR.contains(&subject.key()))
}

/// The columns of `mart.rep_measure`.
pub(crate) fn fields() -> Vec<Field> {
    let of = |subject: Subject| {
        let data_type = match subject.kind() {
            Kind::Text => DataType::Utf8,
            Kind::Date => DataType::Date32,
            _ => DataType::Float64,
        };
        if subject.key() == "rep_id" {
            Field::new(subject.key(), data_type, false)
        } else {
            optional(subject.key(), data_type)
        }
    };
    published().map(of).chain([optional(REGION_PATH, DataType::Utf8)]).collect()
}

impl Columns {
    /// The columns in the order of [`fields`].
    pub(crate) fn arrays(&self) -> Vec<ArrayRef> {
        let rows = || 0..self.rows();
        let number = |subject: Subject, row: usize| {
            self.numbers(subject).and_then(|cells| cells.get(row)).copied().filter(|cell| !cell.is_nan())
        };
        let names =
            |subject: Subject, row: usize| self.texts(subject).map_or(&[][..], |texts| texts.names(row));
        let path = |row: usize| {
            let path = Subject::find("region_id").map_or(&[][..], |subject| names(subject, row));
            (!path.is_empty()).then(|| serde_json::to_string(path).unwrap_or_default())
        };
        let of = |subject: Subject| -> ArrayRef {
            match subject.kind() {
                Kind::Text => {
                    let first = |row| names(subject, row).first().cloned();
                    Arc::new(rows().map(first).collect::<StringArray>())
                }
                Kind::Date => {
                    Arc::new(rows().map(|row| number(subject, row).map(day)).collect::<Date32Array>())
                }
                _ => Arc::new(rows().map(|row| number(subject, row)).collect::<Float64Array>()),
            }
        };
        let path: ArrayRef = Arc::new(rows().map(path).collect::<StringArray>());
        published().map(of).chain([path]).collect()
    }

    /// The columns that a batch of `mart.rep_measure` holds; what it lacks is unknown.
    pub fn read(batch: &RecordBatch) -> Self {
        let mut columns = Self::new(batch.num_rows());
        let paths = batch.column_by_name(REGION_PATH).map(texts_of);
        for subject in published() {
            let Some(array) = batch.column_by_name(subject.key()) else { continue };
            match array.data_type() {
                DataType::Float64 => {
                    columns.set_numbers(subject, array.as_primitive::<Float64Type>().iter());
                }
                DataType::Date32 => {
                    let days = array.as_primitive::<Date32Type>().iter();
                    columns.set_numbers(subject, days.map(|day| day.map(f64::from)));
                }
                _ => {
                    let paths = paths.as_ref().filter(|_| subject.key() == "region_id");
                    let of = |(row, own): (usize, Option<String>)| {
                        let path = paths.and_then(|paths| paths.get(row).cloned().flatten());
                        let path = path.and_then(|path| serde_json::from_str(&path).ok());
                        path.or_else(|| own.map(|own| vec![own]))
                    };
                    columns.set_texts(subject, Texts::new(texts_of(array).into_iter().enumerate().map(of)));
                }
            }
        }
        columns
    }

    /// Sets what follows from the day and the period.
    pub fn set_calendar(&mut self, today: Day, period: &Span) {
        use chrono::Datelike;
        let at = date(today);
        let (gone, days) = (today - period.first + 1, period.last - period.first + 1);
        let values = [
            f64::from(today),
            f64::from(at.month()),
            f64::from(at.weekday().number_from_monday()),
            f64::from(gone),
            f64::from(period.last - today),
            f64::from(gone) / f64::from(days.max(1)),
        ];
        for (key, value) in CALENDAR.into_iter().zip(values) {
            if let Some(subject) = Subject::find(key) {
                self.set_numbers(subject, vec![Some(value); self.rows()]);
            }
        }
    }
}

fn texts_of(array: &ArrayRef) -> Vec<Option<String>> {
    let texts = arrow::compute::cast(array, &DataType::Utf8);
    let texts = texts.as_ref().ok().and_then(|texts| texts.as_string_opt::<i32>());
    texts.map_or_else(
        || vec![None; array.len()],
        |texts| texts.iter().map(|text| text.map(str::to_owned)).collect(),
    )
}

/// A day that was kept as a number.
#[expect(clippy::cast_possible_truncation, reason = "a day number, set from one")]
fn day(number: f64) -> Day {
    number as Day
}
