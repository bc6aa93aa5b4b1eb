//! How good a fitted model is, as text for a person and as JSON.

use std::fmt::Write as _;
use std::path::Path;

use models::tabular::{Choices, Measures};
use serde::Serialize;

use super::words::count;

/// Features shown in the terminal; the JSON has all.
const FEATURES_SHOWN: usize = 12;

/// What `report.json` holds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) label: String,
    pub(crate) positive: String,
    pub(crate) train_rows: usize,
    pub(crate) train_positives: usize,
    /// Which rows `measures` are of.
    pub(crate) basis: Basis,
    /// Whether validation looked forward in time only.
    pub(crate) in_time: bool,
    /// Rows that stood behind a later one and were sorted.
    pub(crate) rows_out_of_order: usize,
    pub(crate) measures: Measures,
    pub(crate) features: Vec<Feature>,
    /// Columns that are no features, and why.
    pub(crate) left_out: Vec<(String, String)>,
    pub(crate) choices: Choices,
}

/// Which rows were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Basis {
    /// Rows kept back, that nothing was fitted on or chosen by.
    Test,
    /// Training rows, each judged by parts that were not fitted on it; blend and calibration were.
    OutOfFold,
    /// Training rows that the model was fitted on.
    InSample,
}

/// How much a column moves the probability.
#[derive(Debug, Serialize)]
pub(crate) struct Feature {
    pub(crate) column: String,
    /// Mean size of its term in log-odds.
    pub(crate) mean_log_odds: f64,
}

/// The report for a terminal.
pub(crate) fn text(report: &Report, dir: &Path) -> String {
    let number = |n: usize| count(n.try_into().unwrap_or(u64::MAX));
    let measures = &report.measures;
    let share = |part: usize, of: usize| if of == 0 { 0.0 } else { 100.0 * ratio(part, of) };
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    line(format!(
        "MODEL of {} = {}, fitted on {} rows, {:.1} % positive",
        report.label,
        report.positive,
        number(report.train_rows),
        share(report.train_positives, report.train_rows)
    ));
    line(format!(
        "  measured on {} {}, {:.1} % positive",
        number(measures.rows),
        match report.basis {
            Basis::Test => "test rows that nothing was fitted on or chosen by",
            Basis::OutOfFold =>
                "training rows, each judged by parts not fitted on it (out of fold; keep a test with --split)",
            Basis::InSample =>
                "training rows that the model knows (in sample: too good; too few rows for folds)",
        },
        share(measures.positives, measures.rows)
    ));
    if report.rows_out_of_order > 0 {
        let n = number(report.rows_out_of_order);
        line(format!("  {n} rows stood behind a later one and were sorted by time"));
    }
    let auc = measures.auc.map_or("none (one class)".to_owned(), |auc| format!("{auc:.4}"));
    line(format!(
        "  AUC {auc}   log loss {:.4}   Brier {:.4}   ECE {:.4}",
        measures.log_loss, measures.brier, measures.ece
    ));
    line(format!("  chosen by {}", chosen(&report.choices, report.in_time)));
    line("LIFT by decile of probability".to_owned());
    line("  decile    rows  positive  mean p    lift  captured".to_owned());
    for decile in &measures.deciles {
        line(format!(
            "  {:>6}  {:>6}  {:>8}  {:>6.3}  {:>6.2}  {:>7.1} %",
            decile.decile,
            decile.rows,
            decile.positives,
            decile.mean_probability,
            decile.lift,
            100.0 * decile.captured
        ));
    }
    line("CALIBRATION".to_owned());
    line("  probability    rows  mean p   share".to_owned());
    for bin in &measures.calibration {
        let (from, to) = (bin.from, bin.to);
        line(format!(
            "  {from:.1} to {to:.1}   {:>6}  {:>6.3}  {:>6.3}",
            bin.rows, bin.mean_probability, bin.share
        ));
    }
    line("STRONGEST columns, by the mean size of their term in log-odds".to_owned());
    for feature in report.features.iter().take(FEATURES_SHOWN) {
        line(format!("  {:>7.3}  {}", feature.mean_log_odds, feature.column));
    }
    for (column, reason) in &report.left_out {
        line(format!("  left out: {column}, since {reason}"));
    }
    let _infallible = write!(text, "The model and report.json are in {}", dir.display());
    text
}

#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn ratio(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

fn chosen(choices: &Choices, in_time: bool) -> String {
    let folds = match (choices.folds, in_time) {
        (0, _) => return "default: too few rows of a class to validate".to_owned(),
        (folds, true) => format!("{folds} folds, each judging later rows only"),
        (folds, false) => format!("{folds} folds"),
    };
    let regressions = choices.regression_weights.iter().zip(&choices.penalties);
    let regressions: Vec<String> = regressions
        .filter(|(weight, _)| **weight > 0.0)
        .map(|(weight, penalty)| format!("{weight:.2} x regression (penalty {penalty})"))
        .collect();
    let mut parts = regressions;
    if choices.trees_weight > 0.0 && choices.trees > 0 {
        parts.push(format!("{:.2} x {} trees", choices.trees_weight, choices.trees));
    }
    let steps = if choices.isotonic { ", isotonic calibration" } else { ", Platt calibration" };
    format!("{folds}: {}{steps}", parts.join(" + "))
}
