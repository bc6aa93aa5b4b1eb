//! Reconciliation of one region: proposals scaled by one factor and clipped, such that they add up to the plan.
//!
//! For a target `T` and, per rep, a proposal `p > 0` and bounds `l ≤ u`: minimise `Σ (q−p)² / 2p` subject to
//! `Σ q = T` and `l ≤ q ≤ u`. The answer is `q = clip(s·p, l, u)` for one scale `s`.

use super::error::{QuotaError, check_length};
use super::limits::{Bound, Interval, Layer, Limits, RelaxOrder, Side};
use super::relax::{Move, relax};
use super::round::{Edges, narrow, real, sum};
use super::scale::{allot, plain_scale};

/// Why a limit gave way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A stronger limit of the same rep contradicts it.
    Contradiction,
    /// The plan can't be met within it.
    Plan,
}

/// A layer of limits that gave way, on one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Relaxation {
    /// Why.
    pub cause: Cause,
    /// The layer.
    pub layer: Layer,
    /// Raised or lowered.
    pub side: Side,
    /// The sum, in minor units, by which the edges moved: the smallest that does.
    pub amount: i64,
    /// The common share of its proposal by which every rep's edge moved, at most to the next layer's edge.
    /// `None` where the layer was dropped whole, and for a contradiction.
    pub share: Option<f64>,
    /// The reps whose edge moved, by index, rising.
    pub reps: Vec<usize>,
}

/// Quotas that add up to the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconciled {
    /// Per rep, in minor units, at least 0.
    pub quota: Vec<i64>,
    /// The common scale `s`: 1 without a target. Where the plan relaxed a layer, no scale meets it, and this is
    /// plan ÷ proposals.
    pub scale: f64,
    /// What holds each rep away from `s · proposal`.
    pub bound: Vec<Bound>,
    /// What gave way: contradictions first, then for the plan in the order of relaxation. Empty if nothing did.
    pub relaxed: Vec<Relaxation>,
    /// Target − Σ quota: 0, unless the target is negative or there is no rep.
    pub unmet: i64,
}

impl Reconciled {
    /// The reps that a limit holds, by index, rising.
    pub fn binding(&self) -> impl Iterator<Item = usize> {
        self.bound.iter().enumerate().filter(|(_, b)| **b != Bound::None).map(|(i, _)| i)
    }
}

/// Reconciles under plain bounds: `lower` acts as floor, `upper` as ceiling.
///
/// All slices are per rep, `(n_reps)`, in minor units. Without a target every proposal is clipped and kept.
/// Where `lower > upper` or the target is out of reach, [`RelaxOrder::default`] says what gives way.
///
/// # Errors
/// [`QuotaError::LengthMismatch`] if the slices differ in length.
pub fn reconcile(
    target: Option<i64>,
    proposals: &[i64],
    lower: &[i64],
    upper: &[i64],
) -> Result<Reconciled, QuotaError> {
    check_length("lower", proposals.len(), lower.len())?;
    check_length("upper", proposals.len(), upper.len())?;
    let limits: Vec<Limits> = (lower.iter().zip(upper))
        .map(|(&floor, &ceiling)| Limits { floor: Some(floor), ceiling: Some(ceiling), ..Limits::default() })
        .collect();
    reconcile_limited(target, proposals, &limits, RelaxOrder::default())
}

/// Reconciles under layered limits; `order` says which layer gives way first.
///
/// `proposals` and `limits` are per rep, `(n_reps)`, in minor units. A proposal of 0 or less stays at its lower
/// limit, unless the others can't carry the target. O(n), and a permutation of the reps permutes the result, but
/// for the last minor unit between reps with equal remainders: the lower index gets it.
///
/// # Errors
/// [`QuotaError::LengthMismatch`] if the slices differ in length.
pub fn reconcile_limited(
    target: Option<i64>,
    proposals: &[i64],
    limits: &[Limits],
    order: RelaxOrder,
) -> Result<Reconciled, QuotaError> {
    check_length("limits", proposals.len(), limits.len())?;
    let solution = solve(target, proposals, order, &|i, dropped| limits[i].interval(order, dropped));
    let mut relaxed = contradictions(limits, order, 0..limits.len());
    relaxed.extend(solution.moves.iter().map(|m| report(m, Some)));
    Ok(Reconciled {
        quota: solution.amount,
        scale: solution.scale,
        bound: solution.bound,
        relaxed,
        unmet: solution.unmet,
    })
}

/// The answer for variables that are reps or whole regions.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) amount: Vec<i64>,
    pub(super) scale: f64,
    pub(super) bound: Vec<Bound>,
    pub(super) moves: Vec<Move>,
    pub(super) unmet: i64,
}

/// Solves for variables whose interval, with the first `dropped` layers of `order` gone, is
/// `interval(variable, dropped)`.
pub(super) fn solve(
    target: Option<i64>,
    weight: &[i64],
    order: RelaxOrder,
    interval: &impl Fn(usize, usize) -> Interval,
) -> Solution {
    let (lower, upper): (Vec<i64>, Vec<i64>) =
        (0..weight.len()).map(|i| interval(i, 0)).map(|e| (e.lower, e.upper)).unzip();
    let Some(target) = target else {
        let amount = (weight.iter().zip(lower.iter().zip(&upper)))
            .map(|(&w, (&lower, &upper))| w.min(upper).max(lower))
            .collect();
        let bound = holds(1.0, weight, Edges { lower: &lower, upper: &upper }, interval);
        return Solution { amount, scale: 1.0, bound, moves: Vec::new(), unmet: 0 };
    };
    let wanted = i128::from(target.max(0));
    let side = if wanted < sum(&lower) {
        Side::Down
    } else if wanted > sum(&upper) {
        Side::Up
    } else {
        let edges = Edges { lower: &lower, upper: &upper };
        let allotment = allot(wanted, weight, edges);
        let bound = holds(allotment.scale, weight, edges, interval);
        let (amount, scale) = (allotment.amount, allotment.scale);
        return Solution { amount, scale, bound, moves: Vec::new(), unmet: target.min(0) };
    };
    let relaxed = relax(wanted, side, weight, order, interval);
    Solution {
        amount: relaxed.amount,
        scale: plain_scale(target.max(0), weight),
        bound: relaxed.bound,
        moves: relaxed.moves,
        unmet: narrow(relaxed.unmet + i128::from(target.min(0))),
    }
}

/// What holds each variable away from `scale · weight`.
fn holds(
    scale: f64,
    weight: &[i64],
    edges: Edges<'_>,
    interval: &impl Fn(usize, usize) -> Interval,
) -> Vec<Bound> {
    (weight.iter().zip(edges.lower.iter().zip(edges.upper)).enumerate())
        .map(|(i, (&w, (&lower, &upper)))| {
            let scaled = scale * real(w);
            if scaled > real(upper) {
                interval(i, 0).upper_by
            } else if scaled < real(lower) {
                interval(i, 0).lower_by
            } else if lower == upper && interval(i, 0).lower_by == Bound::Frozen {
                Bound::Frozen
            } else {
                Bound::None
            }
        })
        .collect()
}

/// A move as reported, of those variables that are reps.
pub(super) fn report(moved: &Move, rep: impl Fn(usize) -> Option<usize>) -> Relaxation {
    let mut amount = 0_i128;
    let mut reps = Vec::with_capacity(moved.parts.len());
    for &(variable, part) in &moved.parts {
        if let Some(index) = rep(variable) {
            amount += i128::from(part);
            reps.push(index);
        }
    }
    let (layer, side, share) = (moved.layer, moved.side, moved.share);
    Relaxation { cause: Cause::Plan, layer, side, amount: narrow(amount), share, reps }
}

/// The limits of `reps` that a stronger limit of the same rep contradicts, by layer and side.
pub(super) fn contradictions(
    limits: &[Limits],
    order: RelaxOrder,
    reps: impl Iterator<Item = usize>,
) -> Vec<Relaxation> {
    let mut found: Vec<Relaxation> = Vec::new();
    for rep in reps {
        limits[rep].contradictions(order, |layer, side, amount| {
            if let Some(known) = found.iter_mut().find(|r| r.layer == layer && r.side == side) {
                known.amount = known.amount.saturating_add(amount);
                known.reps.push(rep);
            } else {
                let (cause, reps) = (Cause::Contradiction, vec![rep]);
                found.push(Relaxation { cause, layer, side, amount, share: None, reps });
            }
        });
    }
    found.sort_by_key(|r| (order.layers().iter().position(|&l| l == r.layer), r.side));
    found
}

#[cfg(test)]
mod tests;
