//! What rules can ask about as of a day: a column per subject, a row per rep on duty.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Subject;

/// One column per subject, all of the same number of rows.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    rows: usize,
    numbers: BTreeMap<Subject, Vec<f64>>,
    texts: BTreeMap<Subject, Texts>,
}

/// A column of texts: each row has one of few values, and a value may go by several names, as a region goes by the
/// names of all regions around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// Position in `values` per row.
    rows: Vec<Option<usize>>,
    values: Vec<Vec<String>>,
}

impl Texts {
    /// From the names of each row's value, its own first; `None` where the row has none.
    pub fn new(rows: impl IntoIterator<Item = Option<Vec<String>>>) -> Self {
        let mut places: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        let mut texts = Self::default();
        for names in rows {
            let place = names.map(|names| {
                *places.entry(names).or_insert_with_key(|names| {
                    texts.values.push(names.clone());
                    texts.values.len() - 1
                })
            });
            texts.rows.push(place);
        }
        texts
    }

    /// Per row: whether it goes by one of the names; `None` where it has no value.
    pub(super) fn among<'a>(
        &'a self,
        rows: Range<usize>,
        names: &'a [String],
    ) -> impl Iterator<Item = Option<bool>> + 'a {
        // Neighbours often share a value.
        let mut last = (None, false);
        self.rows.get(rows).unwrap_or_default().iter().map(move |place| {
            if *place != last.0 {
                let value = place.and_then(|place| self.values.get(place));
                last = (*place, value.is_some_and(|value| value.iter().any(|name| names.contains(name))));
            }
            place.map(|_| last.1)
        })
    }

    /// The names of a row's value.
    pub fn names(&self, row: usize) -> &[String] {
        self.rows
            .get(row)
            .copied()
            .flatten()
            .and_then(|place| self.values.get(place))
            .map_or(&[], Vec::as_slice)
    }
}

impl Columns {
    /// No columns yet, of so many rows.
    pub fn new(rows: usize) -> Self {
        Self { rows, ..Self::default() }
    }

    /// Rows of every column.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Sets a column of numbers; `None` is unknown.
    pub fn set_numbers(&mut self, subject: Subject, values: impl IntoIterator<Item = Option<f64>>) {
        let mut values: Vec<f64> = values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect();
        values.resize(self.rows, f64::NAN);
        self.numbers.insert(subject, values);
    }

    /// The same columns with other rows: each is one of these, or unknown where there is none.
    pub(crate) fn with_rows(&self, rows: &[Option<usize>]) -> Self {
        let number = |cells: &Vec<f64>, row: &Option<usize>| {
            row.and_then(|row| cells.get(row).copied()).unwrap_or(f64::NAN)
        };
        let numbers = self
            .numbers
            .iter()
            .map(|(subject, cells)| (*subject, rows.iter().map(|row| number(cells, row)).collect()));
        let texts = self.texts.iter().map(|(subject, texts)| {
            let place = |row: &Option<usize>| row.and_then(|row| texts.rows.get(row).copied().flatten());
            (*subject, Texts { rows: rows.iter().map(place).collect(), values: texts.values.clone() })
        });
        Self { rows: rows.len(), numbers: numbers.collect(), texts: texts.collect() }
    }

    /// Sets a column of texts.
    pub fn set_texts(&mut self, subject: Subject, mut texts: Texts) {
        texts.rows.resize(self.rows, None);
        self.texts.insert(subject, texts);
    }

    /// A column of numbers, NaN where unknown; `None` where nobody knows it.
    pub fn numbers(&self, subject: Subject) -> Option<&[f64]> {
        self.numbers.get(&subject).map(Vec::as_slice)
    }

    /// A column of texts.
    pub fn texts(&self, subject: Subject) -> Option<&Texts> {
        self.texts.get(&subject)
    }
}
