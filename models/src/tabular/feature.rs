//! From columns to features: numbers with their bins and scale, categories with their levels.

use std::borrow::Cow;

use rayon::prelude::*;

use super::boost::BINS;
use super::error::TabularError;
use super::frame::{Column, Frame, MISSING, Part, Plain, Values, parts, plain};
use super::real;

/// A feature of the training table, before any label is looked at.
#[derive(Debug, Clone)]
pub(super) struct Feature<'a> {
    /// Position of its column in the model's schema.
    pub(super) column: usize,
    pub(super) part: Part,
    pub(super) data: Data<'a>,
}

/// A feature's values.
#[derive(Debug, Clone)]
pub(super) enum Data<'a> {
    Number(Number<'a>),
    Category(Category<'a>),
}

/// A number: bins for trees, a scale for lines.
#[derive(Debug, Clone)]
pub(super) struct Number<'a> {
    pub(super) values: Cow<'a, [f64]>,
    /// Bin 0 is missing; bin k holds values over k − 1 of the edges.
    pub(super) codes: Vec<u8>,
    pub(super) edges: Vec<f64>,
    pub(super) scale: Option<Scale>,
    pub(super) missing_share: f64,
}

/// How a number enters a line: `(clamp(x, low, high) − mean) / sd`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) mean: f64,
    pub(super) sd: f64,
    /// One range of the training values beyond them on each side: a trend goes on, but not for ever.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Scale {
    /// The standardised value; 0, the mean, for a missing one.
    pub(super) fn of(&self, value: f64) -> f64 {
        if value.is_nan() { 0.0 } else { (value.clamp(self.low, self.high) - self.mean) / self.sd }
    }
}

/// A category: a level for each row; missing is a level of its own, the last.
#[derive(Debug, Clone)]
pub(super) struct Category<'a> {
    pub(super) codes: Cow<'a, [u32]>,
    pub(super) levels: Vec<String>,
    /// Rows of each level, missing last.
    pub(super) counts: Vec<usize>,
}

impl Category<'_> {
    /// The level of a row, with missing as the last.
    pub(super) fn level(&self, row: usize) -> usize {
        (self.codes[row] as usize).min(self.levels.len())
    }
}

/// A column that the model doesn't use, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// Why.
    pub reason: &'static str,
}

/// Range of a number beyond which no line is fitted on it: its terms could overflow.
const RANGE_MAX: f64 = 1e100;
/// Share of rows that may be levels of their own before a text column counts as an identifier.
const IDENTIFIER_SHARE: f64 = 0.5;

/// Reads all features off a table. `time` names the column whose order the rows are in: its trend is no feature, since
/// every row to come lies beyond it; its month, weekday and hour are.
///
/// # Errors
/// [`TabularError::NoFeature`].
pub(super) fn features<'a>(
    frame: &'a Frame,
    time: Option<&str>,
) -> Result<(Vec<Feature<'a>>, Vec<LeftOut>), TabularError> {
    let of_column = |(position, column): (usize, &'a Column)| {
        let is_time = time == Some(column.name.as_str());
        let mut found = Vec::new();
        let mut why = "it holds one value";
        for &part in parts(column.values.kind()) {
            if is_time && part == Part::Whole {
                continue;
            }
            match data(column, part) {
                Ok(data) => found.push(Feature { column: position, part, data }),
                Err(reason) if part == Part::Whole => why = reason,
                Err(_) => {}
            }
        }
        (found, LeftOut { column: column.name.clone(), reason: why })
    };
    let columns: Vec<_> = frame.columns().par_iter().enumerate().map(of_column).collect();
    let mut features = Vec::new();
    let mut left_out = Vec::new();
    for (found, without) in columns {
        if found.is_empty() {
            left_out.push(without);
        }
        features.extend(found);
    }
    if features.is_empty() { Err(TabularError::NoFeature) } else { Ok((features, left_out)) }
}

fn data(column: &Column, part: Part) -> Result<Data<'_>, &'static str> {
    match plain(&column.values, part) {
        Plain::Number(values) => number(values, matches!(column.values, Values::Number(_))).map(Data::Number),
        Plain::Code { codes, levels } => category(codes, levels).map(Data::Category),
    }
}

fn number(values: Cow<'_, [f64]>, is_line: bool) -> Result<Number<'_>, &'static str> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if sorted.is_empty() {
        return Err("it is empty");
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let missing_share = 1.0 - real(sorted.len()) / real(values.len());
    let is_constant = sorted.first() == sorted.last();
    if is_constant && missing_share == 0.0 {
        return Err("it holds one value");
    }
    let edges = edges(&sorted);
    let codes = values.iter().map(|&value| bin(&edges, value)).collect();
    let scale = if is_line { scale(&sorted) } else { None };
    Ok(Number { values, codes, edges, scale, missing_share })
}

/// The bin of a value: 0 for a missing one, else 1 and the number of edges below it.
pub(super) fn bin(edges: &[f64], value: f64) -> u8 {
    if value.is_nan() {
        return 0;
    }
    u8::try_from(1 + edges.partition_point(|&edge| edge < value)).unwrap_or(u8::MAX)
}

/// At most `BINS − 2` edges between distinct values: all of them where they are few, quantiles where they are many.
pub(super) fn edges(sorted: &[f64]) -> Vec<f64> {
    let middle = |low: f64, high: f64| {
        let middle = low / 2.0 + high / 2.0;
        // Neighbouring floats have no middle, infinities no finite one.
        let edge = if middle > low && middle < high { middle } else { low };
        edge.clamp(f64::MIN, f64::MAX)
    };
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    if distinct.len() < BINS {
        return distinct.windows(2).map(|pair| middle(pair[0], pair[1])).collect();
    }
    let n = sorted.len();
    let mut edges: Vec<f64> = Vec::with_capacity(BINS);
    for cut in 1..BINS - 1 {
        let at = sorted[n * cut / (BINS - 1)];
        let next = sorted.partition_point(|&value| value <= at);
        let Some(&above) = sorted.get(next) else { break };
        let edge = middle(at, above);
        if edges.last().is_none_or(|&last| edge > last) {
            edges.push(edge);
        }
    }
    edges
}

/// Mean and spread of the finite values; none where they have no spread or overflow.
fn scale(sorted: &[f64]) -> Option<Scale> {
    let finite: Vec<f64> = sorted.iter().copied().filter(|value| value.is_finite()).collect();
    let (&low, &high) = (finite.first()?, finite.last()?);
    let n = real(finite.len());
    let mean = finite.iter().sum::<f64>() / n;
    let sd = (finite.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    let range = high - low;
    let usable = range < RANGE_MAX && sd > 1e-9 * mean.abs() && sd > 1.0 / RANGE_MAX;
    usable.then_some(Scale { mean, sd, low: low - range, high: high + range })
}

fn category(codes: Cow<'_, [u32]>, levels: Vec<String>) -> Result<Category<'_>, &'static str> {
    let mut counts = vec![0; levels.len() + 1];
    for &code in codes.iter() {
        counts[(code as usize).min(levels.len())] += 1;
    }
    debug_assert!(MISSING as usize >= levels.len());
    let seen = counts.iter().filter(|&&count| count > 0).count();
    if seen < 2 {
        return Err(if counts[levels.len()] > 0 { "it is empty" } else { "it holds one value" });
    }
    if seen > 20 && real(seen) > IDENTIFIER_SHARE * real(codes.len()) {
        return Err("it holds another value in most rows, like an identifier");
    }
    Ok(Category { codes, levels, counts })
}
