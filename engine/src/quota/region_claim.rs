//! What regions ask for, from the leaves of the tree up: the sums of what is below them.

use super::limits::{Bound, Interval, Limits, RelaxOrder};
use super::region_order::{Groups, TopDown};
use super::round::{narrow, sum};

/// Intervals with 0 to 4 layers dropped.
type Nested = [Interval; RelaxOrder::LAYERS + 1];

/// What a region asks its parent for; its edges count as ceiling and floor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) proposal: i64,
    pub(super) nested: Nested,
}

/// The claim of every region: its plan, or the sum of what its own reps and its children claim, within the sums of
/// their intervals.
///
/// `reps` are the members of each region; `plan` is a region's, `rep` a rep's proposal and limits.
pub(super) fn claims<'a>(
    shape: &TopDown,
    reps: &Groups,
    order: RelaxOrder,
    plan: impl Fn(usize) -> Option<i64>,
    rep: impl Fn(usize) -> (i64, &'a Limits),
) -> Vec<Claim> {
    let nothing = Interval { lower: 0, upper: 0, lower_by: Bound::Floor, upper_by: Bound::Ceiling };
    let empty = Claim { proposal: 0, nested: [nothing; RelaxOrder::LAYERS + 1] };
    let mut claims = vec![empty; shape.order.len()];
    for &region in shape.order.iter().rev() {
        let mut claim = claims[region];
        for &member in reps.members(region) {
            let (proposal, limits) = rep(member);
            claim.add(proposal, &limits.nested(order));
        }
        if let Some(plan) = plan(region) {
            claim.proposal = plan.max(0);
        }
        claims[region] = claim;
        if let Some(parent) = shape.parent[region] {
            claims[parent].add(claim.proposal, &claim.nested);
        }
    }
    claims
}

impl Claim {
    /// Adds what a rep or a child claims; amounts beyond 64 bits stay at their largest.
    fn add(&mut self, proposal: i64, nested: &Nested) {
        self.proposal = narrow(sum(&[self.proposal, proposal.max(0)]));
        for (mine, more) in self.nested.iter_mut().zip(nested) {
            mine.lower = mine.lower.saturating_add(more.lower);
            mine.upper = mine.upper.saturating_add(more.upper);
        }
    }
}
