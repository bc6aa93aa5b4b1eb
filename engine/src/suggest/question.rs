//! Conditions worth trying: at least half of the approved satisfy each, and some of the others don't.

use std::collections::{BTreeMap, BTreeSet};

use super::Look;
use super::round::roundest;
use super::rows::{Evidence, Ground, Rows};
use crate::rule::{Condition, Kind, Op, Subject, subjects};

/// Thresholds tried for a subject and a direction.
const CUTS_MAX: usize = 20;
/// A text that names a rep tells of no pattern.
const NAMES_REPS: &str = "rep_id";

/// A condition, and where it holds.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) subject: Subject,
    pub(super) condition: Condition,
    /// Digits of its threshold; 1 for a text.
    pub(super) digits: usize,
    pub(super) reach: Rows,
}

/// All of them: by their reach, so that what can't be told apart is one question, the plainest way to put it first.
pub(super) fn questions(
    ground: &Ground,
    looks: &[Look],
    evidence: &Evidence,
) -> BTreeMap<Rows, Vec<Question>> {
    let approved = evidence.approved.count();
    let mut all: BTreeMap<Rows, Vec<Question>> = BTreeMap::new();
    let tried = subjects().flat_map(|subject| match subject.kind() {
        Kind::Text if subject.key() == NAMES_REPS => Vec::new(),
        Kind::Text => equalities(subject, ground, looks, evidence),
        // A date says something else with every month that passes; the time since then stays what it is.
        Kind::Date => Vec::new(),
        _ => thresholds(subject, ground, looks, evidence),
    });
    for (condition, subject, digits) in tried {
        let holds = |look: usize| match looks.get(look) {
            Some(look) => condition.holds(&look.columns, &(0..look.columns.rows())),
            None => Vec::new(),
        };
        let reach = ground.rows_where(holds);
        let covers = reach.shared(&evidence.approved);
        if covers * 2 >= approved && reach.shared(&evidence.others) < evidence.others.count() {
            all.entry(reach.clone()).or_default().push(Question { subject, condition, digits, reach });
        }
    }
    for alike in all.values_mut() {
        alike.sort_by_key(|question| (question.digits, question.subject));
    }
    all
}

type Tried = (Condition, Subject, usize);

/// The values of a subject among the approved, and among all rows that count, both rising; what is unknown is left out.
fn values(subject: Subject, ground: &Ground, looks: &[Look], evidence: &Evidence) -> (Vec<f64>, Vec<f64>) {
    let (mut approved, mut all) = (Vec::new(), Vec::new());
    for stratum in &ground.strata {
        let Some(cells) = looks.get(stratum.look).and_then(|look| look.columns.numbers(subject)) else {
            continue;
        };
        for (row, &cell) in stratum.rows.clone().zip(cells).filter(|(_, cell)| cell.is_finite()) {
            let is_approved = evidence.approved.has(row);
            if is_approved || evidence.others.has(row) {
                all.push(cell);
            }
            if is_approved {
                approved.push(cell);
            }
        }
    }
    approved.sort_by(f64::total_cmp);
    all.sort_by(f64::total_cmp);
    (approved, all)
}

/// Thresholds that lie between an approved rep and the next one, so that each has its full worth, and nowhere else: the
/// chance of what is found at the n-th approved value is then what it seems, whichever way the values fell.
fn thresholds(subject: Subject, ground: &Ground, looks: &[Look], evidence: &Evidence) -> Vec<Tried> {
    let (approved, all) = values(subject, ground, looks, evidence);
    let least = evidence.approved.count().div_ceil(2).max(1);
    let n = approved.len();
    if n < least {
        return Vec::new();
    }
    let step = (n - least + 1).div_ceil(CUTS_MAX).max(1);
    let mut tried = Vec::new();
    for covered in (least..=n).rev().step_by(step) {
        let top = approved[covered - 1];
        if let Some(next) = all.get(all.partition_point(|&value| value <= top))
            && let Some((value, digits)) = roundest(top, *next)
        {
            tried.push((Condition::Number { subject, op: Op::Less, value }, subject, digits));
        }
        let bottom = approved[n - covered];
        if let Some(next) = all.partition_point(|&value| value < bottom).checked_sub(1)
            && let Some((value, digits)) = roundest(all[next], bottom)
        {
            tried.push((Condition::Number { subject, op: Op::AtLeast, value }, subject, digits));
        }
    }
    tried
}

/// Every name that one of the approved goes by.
fn equalities(subject: Subject, ground: &Ground, looks: &[Look], evidence: &Evidence) -> Vec<Tried> {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for stratum in &ground.strata {
        let texts = looks.get(stratum.look).and_then(|look| look.columns.texts(subject));
        for (_, within) in stratum.rows.clone().zip(0..).filter(|(row, _)| evidence.approved.has(*row)) {
            names.extend(texts.map_or(&[][..], |texts| texts.names(within)).iter().map(String::as_str));
        }
    }
    let one = |name: &str| (Condition::Text { subject, among: vec![name.to_owned()] }, subject, 1);
    names.into_iter().map(one).collect()
}
