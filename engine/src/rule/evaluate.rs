//! Conditions over columns. What is unknown is neither true nor false, as in SQL: a rule acts where its condition is
//! true.

use std::ops::Range;

use super::{Columns, Condition, Op, Subject};

/// The three truth values, in the order in which `and` takes the least and `or` the greatest.
const FALSE: u8 = 0;
const UNKNOWN: u8 = 1;
const TRUE: u8 = 2;

impl Condition {
    /// Of a range of rows, per row: whether the condition is true.
    pub fn holds(&self, columns: &Columns, rows: &Range<usize>) -> Vec<bool> {
        self.truth(columns, rows).into_iter().map(|truth| truth == TRUE).collect()
    }

    fn truth(&self, columns: &Columns, rows: &Range<usize>) -> Vec<u8> {
        match self {
            Self::Always => vec![TRUE; rows.len()],
            Self::All(parts) => fold(parts, (columns, rows), TRUE, u8::min),
            Self::Any(parts) => fold(parts, (columns, rows), FALSE, u8::max),
            Self::Not(inner) => {
                let mut truth = inner.truth(columns, rows);
                for truth in &mut truth {
                    *truth = TRUE - *truth;
                }
                truth
            }
            Self::Number { subject, op, value } => {
                let value = *value;
                match op {
                    Op::Less => compare((columns, rows), *subject, |cell| cell < value),
                    Op::AtMost => compare((columns, rows), *subject, |cell| cell <= value),
                    Op::More => compare((columns, rows), *subject, |cell| cell > value),
                    Op::AtLeast => compare((columns, rows), *subject, |cell| cell >= value),
                    Op::Equal => compare((columns, rows), *subject, |cell| same(cell, value)),
                    Op::Unequal => compare((columns, rows), *subject, |cell| !same(cell, value)),
                }
            }
            Self::Between { subject, low, high } => {
                let (low, high) = (*low, *high);
                compare((columns, rows), *subject, |cell| low <= cell && cell <= high)
            }
            Self::Text { subject, among } => match columns.texts(*subject) {
                Some(texts) => texts.among(rows.clone(), among).map(|hit| hit.map_or(UNKNOWN, of)).collect(),
                None => vec![UNKNOWN; rows.len()],
            },
            Self::Known(subject) => {
                if let Some(texts) = columns.texts(*subject) {
                    return texts.among(rows.clone(), &[]).map(|hit| of(hit.is_some())).collect();
                }
                match columns.numbers(*subject) {
                    Some(cells) => within(cells, rows).iter().map(|cell| of(!cell.is_nan())).collect(),
                    None => vec![FALSE; rows.len()],
                }
            }
        }
    }
}

fn of(truth: bool) -> u8 {
    if truth { TRUE } else { FALSE }
}

/// The columns, and which of their rows.
type Part<'a> = (&'a Columns, &'a Range<usize>);

fn within<'a>(cells: &'a [f64], rows: &Range<usize>) -> &'a [f64] {
    cells.get(rows.clone()).unwrap_or_default()
}

fn fold(parts: &[Condition], (columns, rows): Part<'_>, start: u8, join: fn(u8, u8) -> u8) -> Vec<u8> {
    let mut sum = vec![start; rows.len()];
    for part in parts {
        for (sum, truth) in sum.iter_mut().zip(part.truth(columns, rows)) {
            *sum = join(*sum, truth);
        }
    }
    sum
}

fn compare((columns, rows): Part<'_>, subject: Subject, holds: impl Fn(f64) -> bool) -> Vec<u8> {
    match columns.numbers(subject) {
        Some(cells) => {
            let truth = |&cell: &f64| if cell.is_nan() { UNKNOWN } else { of(holds(cell)) };
            within(cells, rows).iter().map(truth).collect()
        }
        None => vec![UNKNOWN; rows.len()],
    }
}

/// Equal but for what binary fractions do to decimal ones.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}
