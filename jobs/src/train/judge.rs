//! How a model fares beside plain rules and the model in use, and whether it may come into use.

use std::collections::BTreeMap;

use engine::score::{Cases, Cells, MISSING};
use models::tabular::measure;
use serde::{Deserialize, Serialize};

/// Rows of a known label that count as the rate of all, in a group's own.
const PRIOR_ROWS: f64 = 20.0;
/// Positive and negative rows that a comparison needs.
const CLASS_MIN: usize = 10;

/// How probabilities fare on the judged rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) rows: usize,
    pub(crate) positives: usize,
    pub(crate) auc: Option<f64>,
    pub(crate) log_loss: f64,
    pub(crate) brier: f64,
    pub(crate) ece: f64,
}

impl Score {
    pub(crate) fn of(probabilities: &[f64], labels: &[bool]) -> Self {
        let measures = measure(probabilities, labels);
        Self {
            rows: measures.rows,
            positives: measures.positives,
            auc: measures.auc,
            log_loss: measures.log_loss,
            brier: measures.brier,
            ece: measures.ece,
        }
    }
}

/// Whether a model comes into use, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) promoted: bool,
    pub(crate) reason: String,
}

/// What a model is held against, by name: its own score on the same rows, and the other's.
pub(super) fn verdict(against: &[(String, Score, Score)], margin: f64) -> Verdict {
    for (name, own, other) in against {
        let gain = 1.0 - own.log_loss / other.log_loss.max(f64::MIN_POSITIVE);
        if gain.is_nan() || gain < margin {
            let reason = format!(
                "its log loss of {:.4} is not {:.1} % below the {:.4} of {name}",
                own.log_loss,
                100.0 * margin,
                other.log_loss
            );
            return Verdict { promoted: false, reason };
        }
    }
    let names: Vec<&str> = against.iter().map(|(name, ..)| name.as_str()).collect();
    Verdict {
        promoted: true,
        reason: format!(
            "its log loss is at least {:.1} % below that of {}",
            100.0 * margin,
            names.join(", ")
        ),
    }
}

/// Whether both classes are there often enough to compare by.
pub(super) fn comparable(labels: &[bool]) -> bool {
    let positives = labels.iter().filter(|&&label| label).count();
    positives >= CLASS_MIN && labels.len() >= positives + CLASS_MIN
}

/// The rate of all training rows, for each judged row.
pub(super) fn base_rate(train: &[bool], judged: usize) -> Vec<f64> {
    vec![rate(train.iter().copied(), 0.5, 1.0); judged]
}

/// The training rows' rate of each judged row's text, drawn towards the rate of all.
pub(super) fn rate_by(
    cases: &Cases,
    column: &str,
    train: &[usize],
    labels: &[bool],
    judged: &[usize],
) -> Option<Vec<f64>> {
    let Some(Cells::Text { codes, .. }) = cases.column(column) else { return None };
    let all = rate(train.iter().map(|&row| labels[row]), 0.5, 1.0);
    let mut of: BTreeMap<u32, Vec<bool>> = BTreeMap::new();
    for &row in train {
        of.entry(codes[row]).or_default().push(labels[row]);
    }
    let of: BTreeMap<u32, f64> =
        of.into_iter().map(|(code, known)| (code, rate(known.into_iter(), all, PRIOR_ROWS))).collect();
    Some(judged.iter().map(|&row| of.get(&codes[row]).copied().unwrap_or(all)).collect())
}

/// Share of true labels, with `prior` more rows of the given share.
#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
fn rate(labels: impl Iterator<Item = bool>, share: f64, prior: f64) -> f64 {
    let (mut rows, mut positives) = (0_usize, 0_usize);
    for label in labels {
        rows += 1;
        positives += usize::from(label);
    }
    (positives as f64 + prior * share) / (rows as f64 + prior)
}

/// How the model fares on a group of the judged rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) grouping: String,
    pub(crate) value: Option<String>,
    /// What was predicted on the mean.
    pub(crate) mean_p: f64,
    /// What came.
    pub(crate) share: f64,
    pub(crate) score: Score,
}

/// The judged rows by the texts of a column, the largest group first.
#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
pub(super) fn groups(
    cases: &Cases,
    column: &str,
    judged: &[usize],
    probabilities: &[f64],
    labels: &[bool],
) -> Vec<Group> {
    let Some(Cells::Text { codes, levels }) = cases.column(column) else { return Vec::new() };
    let mut of: BTreeMap<u32, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
    for ((&row, &p), &label) in judged.iter().zip(probabilities).zip(labels) {
        let group = of.entry(codes[row]).or_default();
        group.0.push(p);
        group.1.push(label);
    }
    let mut groups: Vec<Group> = of
        .into_iter()
        .map(|(code, (p, labels))| {
            let score = Score::of(&p, &labels);
            let level = usize::try_from(code).ok().filter(|_| code != MISSING);
            Group {
                grouping: column.to_owned(),
                value: level.and_then(|level| levels.get(level).cloned()),
                mean_p: p.iter().sum::<f64>() / p.len() as f64,
                share: score.positives as f64 / score.rows as f64,
                score,
            }
        })
        .collect();
    groups.sort_by(|a, b| b.score.rows.cmp(&a.score.rows).then_with(|| a.value.cmp(&b.value)));
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(log_loss: f64) -> Score {
        Score { rows: 100, positives: 20, auc: None, log_loss, brier: 0.0, ece: 0.0 }
    }

    #[test]
    fn a_model_must_be_better_than_everything_it_is_held_against() {
        let check = |own: f64, others: &[f64], expected: bool| {
            let against: Vec<_> =
                others.iter().map(|&other| ("a rule".to_owned(), score(own), score(other))).collect();
            assert_eq!(verdict(&against, 0.01).promoted, expected, "{own} {others:?}");
        };
        check(0.40, &[0.50, 0.45], true);
        check(0.40, &[0.50, 0.402], false);
        check(0.40, &[0.40], false);
        check(f64::NAN, &[0.5], false);
        check(0.495, &[0.50], true);
    }

    #[test]
    fn few_rows_of_a_class_decide_nothing() {
        let labels = |positives: usize, rows: usize| (0..rows).map(|row| row < positives).collect::<Vec<_>>();
        assert!(comparable(&labels(10, 20)));
        assert!(!comparable(&labels(9, 200)) && !comparable(&labels(20, 29)) && !comparable(&[]));
    }
}
