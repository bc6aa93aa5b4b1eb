//! What a day's rules do to proposals and limits, rep by rep, in their order.

use std::ops::Range;

use rayon::prelude::*;

use super::{Action, Amount, Book, Columns, Condition, Rule, Scope, Subject};
use crate::adjust::Adjusted;
use crate::measure::{at, real};
use crate::time::Day;

/// What rules, and approved adjustments after them, did to one rep. Money in minor units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ruled {
    /// The proposal after them.
    pub proposal: i64,
    /// The least that rules allow.
    pub floor: Option<i64>,
    /// The most that rules allow.
    pub cap: Option<i64>,
    /// Whether the quota stays what it was.
    pub frozen: bool,
    /// What a rule says that attainment weighs.
    pub weight: Option<f64>,
    /// What happened, in order.
    pub steps: Vec<Step>,
    /// Rules, by position in the book, that act after the plan has been met.
    pub beyond: Vec<u32>,
    /// What an approved adjustment says that the quota is, whatever the limits.
    pub pinned: Option<i64>,
    /// What approved adjustments did after the rules, in order.
    pub adjusted: Vec<Adjusted>,
}

/// One action of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Position of the rule in its book.
    pub rule: u32,
    /// Position of the action in its rule.
    pub action: u32,
    /// The proposal before; the quota, for a rule beyond plan.
    pub before: i64,
    /// The same after.
    pub after: i64,
}

impl Book {
    /// A hash of everything the rules say; `None` without a rule.
    pub fn hash(&self) -> Option<String> {
        // Wherever they stand in their file.
        let rules: Vec<Rule> = self.rules.iter().map(|rule| Rule { line: 0, ..rule.clone() }).collect();
        (!rules.is_empty()).then(|| blake3::hash(format!("{rules:?}").as_bytes()).to_hex()[..32].to_owned())
    }
}

impl Rule {
    /// Whether the rule is in force on `day`.
    pub fn in_force(&self, day: Day) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Of a range of rows, per row: whether the rule, where it is in force, acts there.
    pub fn touches(&self, columns: &Columns, rows: &Range<usize>) -> Vec<bool> {
        let mut touched = self.condition.holds(columns, rows);
        let (key, names) = match &self.scope {
            Scope::Company => return touched,
            Scope::Region(names) => ("region_id", names),
            Scope::Manager(names) => ("manager_id", names),
            Scope::Rep(names) => ("rep_id", names),
        };
        if let Some(subject) = Subject::find(key) {
            let within = Condition::Text { subject, among: names.clone() }.holds(columns, rows);
            touched.iter_mut().zip(within).for_each(|(touched, within)| *touched &= within);
        }
        touched
    }
}

/// Rows that all rules act on before the next: their columns stay in a core's cache.
const ROWS: usize = 2_048;

/// Applies the rules in force on `day`, in their order.
///
/// `proposals` and `bases` are `(n_reps)`, in the order of the rows of `columns`; minor units.
pub fn apply(book: &Book, day: Day, columns: &Columns, proposals: &[i64], bases: &[i64]) -> Vec<Ruled> {
    let mut ruled: Vec<Ruled> =
        proposals.iter().map(|&proposal| Ruled { proposal, ..Ruled::default() }).collect();
    let in_force: Vec<(u32, &Rule)> = (0..).zip(&book.rules).filter(|(_, rule)| rule.in_force(day)).collect();
    let parts = ruled.par_chunks_mut(ROWS).zip(bases.par_chunks(ROWS)).enumerate();
    parts.for_each(|(part, (ruled, bases))| {
        let rows = part * ROWS..part * ROWS + ruled.len();
        for &(position, rule) in &in_force {
            let reps = ruled.iter_mut().zip(bases).zip(rule.touches(columns, &rows));
            for ((ruled, &base), _) in reps.filter(|(_, touched)| *touched) {
                if rule.beyond_plan {
                    ruled.beyond.push(position);
                    set_weight(rule, ruled);
                } else {
                    act(position, rule, ruled, base);
                }
            }
        }
    });
    ruled
}

fn set_weight(rule: &Rule, ruled: &mut Ruled) {
    for action in &rule.actions {
        if let Action::Weight(weight) = action {
            ruled.weight = Some(*weight);
        }
    }
}

fn act(position: u32, rule: &Rule, ruled: &mut Ruled, base: i64) {
    for (number, action) in (0..).zip(&rule.actions) {
        let before = ruled.proposal;
        match action {
            Action::Raise(_) | Action::Lower(_) => ruled.proposal = moved(action, before, base),
            Action::Cap(amount) => {
                let cap = limit(*amount, base);
                ruled.cap = Some(ruled.cap.map_or(cap, |known| known.min(cap)));
            }
            Action::Floor(amount) => {
                let floor = limit(*amount, base);
                ruled.floor = Some(ruled.floor.map_or(floor, |known| known.max(floor)));
            }
            Action::Freeze => ruled.frozen = true,
            Action::Weight(weight) => ruled.weight = Some(*weight),
            Action::Alert { .. } => {}
        }
        ruled.steps.push(Step { rule: position, action: number, before, after: ruled.proposal });
    }
}

/// What rules beyond plan make of a reconciled quota; their steps are noted. `previous` is what a freeze keeps.
pub(crate) fn apply_beyond_plan(
    book: &Book,
    ruled: &mut Ruled,
    (quota, base): (i64, i64),
    previous: Option<i64>,
) -> i64 {
    let mut after = quota;
    for position in std::mem::take(&mut ruled.beyond) {
        let Some(rule) = book.rules.get(at(position)) else { continue };
        for (number, action) in (0..).zip(&rule.actions) {
            let before = after;
            after = match action {
                Action::Freeze => previous.unwrap_or(before),
                other => moved(other, before, base),
            };
            ruled.steps.push(Step { rule: position, action: number, before, after });
        }
    }
    after
}

/// An amount after an action that acts on it directly.
fn moved(action: &Action, before: i64, base: i64) -> i64 {
    let by = |amount: Amount| match amount {
        Amount::Share(share) => minor(real(before) * share),
        Amount::Money(money) => money,
    };
    match action {
        Action::Raise(amount) => before.saturating_add(by(*amount)),
        Action::Lower(amount) => before.saturating_sub(by(*amount)).max(1),
        Action::Cap(amount) => before.min(limit(*amount, base)),
        Action::Floor(amount) => before.max(limit(*amount, base)),
        Action::Freeze | Action::Weight(_) | Action::Alert { .. } => before,
    }
}

fn limit(amount: Amount, base: i64) -> i64 {
    match amount {
        Amount::Share(share) => minor(real(base) * share),
        Amount::Money(money) => money,
    }
    .max(0)
}

/// A share of an amount, to the nearest minor unit.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds exactly")]
pub(crate) fn minor(value: f64) -> i64 {
    if value.is_finite() { value.round().clamp(-9.0e15, 9.0e15) as i64 } else { 0 }
}
