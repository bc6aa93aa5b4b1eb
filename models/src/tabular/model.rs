//! A fitted model: what it needs of a table, and how a row becomes a margin.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::boost::{Booster, Pair};
use super::calibrate::{Calibration, Scored};
use super::error::TabularError;
use super::feature::bin;
use super::frame::{Frame, Kind, MISSING, Part, Plain, plain};

/// Rows that are scored at once: their codes stay in the cache while the trees pass over them.
pub(super) const BLOCK_ROWS: usize = 1_024;

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The columns that the model reads.
    pub(super) columns: Vec<Schema>,
    pub(super) features: Vec<Rule>,
    /// Margin of a row whose every line is at its mean, without the trees.
    pub(super) intercept: f64,
    pub(super) boosters: Vec<Booster>,
    /// Weight of each booster's margin.
    pub(super) boost_weight: f64,
    pub(super) calibration: Calibration,
}

/// A column that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// How one feature's value becomes a term of the lines and a code for the trees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Rule {
    pub(super) column: usize,
    pub(super) part: Part,
    pub(super) of: Of,
}

/// A feature's values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Of {
    /// `present + slope · (clamp(x, low, high) − mean)`.
    Number { edges: Vec<f64>, slope: f64, mean: f64, low: f64, high: f64, present: f64, missing: f64 },
    /// By level, missing last; `bins[booster][level]`.
    Category { levels: Vec<String>, adds: Vec<f64>, unknown: f64, bins: Vec<Vec<u8>>, unknown_bins: Vec<u8> },
}

/// A rule with the values of a table at hand.
pub(super) struct Reader<'a> {
    rule: &'a Rule,
    values: Read<'a>,
}

enum Read<'a> {
    Number(std::borrow::Cow<'a, [f64]>),
    /// Codes of the table, and the model's level for each of them.
    Code(std::borrow::Cow<'a, [u32]>, Vec<Option<usize>>),
}

impl Model {
    /// The columns that a table must have to be scored.
    pub fn columns(&self) -> &[Schema] {
        &self.columns
    }

    /// The probability of each row that its label is true, with its interval, in the order of the rows.
    ///
    /// A level that wasn't seen in training counts as an average one; a missing value as training had it; a number
    /// beyond one range of the training values on either side, infinity included, counts as that end.
    ///
    /// # Errors
    /// [`TabularError::MissingColumn`], [`TabularError::Kind`]. Other columns are not looked at.
    pub fn score(&self, frame: &Frame) -> Result<Vec<Scored>, TabularError> {
        let margins = self.margins(frame)?;
        Ok(margins.par_iter().map(|&margin| self.calibration.apply(margin)).collect())
    }

    /// Margins before calibration.
    pub(super) fn margins(&self, frame: &Frame) -> Result<Vec<f64>, TabularError> {
        let readers = self.readers(frame)?;
        let trees: Vec<Vec<Pair>> =
            self.boosters.iter().map(|booster| Pair::all(booster, self.boost_weight)).collect();
        let mut margins = vec![self.intercept; frame.rows()];
        margins.par_chunks_mut(BLOCK_ROWS).enumerate().for_each(|(block, margins)| {
            let from = block * BLOCK_ROWS;
            let mut codes = vec![vec![0; margins.len()]; readers.len()];
            for (reader, codes) in readers.iter().zip(&mut codes) {
                reader.lines(from, margins);
                reader.codes(from, 0, codes);
            }
            let mut leaf = vec![0; margins.len()];
            for (position, booster) in self.boosters.iter().enumerate() {
                for (reader, codes) in readers.iter().zip(&mut codes) {
                    if position > 0 && reader.is_category() {
                        reader.codes(from, position, codes);
                    }
                }
                for margin in margins.iter_mut() {
                    *margin += self.boost_weight * booster.start;
                }
                for pair in &trees[position] {
                    pair.add(&codes, &mut leaf, margins);
                }
            }
        });
        Ok(margins)
    }

    /// The rules with the values of a table.
    pub(super) fn readers<'a>(&'a self, frame: &'a Frame) -> Result<Vec<Reader<'a>>, TabularError> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for schema in &self.columns {
            let column = frame
                .column(&schema.name)
                .ok_or_else(|| TabularError::MissingColumn { column: schema.name.clone() })?;
            if column.values.kind() != schema.kind {
                return Err(TabularError::Kind {
                    column: schema.name.clone(),
                    expected: schema.kind.name(),
                    found: column.values.kind().name(),
                });
            }
            columns.push(column);
        }
        let reader = |rule: &'a Rule| {
            let values = match (plain(&columns[rule.column].values, rule.part), &rule.of) {
                (Plain::Number(values), _) => Read::Number(values),
                (Plain::Code { codes, levels }, Of::Category { levels: known, .. }) => {
                    Read::Code(codes, positions(known, &levels))
                }
                (Plain::Code { codes, levels }, Of::Number { .. }) => {
                    Read::Code(codes, vec![None; levels.len()])
                }
            };
            Reader { rule, values }
        };
        Ok(self.features.iter().map(reader).collect())
    }
}

/// The position of each of `levels` among `known`.
fn positions(known: &[String], levels: &[String]) -> Vec<Option<usize>> {
    let places: std::collections::HashMap<&str, usize> =
        known.iter().enumerate().map(|(position, level)| (level.as_str(), position)).collect();
    levels.iter().map(|level| places.get(level.as_str()).copied()).collect()
}

impl Reader<'_> {
    pub(super) fn column(&self) -> usize {
        self.rule.column
    }

    fn is_category(&self) -> bool {
        matches!(self.rule.of, Of::Category { .. })
    }

    /// Adds the lines' terms of the rows from `from` on.
    pub(super) fn lines(&self, from: usize, into: &mut [f64]) {
        let rows = from..from + into.len();
        match (&self.values, &self.rule.of) {
            (Read::Number(values), &Of::Number { slope, mean, low, high, present, missing, .. }) => {
                for (into, &value) in into.iter_mut().zip(&values[rows]) {
                    *into += if value.is_nan() {
                        missing
                    } else {
                        present + slope * (value.clamp(low, high) - mean)
                    };
                }
            }
            (Read::Code(codes, known), Of::Category { levels, adds, unknown, .. }) => {
                for (into, &code) in into.iter_mut().zip(&codes[rows]) {
                    *into += level(code, known, levels.len()).map_or(*unknown, |level| adds[level]);
                }
            }
            // Kinds are checked, so a number is never read by the rule of a category.
            _ => {}
        }
    }

    /// The codes that `booster` reads of the rows from `from` on.
    pub(super) fn codes(&self, from: usize, booster: usize, into: &mut [u8]) {
        let rows = from..from + into.len();
        match (&self.values, &self.rule.of) {
            (Read::Number(values), Of::Number { edges, .. }) => {
                for (into, &value) in into.iter_mut().zip(&values[rows]) {
                    *into = bin(edges, value);
                }
            }
            (Read::Code(codes, known), Of::Category { levels, bins, unknown_bins, .. }) => {
                let (Some(bins), Some(&unknown)) = (bins.get(booster), unknown_bins.get(booster)) else {
                    return;
                };
                for (into, &code) in into.iter_mut().zip(&codes[rows]) {
                    *into = level(code, known, levels.len()).map_or(unknown, |level| bins[level]);
                }
            }
            _ => {}
        }
    }
}

/// The model's level of a table's code: the last, `count`, for a missing one, none for one not known.
fn level(code: u32, known: &[Option<usize>], count: usize) -> Option<usize> {
    if code == MISSING { Some(count) } else { known.get(code as usize).copied().flatten() }
}
