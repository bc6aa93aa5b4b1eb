//! Reconciliation of regions inside regions, from the top down.
//!
//! A region with a target (its plan, or what its parent allotted to it) divides it among its own reps and its
//! child regions. A child claims its plan, or without one the sum of what its reps and children claim; its bounds
//! are the sums of the bounds below it. Each child then divides what it was allotted. So a parent's plan wins over
//! its children's. Without a plan above or of its own, a region keeps its reps' proposals, clipped.

use super::error::{QuotaError, check_length};
use super::limits::{Bound, Limits, RelaxOrder, Side};
use super::reconcile::{Relaxation, contradictions, report, solve};
use super::region_claim::{Claim, claims};
use super::region_order::{Groups, TopDown, index, top_down};
use super::round::narrow;

/// One region of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Region {
    /// The index of the region above; `None` for a root.
    pub parent: Option<u32>,
    /// The plan of the period in minor units.
    pub plan: Option<i64>,
}

/// What became of one region; sums are over its own reps and all regions below.
#[derive(Debug, Clone, PartialEq)]
pub struct RegionOutcome {
    /// Its own plan, as given.
    pub plan: Option<i64>,
    /// What its parent gave it to divide; `None` if no region above has a plan.
    pub allotted: Option<i64>,
    /// The sum of the quotas.
    pub quota_total: i64,
    /// `quota_total − plan`.
    pub difference: Option<i64>,
    /// The scale of the region's own reps.
    pub scale: f64,
    /// The sum by which limits of reps gave way.
    pub relaxed: i64,
    /// What gave way for the region's own reps.
    pub relaxations: Vec<Relaxation>,
    /// Reps that a limit holds.
    pub binding_reps: usize,
}

/// Something in the tree that a person should look at; it didn't stop the run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A region names a parent that doesn't exist; it was taken for a root.
    UnknownParent {
        /// The region.
        region: usize,
        /// The parent it names.
        parent: u32,
    },
    /// Regions are each other's parents; the first of these was taken for a root.
    Cycle {
        /// The regions, from the lowest along their parents.
        regions: Vec<usize>,
    },
    /// A region has a plan, and neither it nor a region below has a rep.
    PlanWithoutReps {
        /// The region.
        region: usize,
        /// Its plan in minor units.
        plan: i64,
    },
    /// Reps of no region; they keep their proposals, clipped.
    RepsWithoutRegion {
        /// The reps.
        reps: Vec<usize>,
    },
    /// Reps of a region that doesn't exist; they keep their proposals, clipped.
    RepsInUnknownRegion {
        /// The reps.
        reps: Vec<usize>,
    },
}

/// Quotas that add up at every level.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeReconciled {
    /// Per rep, in minor units, at least 0.
    pub quota: Vec<i64>,
    /// Per rep: the scale of its region, 1 in no region.
    pub scale: Vec<f64>,
    /// Per rep: what holds it.
    pub bound: Vec<Bound>,
    /// Per region.
    pub regions: Vec<RegionOutcome>,
    /// What a person should look at.
    pub findings: Vec<Finding>,
}

/// Reconciles reps in nested regions.
///
/// `rep_region` (index into `regions`), `proposals` and `limits` are per rep, `(n_reps)`; amounts in minor units.
///
/// # Errors
/// [`QuotaError::LengthMismatch`] if the slices per rep differ in length.
pub fn reconcile_tree(
    regions: &[Region],
    rep_region: &[Option<u32>],
    proposals: &[i64],
    limits: &[Limits],
    order: RelaxOrder,
) -> Result<TreeReconciled, QuotaError> {
    check_length("rep_region", proposals.len(), rep_region.len())?;
    check_length("limits", proposals.len(), limits.len())?;
    let shape = top_down(regions.iter().map(|r| r.parent));
    // Reps of no known region form one more group, after the last region.
    let outside = regions.len();
    let group: Vec<Option<usize>> =
        rep_region.iter().map(|r| Some(r.map_or(outside, index).min(outside))).collect();
    let tree = Tree {
        regions,
        reps: Groups::of(outside + 1, &group),
        children: Groups::of(regions.len(), &shape.parent),
        shape: &shape,
        proposals,
        limits,
        order,
    };
    let mut outcome = TreeReconciled {
        quota: vec![0; proposals.len()],
        scale: vec![1.0; proposals.len()],
        bound: vec![Bound::None; proposals.len()],
        regions: regions.iter().map(|r| RegionOutcome::unsolved(r.plan)).collect(),
        findings: tree.findings(rep_region),
    };
    let claims = claims(
        &shape,
        &tree.reps,
        order,
        |region| regions[region].plan,
        |rep| (proposals[rep], &limits[rep]),
    );
    let mut held = vec![Bound::None; regions.len()];
    for &region in &shape.order {
        tree.divide(region, &claims, &mut held, &mut outcome);
    }
    tree.keep_outsiders(&mut outcome);
    tree.add_up(&mut outcome);
    Ok(outcome)
}

impl RegionOutcome {
    fn unsolved(plan: Option<i64>) -> Self {
        Self {
            plan,
            allotted: None,
            quota_total: 0,
            difference: None,
            scale: 1.0,
            relaxed: 0,
            relaxations: Vec::new(),
            binding_reps: 0,
        }
    }
}

struct Tree<'a> {
    regions: &'a [Region],
    reps: Groups,
    children: Groups,
    shape: &'a TopDown,
    proposals: &'a [i64],
    limits: &'a [Limits],
    order: RelaxOrder,
}

impl Tree<'_> {
    /// Divides a region's target among its own reps and its children; without one, clips its own reps.
    ///
    /// `held` says which regions were allotted less, or more, than their share because of the limits below them: there,
    /// every rep is held by its limit, though the region's own scale just reaches it.
    fn divide(&self, region: usize, claims: &[Claim], held: &mut [Bound], outcome: &mut TreeReconciled) {
        let reps = self.reps.members(region);
        let target = outcome.regions[region].allotted.or(self.regions[region].plan);
        let children = if target.is_some() { self.children.members(region) } else { &[] };
        let weight: Vec<i64> = (reps.iter().map(|&rep| self.proposals[rep]))
            .chain(children.iter().map(|&child| claims[child].proposal))
            .collect();
        let interval = |i: usize, dropped: usize| match reps.get(i) {
            Some(&rep) => self.limits[rep].interval(self.order, dropped),
            None => claims[children[i - reps.len()]].nested[dropped],
        };
        let mut solution = solve(target, &weight, self.order, &interval);
        let side = match held[region] {
            Bound::None => None,
            Bound::Floor => Some(Side::Down),
            _ => Some(Side::Up),
        };
        if let Some(side) = side.filter(|_| solution.moves.is_empty()) {
            for (i, bound) in solution.bound.iter_mut().enumerate() {
                *bound = interval(i, 0).edge(side).1;
            }
        }
        for (i, &rep) in reps.iter().enumerate() {
            outcome.quota[rep] = solution.amount[i];
            outcome.bound[rep] = solution.bound[i];
            outcome.scale[rep] = solution.scale;
        }
        for (i, &child) in (reps.len()..).zip(children) {
            outcome.regions[child].allotted = Some(solution.amount[i]);
            held[child] = solution.bound[i];
        }
        let mut relaxations = contradictions(self.limits, self.order, reps.iter().copied());
        relaxations.extend(
            (solution.moves.iter().map(|m| report(m, |i| reps.get(i).copied())))
                .filter(|r| !r.reps.is_empty()),
        );
        outcome.regions[region].relaxations = relaxations;
        outcome.regions[region].scale = solution.scale;
    }

    /// Reps of no region keep their proposals, clipped.
    fn keep_outsiders(&self, outcome: &mut TreeReconciled) {
        let reps = self.reps.members(self.regions.len());
        let weight: Vec<i64> = reps.iter().map(|&rep| self.proposals[rep]).collect();
        let kept = solve(None, &weight, self.order, &|i, dropped| {
            self.limits[reps[i]].interval(self.order, dropped)
        });
        for (i, &rep) in reps.iter().enumerate() {
            outcome.quota[rep] = kept.amount[i];
            outcome.bound[rep] = kept.bound[i];
        }
    }

    /// Sums over the tree, from the leaves up.
    fn add_up(&self, outcome: &mut TreeReconciled) {
        let mut below: Vec<(i128, i128, usize)> = vec![(0, 0, 0); self.regions.len()];
        for &region in self.shape.order.iter().rev() {
            let own = &mut outcome.regions[region];
            let reps = self.reps.members(region);
            let (mut total, mut relaxed, mut binding) = below[region];
            total += reps.iter().map(|&rep| i128::from(outcome.quota[rep])).sum::<i128>();
            binding += reps.iter().filter(|&&rep| outcome.bound[rep] != Bound::None).count();
            relaxed += own.relaxations.iter().map(|r| i128::from(r.amount)).sum::<i128>();
            own.quota_total = narrow(total);
            own.difference = own.plan.map(|plan| narrow(total - i128::from(plan)));
            own.relaxed = narrow(relaxed);
            own.binding_reps = binding;
            if let Some(parent) = self.shape.parent[region] {
                let above = &mut below[parent];
                *above = (above.0 + total, above.1 + relaxed, above.2 + binding);
            }
        }
    }

    fn findings(&self, rep_region: &[Option<u32>]) -> Vec<Finding> {
        let mut findings = Vec::new();
        for &region in &self.shape.unknown_parent {
            if let Some(parent) = self.regions[region].parent {
                findings.push(Finding::UnknownParent { region, parent });
            }
        }
        findings.extend(self.shape.cycles.iter().map(|c| Finding::Cycle { regions: c.clone() }));
        let mut staffed: Vec<bool> =
            (0..self.regions.len()).map(|region| !self.reps.members(region).is_empty()).collect();
        for &region in self.shape.order.iter().rev() {
            if let Some(parent) = self.shape.parent[region] {
                staffed[parent] |= staffed[region];
            }
        }
        for (region, Region { plan, .. }) in self.regions.iter().enumerate() {
            if let Some(plan) = plan.filter(|_| !staffed[region]) {
                findings.push(Finding::PlanWithoutReps { region, plan });
            }
        }
        let outsiders = self.reps.members(self.regions.len());
        let (unknown, none): (Vec<usize>, Vec<usize>) =
            outsiders.iter().copied().partition(|&rep| rep_region[rep].is_some());
        if !none.is_empty() {
            findings.push(Finding::RepsWithoutRegion { reps: none });
        }
        if !unknown.is_empty() {
            findings.push(Finding::RepsInUnknownRegion { reps: unknown });
        }
        findings
    }
}

#[cfg(test)]
mod tests;
