//! The approved adjustments of a run, and what they do to proposals and quotas.

use std::collections::BTreeMap;

use super::{Change, Request};
use crate::measure::real;
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

/// The adjustments of a run with the rows of the reps they are about; those of nobody on duty do nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placed<'a> {
    position: u32,
    row: usize,
    adjustment: &'a Adjustment,
}

impl<'a> Placed<'a> {
    /// Finds the rows; `row_of` gives that of a rep id.
    pub(crate) fn all(adjustments: &'a [Adjustment], row_of: impl Fn(&str) -> Option<usize>) -> Vec<Self> {
        let numbered = (0..).zip(adjustments);
        let placed = numbered.filter_map(|(position, adjustment)| {
            Some(Self { position, row: row_of(&adjustment.rep_id)?, adjustment })
        });
        placed.collect()
    }

    /// Applies those that act before the plan is met to what the rules left of the proposals.
    pub(crate) fn adjust(placed: &[Self], ruled: &mut [Ruled]) {
        for Self { position, row, adjustment } in
            placed.iter().filter(|placed| !placed.adjustment.beyond_plan)
        {
            let Some(ruled) = ruled.get_mut(*row) else { continue };
            let before = ruled.proposal;
            ruled.proposal = adjustment.apply(before);
            if matches!(adjustment.change, Change::Pin(_)) || ruled.pinned.is_some() {
                ruled.pinned = Some(ruled.proposal);
            }
            ruled.adjusted.push(Adjusted { adjustment: *position, before, after: ruled.proposal });
        }
    }

    /// Applies those beyond plan to reconciled quotas.
    pub(crate) fn adjust_beyond_plan(placed: &[Self], ruled: &mut [Ruled], quotas: &mut [i64]) {
        for Self { position, row, adjustment } in placed.iter().filter(|placed| placed.adjustment.beyond_plan)
        {
            let (Some(ruled), Some(quota)) = (ruled.get_mut(*row), quotas.get_mut(*row)) else { continue };
            let before = *quota;
            *quota = adjustment.apply(before);
            ruled.adjusted.push(Adjusted { adjustment: *position, before, after: *quota });
        }
    }
}
