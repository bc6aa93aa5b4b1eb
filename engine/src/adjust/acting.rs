//! The approved adjustments of a run, and what they do to proposals and quotas.

use std::collections::BTreeMap;

use super::{Change, Request};
use crate::measure::{at, real};
use crate::rule::{Ruled, minor};
use crate::time::Day;

/// An approved adjustment that acts on a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Adjustment {
    /// The request.
    pub request_id: String,
    /// Whose quota.
    pub rep_id: String,
    /// What it becomes.
    pub change: Change,
    /// Whether it acts after the plan has been met.
    pub beyond_plan: bool,
    /// Who approved it.
    pub approved_by: String,
}

/// What an adjustment did. Amounts in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Adjusted {
    /// Position of the adjustment among those of the run.
    pub adjustment: u32,
    /// The proposal before; the quota, for one beyond plan.
    pub before: i64,
    /// The same after.
    pub after: i64,
}

impl Adjustment {
    /// What was approved of a request.
    pub fn of(request: &Request) -> Self {
        Self {
            request_id: request.id.clone(),
            rep_id: request.rep_id.clone(),
            change: request.ask.change,
            beyond_plan: request.ask.beyond_plan,
            approved_by: request.decided.as_ref().map(|(by, _)| by.clone()).unwrap_or_default(),
        }
    }

    fn apply(&self, before: i64) -> i64 {
        match self.change {
            Change::Pin(amount) => amount,
            Change::Percent(percent) => minor(real(before) * (1.0 + percent / 100.0)).max(1),
        }
    }
}

/// The approved adjustments that act on a run of `day` in `period`, in the order of their approval.
pub(crate) fn in_force(requests: &BTreeMap<String, Request>, period: &str, day: Day) -> Vec<Adjustment> {
    let mut acting: Vec<&Request> = requests.values().filter(|request| request.acts(period, day)).collect();
    acting.sort_by_key(|request| (request.decided.as_ref().map(|(_, at)| *at), &request.id));
    acting.into_iter().map(Adjustment::of).collect()
}

/// A hash of all that the adjustments do; `None` without one.
pub(crate) fn hash(adjustments: &[Adjustment]) -> Option<String> {
    let text = format!("{adjustments:?}");
    (!adjustments.is_empty()).then(|| blake3::hash(text.as_bytes()).to_hex()[..32].to_owned())
}

/// The rows of the reps that the adjustments of a run are about; those of nobody on duty do nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placed {
    /// By row the positions of its adjustments, in their order.
    by_row: BTreeMap<usize, Vec<u32>>,
}

impl Placed {
    /// Finds the rows; `row_of` gives that of a rep id.
    pub(crate) fn all(adjustments: &[Adjustment], row_of: impl Fn(&str) -> Option<usize>) -> Self {
        let mut by_row: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        for (position, adjustment) in (0..).zip(adjustments) {
            if let Some(row) = row_of(&adjustment.rep_id) {
                by_row.entry(row).or_default().push(position);
            }
        }
        Self { by_row }
    }

    /// The rows that any is about, rising.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> {
        self.by_row.keys().copied()
    }

    fn of<'a>(
        &self,
        adjustments: &'a [Adjustment],
        row: usize,
        beyond_plan: bool,
    ) -> impl Iterator<Item = (u32, &'a Adjustment)> {
        let positions = self.by_row.get(&row).into_iter().flatten();
        let known = positions.filter_map(|&position| Some((position, adjustments.get(at(position))?)));
        known.filter(move |(_, adjustment)| adjustment.beyond_plan == beyond_plan)
    }

    /// Applies those of a row that act before the plan is met to what the rules left of its proposal.
    pub(crate) fn adjust(&self, adjustments: &[Adjustment], row: usize, ruled: &mut Ruled) {
        for (position, adjustment) in self.of(adjustments, row, false) {
            let before = ruled.proposal;
            ruled.proposal = adjustment.apply(before);
            if matches!(adjustment.change, Change::Pin(_)) || ruled.pinned.is_some() {
                ruled.pinned = Some(ruled.proposal);
            }
            ruled.adjusted.push(Adjusted { adjustment: position, before, after: ruled.proposal });
        }
    }

    /// Applies those of a row beyond plan to its reconciled quota, and returns what becomes of it.
    pub(crate) fn adjust_beyond_plan(
        &self,
        adjustments: &[Adjustment],
        row: usize,
        (ruled, mut quota): (&mut Ruled, i64),
    ) -> i64 {
        for (position, adjustment) in self.of(adjustments, row, true) {
            let before = quota;
            quota = adjustment.apply(before);
            ruled.adjusted.push(Adjusted { adjustment: position, before, after: quota });
        }
        quota
    }
}
