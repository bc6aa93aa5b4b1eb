//! Fitting: parts on folds, choices by the rows left out, parts on all rows, blend, calibration.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::assemble::rules;
use super::boost::{Booster, Grown, Settings, grow};
use super::calibrate::{Calibration, Scored};
use super::design::{Line, Style, Term, add, flat, matrix, terms};
use super::error::TabularError;
use super::evidence::{Evidence, encode};
use super::feature::{Data, Feature, LeftOut, features};
use super::folds::{Fold, Order, folds};
use super::frame::Frame;
use super::held::Held;
use super::linear::{ROWS_MAX, Weights, path};
use super::model::{Model, Schema};
use super::real;

/// Rows that a model is fitted on at least.
const ROWS_MIN: usize = 10;
/// The path of penalties, strongest first.
const PENALTIES: [f64; 3] = [100.0, 10.0, 1.0];
/// How trees are grown.
const TREES: Settings = Settings {
    depth: 4,
    rate: 0.1,
    ridge: 3.0,
    rows: 180,
    features: 0.6,
    rounds: 300,
    step: 10,
    patience: 4,
};

/// What a fit depends on beside the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Whether the rows are in the order of time.
    pub order: Order,
    /// The seed of all draws.
    pub seed: u64,
    /// The column that the order comes from, where it is one: its trend is not learnt.
    pub time: Option<String>,
}

/// What validation chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// Folds that validated.
    pub folds: usize,
    /// Penalties of the regressions on indicators and on evidence; the second only where there are categories.
    pub penalties: Vec<f64>,
    /// Weights of their margins in the blend.
    pub regression_weights: Vec<f64>,
    /// Trees of a booster.
    pub trees: usize,
    /// Weight of the trees' margin.
    pub trees_weight: f64,
    /// Whether isotonic regression was put on top of Platt scaling.
    pub isotonic: bool,
}

/// A fitted model and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The model.
    pub model: Model,
    /// The probability of each training row that no part fitted on it gives; none for rows that no fold judged.
    pub out_of_fold: Vec<Option<Scored>>,
    /// Columns that the model doesn't use.
    pub left_out: Vec<LeftOut>,
    /// What validation chose.
    pub choices: Choices,
}

/// The categories of all features, encoded by the labels of some rows; none for numbers.
type Encoded = Vec<Option<Evidence>>;
/// The columns of a design.
type Terms = Vec<(usize, Term)>;

/// What the parts fitted on a fold say of the rows it judges.
struct Judged {
    encoded: Encoded,
    /// By design and penalty.
    lines: Vec<Vec<Vec<f64>>>,
    grown: Grown,
}

/// Fits a model of `labels` on `frame`, whose every column is a candidate.
///
/// The same input gives the same bytes on any number of threads.
///
/// # Errors
/// [`TabularError::Length`], [`TabularError::TooFewRows`], [`TabularError::OneClass`], [`TabularError::NoFeature`],
/// [`TabularError::Solver`].
pub fn fit(frame: &Frame, labels: &[bool], options: &FitOptions) -> Result<Fitted, TabularError> {
    check(frame, labels)?;
    let (features, left_out) = features(frame, options.time.as_deref())?;
    let mut designs: Vec<Terms> =
        [Style::Indicators, Style::Evidence].iter().map(|&style| terms(&features, style)).collect();
    designs.dedup();
    let folds = folds(labels, options.order, options.seed);
    let judged: Vec<Judged> = folds
        .par_iter()
        .enumerate()
        .map(|(position, fold)| judge(&features, &designs, labels, fold, options.seed ^ position as u64))
        .collect::<Result<_, _>>()?;
    let held = Held::new(&folds, labels);
    let penalties: Vec<usize> = (0..designs.len())
        .map(|design| held.best(PENALTIES.len(), |fold, at| held.loss(fold, &judged[fold].lines[design][at])))
        .collect();
    let looks = judged.iter().map(|judged| judged.grown.losses.len()).min().unwrap_or(1);
    let trees =
        TREES.step * held.best(looks, |fold, at| judged[fold].grown.losses[at] * real(folds[fold].weight));
    let mut parts: Vec<Vec<f64>> = (0..designs.len())
        .map(|design| held.join(|fold| judged[fold].lines[design][penalties[design]].clone()))
        .collect();
    parts.push(held.join(|fold| tree_margins(&features, &judged[fold], trees, &folds[fold].judge)));
    let in_time = options.order == Order::Time;
    let blended = held.blend(&parts, in_time)?;
    let encoded = encode_all(&features, labels, &all(labels));
    let (lines, lines_intercept) = full_lines(&features, &encoded, &designs, labels, &penalties, &blended)?;
    let trees_weight = blended.slopes[designs.len()];
    let boosters: Vec<(Booster, &[Option<Evidence>])> = if trees_weight <= 0.0 || trees == 0 {
        Vec::new()
    } else if in_time {
        // Models of folds in time know nothing of the latest rows.
        let settings = Settings { rounds: trees, ..TREES };
        let grown = grow(&codes(&features, &encoded), labels, &all(labels), &[], settings, options.seed);
        vec![(grown.booster, &encoded)]
    } else {
        judged.iter().map(|judged| (judged.grown.booster.first(trees), judged.encoded.as_slice())).collect()
    };
    let margins: Vec<f64> = (0..held.rows.len()).map(|row| blended.margin(&parts, row)).collect();
    let calibration = Calibration::fit(&margins, &held.labels, &held.weights, in_time);
    let mut out_of_fold = vec![None; labels.len()];
    for (&row, &margin) in held.rows.iter().zip(&margins) {
        out_of_fold[row] = Some(calibration.apply(margin));
    }
    let choices = Choices {
        folds: folds.len(),
        penalties: penalties.iter().map(|&at| PENALTIES[at]).collect(),
        regression_weights: blended.slopes[..designs.len()].to_vec(),
        trees,
        trees_weight,
        isotonic: calibration.is_isotonic(),
    };
    let (columns, places) = schema(frame, &features);
    let (rules, centre) = rules(&features, &places, &lines, &boosters);
    let boost_weight = trees_weight / real(boosters.len().max(1));
    // Without trees their margin is the average that they would have started from.
    let start = if boosters.is_empty() { trees_weight * average(labels) } else { 0.0 };
    let boosters = boosters.into_iter().map(|(booster, _)| booster).collect();
    let intercept = blended.intercept + lines_intercept + centre + start;
    let model = Model { columns, features: rules, intercept, boosters, boost_weight, calibration };
    Ok(Fitted { model, out_of_fold, left_out, choices })
}

fn check(frame: &Frame, labels: &[bool]) -> Result<(), TabularError> {
    let rows = frame.rows();
    if labels.len() != rows {
        return Err(TabularError::Length { column: "label".to_owned(), expected: rows, found: labels.len() });
    }
    if rows < ROWS_MIN {
        return Err(TabularError::TooFewRows { rows, needed: ROWS_MIN });
    }
    let positives = labels.iter().filter(|&&label| label).count();
    if positives < 2 || rows < positives + 2 {
        return Err(TabularError::OneClass { positives, rows });
    }
    Ok(())
}

fn all(labels: &[bool]) -> Vec<usize> {
    (0..labels.len()).collect()
}

/// Evenly spaced rows, at most as many as a regression needs.
fn spaced(rows: &[usize]) -> Vec<usize> {
    let n = rows.len().min(ROWS_MAX);
    (0..n).map(|position| rows[position * rows.len() / n]).collect()
}

/// The log-odds of a label.
fn average(labels: &[bool]) -> f64 {
    let positives = real(labels.iter().filter(|&&label| label).count());
    ((positives + 0.5) / (real(labels.len()) - positives + 0.5)).ln()
}

fn encode_all(features: &[Feature<'_>], labels: &[bool], train: &[usize]) -> Encoded {
    let of = |feature: &Feature<'_>| match &feature.data {
        Data::Number(_) => None,
        Data::Category(category) => Some(encode(category, labels, train)),
    };
    features.par_iter().map(of).collect()
}

/// The codes that trees read, by feature and row.
fn codes<'a>(features: &'a [Feature<'_>], encoded: &'a [Option<Evidence>]) -> Vec<&'a [u8]> {
    let of = |(feature, evidence): (&'a Feature<'_>, &'a Option<Evidence>)| match (&feature.data, evidence) {
        (_, Some(evidence)) => evidence.codes.as_slice(),
        (Data::Number(number), None) => number.codes.as_slice(),
        (Data::Category(_), None) => &[],
    };
    features.iter().zip(encoded).map(of).collect()
}

fn judge(
    features: &[Feature<'_>],
    designs: &[Terms],
    labels: &[bool],
    fold: &Fold,
    seed: u64,
) -> Result<Judged, TabularError> {
    let encoded = encode_all(features, labels, &fold.train);
    let rows = spaced(&fold.train);
    let row_labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
    let line = |terms: &Terms| -> Result<Vec<Vec<f64>>, TabularError> {
        let fitted = path(&matrix(features, &encoded, terms, &rows), &row_labels, &PENALTIES)?;
        let judged = matrix(features, &encoded, terms, &fold.judge);
        Ok(fitted.iter().map(|weights| weights.margins(&judged)).collect())
    };
    let (lines, grown) = rayon::join(
        || designs.par_iter().map(line).collect::<Result<Vec<_>, _>>(),
        || grow(&codes(features, &encoded), labels, &fold.train, &fold.judge, TREES, seed),
    );
    Ok(Judged { lines: lines?, grown, encoded })
}

fn tree_margins(features: &[Feature<'_>], judged: &Judged, trees: usize, rows: &[usize]) -> Vec<f64> {
    let codes = codes(features, &judged.encoded);
    let codes: Vec<Vec<u8>> =
        codes.iter().map(|codes| rows.iter().map(|&row| codes[row]).collect()).collect();
    judged.grown.booster.first(trees).margins(&codes, rows.len())
}

/// The regressions on all rows, blended: lines by feature, and the intercept.
fn full_lines(
    features: &[Feature<'_>],
    encoded: &[Option<Evidence>],
    designs: &[Terms],
    labels: &[bool],
    penalties: &[usize],
    blended: &Weights,
) -> Result<(Vec<Line>, f64), TabularError> {
    let rows = spaced(&all(labels));
    let row_labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
    let fitted: Vec<Option<Weights>> = designs
        .par_iter()
        .enumerate()
        .map(|(design, terms)| {
            if blended.slopes[design] <= 0.0 {
                return Ok(None);
            }
            let x = matrix(features, encoded, terms, &rows);
            Ok(path(&x, &row_labels, &PENALTIES[..=penalties[design]])?.pop())
        })
        .collect::<Result<_, _>>()?;
    let mut lines = flat(features);
    let mut intercept = 0.0;
    for (design, weights) in fitted.iter().enumerate() {
        if let Some(weights) = weights {
            let share = blended.slopes[design];
            add(&mut lines, encoded, &designs[design], weights, share);
            intercept += share * weights.intercept;
        }
    }
    Ok((lines, intercept))
}

/// The columns that features are made of, and the place of each of the frame's columns among them.
fn schema(frame: &Frame, features: &[Feature<'_>]) -> (Vec<Schema>, Vec<usize>) {
    let mut columns = Vec::new();
    let mut places = Vec::new();
    for (position, column) in frame.columns().iter().enumerate() {
        places.push(columns.len());
        if features.iter().any(|feature| feature.column == position) {
            columns.push(Schema { name: column.name.clone(), kind: column.values.kind() });
        }
    }
    (columns, places)
}
