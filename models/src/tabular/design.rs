//! The design matrices of the logistic regressions, and how their weights become scores of single values.

use ndarray::{Array2, ShapeBuilder as _};

use super::evidence::Evidence;
use super::feature::{Data, Feature};
use super::linear::Weights;
use super::real;

/// Rows of a level under which it gets no indicator of its own.
const INDICATOR_ROWS_MIN: usize = 30;
/// Indicators of a category at most.
const INDICATORS_MAX: usize = 40;

/// Share of rows in levels without an indicator from which on the category's evidence is added.
const OTHERS_SHARE: f64 = 0.05;

/// A column of a design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    /// A standardised number.
    Value,
    /// Whether a number is missing.
    Missing,
    /// Whether a category has this level.
    Level(usize),
    /// A category's evidence.
    Evidence,
}

/// How categories enter a design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// An indicator for each frequent level, evidence where many rows have another.
    Indicators,
    /// Evidence alone.
    Evidence,
}

/// The columns of a design: a feature's position and the term.
pub(super) fn terms(features: &[Feature<'_>], style: Style) -> Vec<(usize, Term)> {
    let mut terms = Vec::new();
    for (position, feature) in features.iter().enumerate() {
        match &feature.data {
            Data::Number(number) => {
                if number.scale.is_some() {
                    terms.push((position, Term::Value));
                }
                if number.missing_share > 0.0 {
                    terms.push((position, Term::Missing));
                }
            }
            Data::Category(category) => {
                let mut levels: Vec<usize> = (0..category.counts.len()).collect();
                levels.retain(|&level| category.counts[level] >= INDICATOR_ROWS_MIN);
                levels.sort_by_key(|&level| (std::cmp::Reverse(category.counts[level]), level));
                levels.truncate(INDICATORS_MAX);
                let shown: usize = levels.iter().map(|&level| category.counts[level]).sum();
                let others = category.codes.len() - shown;
                if style == Style::Evidence || real(others) > OTHERS_SHARE * real(category.codes.len()) {
                    terms.push((position, Term::Evidence));
                }
                if style == Style::Indicators {
                    terms.extend(levels.into_iter().map(|level| (position, Term::Level(level))));
                }
            }
        }
    }
    terms
}

/// The design of `rows`, `(rows, terms)`, stored by column. `evidence` has an entry for each feature that is a category.
pub(super) fn matrix(
    features: &[Feature<'_>],
    evidence: &[Option<Evidence>],
    terms: &[(usize, Term)],
    rows: &[usize],
) -> Array2<f64> {
    let mut x = Array2::zeros((rows.len(), terms.len()).f());
    for (mut column, &(position, term)) in x.columns_mut().into_iter().zip(terms) {
        for (cell, &row) in column.iter_mut().zip(rows) {
            *cell = match (&features[position].data, &evidence[position]) {
                (Data::Number(number), _) => {
                    let value = number.values[row];
                    match (term, &number.scale) {
                        (Term::Missing, _) => f64::from(u8::from(value.is_nan())),
                        (_, Some(scale)) => scale.of(value),
                        (_, None) => 0.0,
                    }
                }
                (Data::Category(category), Some(evidence)) => match term {
                    Term::Level(level) => f64::from(u8::from(category.level(row) == level)),
                    _ => evidence.scaled(evidence.rows[row]),
                },
                (Data::Category(_), None) => 0.0,
            };
        }
    }
    x
}

/// What a feature's values add to the margin by the lines, before centring.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Number { slope: f64, missing: f64 },
    Category { levels: Vec<f64>, unknown: f64 },
}

/// The lines of features that add nothing.
pub(super) fn flat(features: &[Feature<'_>]) -> Vec<Line> {
    let line = |feature: &Feature<'_>| match &feature.data {
        Data::Number(_) => Line::Number { slope: 0.0, missing: 0.0 },
        Data::Category(category) => Line::Category { levels: vec![0.0; category.counts.len()], unknown: 0.0 },
    };
    features.iter().map(line).collect()
}

/// Adds `share` of a regression's weights to the features' lines.
pub(super) fn add(
    lines: &mut [Line],
    evidence: &[Option<Evidence>],
    terms: &[(usize, Term)],
    weights: &Weights,
    share: f64,
) {
    for (&(position, term), &weight) in terms.iter().zip(&weights.slopes) {
        let weight = share * weight;
        match (&mut lines[position], term) {
            (Line::Number { missing, .. }, Term::Missing) => *missing += weight,
            (Line::Number { slope, .. }, _) => *slope += weight,
            (Line::Category { levels, .. }, Term::Level(level)) => levels[level] += weight,
            (Line::Category { levels, unknown }, _) => {
                let Some(evidence) = &evidence[position] else { continue };
                for (line, &level) in levels.iter_mut().zip(&evidence.levels) {
                    *line += weight * evidence.scaled(level);
                }
                *unknown += weight * evidence.scaled(evidence.base);
            }
        }
    }
}
