//! The common scale `s` at which `Σ clip(s·w, lower, upper)` is the target, and the amounts at that scale.

use super::round::{Edges, real, real_wide, settle};

/// Passes over the data at most; a bracket of doubles is halved to a point well before.
const PASSES_MAX: usize = 256;
/// Passes after which every other step is a bisection, so that a bad start can't creep.
const PASSES_NEWTON: usize = 16;

/// Amounts that add up to the target, and the scale they come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Allotment {
    pub(super) amount: Vec<i64>,
    pub(super) scale: f64,
}

/// Minimises `Σ (q−w)² / 2w` subject to `Σ q = target` and `lower ≤ q ≤ upper`; then whole units.
///
/// `target` lies within the sums of the edges. A weight of 0 or less stays at its lower edge, unless the others
/// can't carry the target; then it counts as one unit. Sums are integers, so the scale doesn't depend on order.
pub(super) fn allot(target: i128, weight: &[i64], edges: Edges<'_>) -> Allotment {
    let reach: i128 = (weight.iter().zip(edges.lower).zip(edges.upper))
        .map(|((&w, &lower), &upper)| i128::from(if w > 0 { upper } else { lower }))
        .sum();
    let least = i64::from(reach < target);
    let scale = find_scale(target, weight, least, edges);
    let amount = settle(target, edges, |i| scale * real(weight[i].max(least)));
    Allotment { amount, scale }
}

/// Safeguarded Newton on the piecewise linear, rising `F(s) = Σ clip(s·w, lower, upper)`.
///
/// Between two breakpoints `F(s) = pinned + s·free` with integer sums, so the step that finds the right piece
/// is the answer. Each pass is O(n); a handful of them is the rule.
fn find_scale(target: i128, weight: &[i64], least: i64, edges: Edges<'_>) -> f64 {
    let total: i128 = weight.iter().map(|&w| i128::from(w.max(least))).filter(|&w| w > 0).sum();
    if total == 0 {
        return 1.0;
    }
    let mut bracket = (0.0, f64::INFINITY);
    let mut scale = real_wide(target) / real_wide(total);
    for pass in 0..PASSES_MAX {
        let (pinned, free) = pieces(scale, weight, least, edges);
        let open = real_wide(target - pinned);
        let covered = scale * real_wide(free);
        if (free == 0 && target == pinned) || (free > 0 && open.total_cmp(&covered).is_eq()) {
            return scale;
        }
        if covered < open {
            bracket.0 = scale;
        } else {
            bracket.1 = scale;
        }
        let newton = if free > 0 { open / real_wide(free) } else { f64::NAN };
        if newton.total_cmp(&scale).is_eq() {
            return scale;
        }
        let inside = newton > bracket.0 && newton < bracket.1;
        let creeping = pass > PASSES_NEWTON && pass % 2 == 0;
        let next = if inside && !creeping {
            newton
        } else {
            if bracket.1.is_infinite() {
                bracket.1 = scale_max(weight, least, edges);
            }
            middle(bracket)
        };
        if next <= bracket.0 || next >= bracket.1 {
            return if free > 0 && newton.is_finite() { newton.max(bracket.0).min(bracket.1) } else { next };
        }
        scale = next;
    }
    scale
}

/// The sum of the amounts that `scale` pins to an edge, and the sum of the weights of the others.
fn pieces(scale: f64, weight: &[i64], least: i64, edges: Edges<'_>) -> (i128, i128) {
    let (mut pinned, mut free) = (0_i128, 0_i128);
    for ((&w, &lower), &upper) in weight.iter().zip(edges.lower).zip(edges.upper) {
        let w = w.max(least).max(0);
        let scaled = scale * real(w);
        let (below, above) = (scaled <= real(lower), scaled >= real(upper));
        // Selections, not branches: which reps are pinned is as good as random.
        let edge = if below { lower } else { upper };
        pinned += i128::from(if below | above { edge } else { 0 });
        free += i128::from(if below | above { 0 } else { w });
    }
    (pinned, free)
}

/// The scale from which on everybody is at the upper edge.
fn scale_max(weight: &[i64], least: i64, edges: Edges<'_>) -> f64 {
    (weight.iter().zip(edges.upper))
        .map(|(&w, &upper)| (w.max(least), upper))
        .filter(|&(w, _)| w > 0)
        .fold(0.0, |most: f64, (w, upper)| most.max(real(upper) / real(w)))
}

/// A point inside the bracket: the geometric middle, so that scales of any size are found as fast.
fn middle((low, high): (f64, f64)) -> f64 {
    if low > 0.0 { (low * high).sqrt() } else { high / 1024.0 }
}

/// Plan over proposals: the scale that would be, without limits. 1 where there is nothing to scale.
pub(super) fn plain_scale(target: i64, weight: &[i64]) -> f64 {
    let total: i128 = weight.iter().map(|&w| i128::from(w.max(0))).sum();
    if total > 0 { real(target) / real_wide(total) } else { 1.0 }
}
