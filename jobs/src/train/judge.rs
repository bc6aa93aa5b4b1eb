//! How a model fares beside plain rules and the model in use, and whether it may come into use.

use std::collections::{BTreeMap, BTreeSet};

use engine::score::HORIZON_DAYS;
use engine::time::{Day, date};
use models::tabular::measure;
use serde::{Deserialize, Serialize};

/// Where judged days begin, as a share of the days looked at.
const JUDGED_FROM: f64 = 0.75;
/// Rows of a known label that count as the rate of all, in a group's own.
const PRIOR_ROWS: f64 = 20.0;
/// Positive and negative rows that a comparison needs.
const CLASS_MIN: usize = 10;

/// The rows that a model is judged on, and those whose outcome was known on the first judged day.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) from: Day,
    pub(super) train: Vec<usize>,
    pub(super) judged: Vec<usize>,
}

impl Split {
    /// The labels of the judged rows.
    pub(super) fn labels(&self, labels: &[bool]) -> Vec<bool> {
        self.judged.iter().map(|&row| labels[row]).collect()
    }

    /// The first and the last judged day.
    pub(super) fn span(&self, days: &[Day]) -> (Day, Day) {
        let last = self.judged.last().map_or(self.from, |&row| days[row]);
        (self.from, last)
    }
}

/// Splits rows in the order of their days: judged are those of the last quarter of the days. None where either part is too
/// small.
pub(super) fn judged_days(days: &[Day], labels: &[bool], rows_min: usize) -> Option<Split> {
    let looks = distinct(days);
    split(days, labels, (*looks.get(cut(looks.len()))?, Day::MAX), rows_min)
}

/// The days, each once, in order.
pub(super) fn distinct(days: &[Day]) -> Vec<Day> {
    days.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

/// Splits rows: judged are those from one day to another. None where either part is too small.
pub(super) fn split(days: &[Day], labels: &[bool], (from, to): (Day, Day), rows_min: usize) -> Option<Split> {
    let rows = |keep: &dyn Fn(Day) -> bool| -> Vec<usize> {
        (0..days.len()).filter(|&row| keep(days[row])).collect()
    };
    let (train, judged) = (rows(&|day| day <= from - HORIZON_DAYS), rows(&|day| (from..=to).contains(&day)));
    let both = |of: &[usize]| comparable(&of.iter().map(|&row| labels[row]).collect::<Vec<_>>());
    let enough = train.len() >= rows_min && both(&train) && both(&judged);
    enough.then_some(Split { from, train, judged })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of some days"
)]
pub(super) fn cut(days: usize) -> usize {
    (days as f64 * JUDGED_FROM) as usize
}

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

/// A model beside others, by the judged rows.
#[derive(Debug)]
pub(super) struct Compared<'a> {
    judged: &'a [usize],
    labels: Vec<bool>,
    own: &'a [f64],
    /// What it is held against, by name: its own score on the same rows, and the other's.
    pub(super) against: Vec<(String, Score, Score)>,
}

impl<'a> Compared<'a> {
    /// `own`: what the model says of the judged rows.
    pub(super) fn new(split: &'a Split, labels: &[bool], own: &'a [f64]) -> Self {
        Self { judged: &split.judged, labels: split.labels(labels), own, against: Vec::new() }
    }

    /// How the model fares on all judged rows.
    pub(super) fn own(&self) -> Score {
        Score::of(self.own, &self.labels)
    }

    /// Holds it against what a plain rule says of the judged rows.
    pub(super) fn plain(&mut self, name: &str, theirs: &[f64]) {
        let (own, theirs) = (self.own(), Score::of(theirs, &self.labels));
        self.against.push((name.to_owned(), own, theirs));
    }

    /// Holds it against the model in use, and decides. Outcomes that the model in use has learnt from would flatter it, so
    /// rows count whose time was not over when it was fitted; where those are too few, it stays.
    pub(super) fn in_use(
        &mut self,
        id: &str,
        fitted_on: Day,
        days: &[Day],
        theirs: &[f64],
        margin: f64,
    ) -> Verdict {
        let new: Vec<usize> = (0..self.judged.len())
            .filter(|&place| days[self.judged[place]] > fitted_on - HORIZON_DAYS)
            .collect();
        let of = |p: &[f64]| new.iter().map(|&place| p[place]).collect::<Vec<f64>>();
        let labels: Vec<bool> = new.iter().map(|&place| self.labels[place]).collect();
        if comparable(&labels) {
            let (own, theirs) = (Score::of(&of(self.own), &labels), Score::of(&of(theirs), &labels));
            self.against.push((format!("the model in use ({id})"), own, theirs));
            return self.verdict(margin);
        }
        let ruling = self.verdict(margin);
        if !ruling.promoted {
            return ruling;
        }
        let reason = format!(
            "too few outcomes are known that the model in use ({id}, fitted as of {}) has not learnt from",
            date(fitted_on)
        );
        Verdict { promoted: false, reason }
    }

    /// Whether it is better than all by the margin.
    pub(super) fn verdict(&self, margin: f64) -> Verdict {
        verdict(&self.against, margin)
    }
}

fn verdict(against: &[(String, Score, Score)], margin: f64) -> Verdict {
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
pub(super) fn base_rate(split: &Split, labels: &[bool]) -> Vec<f64> {
    let all = rate(split.train.iter().map(|&row| labels[row]), 0.5, 1.0);
    vec![all; split.judged.len()]
}

/// The training rows' rate of each judged row's code, drawn towards the rate of all. `codes` are by row.
pub(super) fn rate_by<C: Ord + Copy>(codes: &[C], split: &Split, labels: &[bool]) -> Vec<f64> {
    let all = rate(split.train.iter().map(|&row| labels[row]), 0.5, 1.0);
    let mut of: BTreeMap<C, Vec<bool>> = BTreeMap::new();
    for &row in &split.train {
        of.entry(codes[row]).or_default().push(labels[row]);
    }
    let of: BTreeMap<C, f64> =
        of.into_iter().map(|(code, known)| (code, rate(known.into_iter(), all, PRIOR_ROWS))).collect();
    split.judged.iter().map(|&row| of.get(&codes[row]).copied().unwrap_or(all)).collect()
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

/// The judged rows, to be told apart.
#[derive(Debug)]
pub(super) struct Groups<'a> {
    split: &'a Split,
    labels: &'a [bool],
    own: &'a [f64],
}

impl<'a> Groups<'a> {
    pub(super) fn new(split: &'a Split, labels: &'a [bool], own: &'a [f64]) -> Self {
        Self { split, labels, own }
    }

    /// By the code of each row, the largest group first.
    #[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
    pub(super) fn by<C: Ord + Copy>(
        &self,
        grouping: &str,
        codes: &[Option<C>],
        name: impl Fn(&C) -> Option<String>,
    ) -> Vec<Group> {
        let mut of: BTreeMap<Option<C>, (Vec<f64>, Vec<bool>)> = BTreeMap::new();
        for (&row, &p) in self.split.judged.iter().zip(self.own) {
            let group = of.entry(codes[row]).or_default();
            group.0.push(p);
            group.1.push(self.labels[row]);
        }
        let mut groups: Vec<Group> = of
            .into_iter()
            .map(|(code, (p, labels))| {
                let score = Score::of(&p, &labels);
                Group {
                    grouping: grouping.to_owned(),
                    value: code.as_ref().and_then(&name),
                    mean_p: p.iter().sum::<f64>() / p.len() as f64,
                    share: score.positives as f64 / score.rows as f64,
                    score,
                }
            })
            .collect();
        groups.sort_by(|a, b| b.score.rows.cmp(&a.score.rows).then_with(|| a.value.cmp(&b.value)));
        groups
    }
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

    #[test]
    fn what_is_judged_was_not_known_to_what_it_is_judged_by() {
        let days: Vec<Day> = (0..20).flat_map(|look| [7 * look; 30]).collect();
        let labels: Vec<bool> = (0..days.len()).map(|row| row % 3 == 0).collect();
        let split = judged_days(&days, &labels, 100).unwrap();
        assert_eq!((split.from, split.span(&days)), (105, (105, 133)));
        assert!(split.train.iter().all(|&row| days[row] + HORIZON_DAYS <= 105));
        assert_eq!((split.train.len(), split.judged.len()), (11 * 30, 5 * 30));
        assert!(judged_days(&days, &labels, 331).is_none() && judged_days(&[], &[], 0).is_none());
        assert!(judged_days(&days, &vec![false; days.len()], 100).is_none());
    }

    #[test]
    fn the_model_in_use_is_compared_on_what_is_new_to_it() {
        let days: Vec<Day> = (0..20).flat_map(|look| [7 * look; 30]).collect();
        let labels: Vec<bool> = (0..days.len()).map(|row| row % 3 == 0).collect();
        let split = judged_days(&days, &labels, 100).unwrap();
        let good: Vec<f64> = split.labels(&labels).iter().map(|&yes| if yes { 0.8 } else { 0.1 }).collect();
        let poor = vec![0.4; good.len()];
        let check = |fitted_on: Day, theirs: &[f64], promoted: bool, said: &str| {
            let mut compared = Compared::new(&split, &labels, &good);
            compared.plain("the base rate", &base_rate(&split, &labels));
            let ruling = compared.in_use("aa", fitted_on, &days, theirs, 0.005);
            assert_eq!(ruling.promoted, promoted, "{ruling:?}");
            assert!(ruling.reason.contains(said), "{ruling:?}");
        };
        check(140, &poor, true, "the model in use (aa)");
        check(140, &good, false, "the model in use (aa)");
        // All judged days but none after 163 − 30 were over when it was fitted.
        check(163, &poor, false, "too few outcomes");
    }
}
