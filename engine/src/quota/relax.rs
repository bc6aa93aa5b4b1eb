//! What gives way when the limits leave no room for the target: as few layers as needed, the last one as little
//! as possible.
//!
//! Dropping the layers one by one gives each rep nested intervals. The first `k` layers are dropped whole, where
//! `k` is the least number whose edges still don't reach the target; the next layer opens just enough. Of its
//! openings that reach the target, the one taken minimises the largest opening relative to the rep's own
//! proposal: every edge moves by the same `share` of the proposal, at most to the next layer's edge.
//! (A share of the way to the next edge would mean nothing where there is no next edge.)

use super::limits::{Bound, Interval, Layer, RelaxOrder, Side};
use super::round::{Edges, sum};
use super::scale::allot;

/// One layer that gave way.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Move {
    pub(super) layer: Layer,
    pub(super) side: Side,
    /// The opening as a share of the proposal; `None` where the layer was dropped whole.
    pub(super) share: Option<f64>,
    /// Variables and the amounts by which their edge moved.
    pub(super) parts: Vec<(usize, i64)>,
}

/// Amounts at the moved edges: everybody is held by one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relaxed {
    pub(super) amount: Vec<i64>,
    pub(super) bound: Vec<Bound>,
    pub(super) moves: Vec<Move>,
    /// What is left of the target when every layer is dropped (nobody is there to carry it).
    pub(super) unmet: i128,
}

/// Opens the edges on `side` until they add up to `target`, which lies beyond the sum of the tightest.
pub(super) fn relax(
    target: i128,
    side: Side,
    weight: &[i64],
    order: RelaxOrder,
    interval: &impl Fn(usize, usize) -> Interval,
) -> Relaxed {
    let n = weight.len();
    let edges = |dropped: usize| (0..n).map(move |i| interval(i, dropped).edge(side));
    let (mut amount, mut bound): (Vec<i64>, Vec<Bound>) = edges(0).unzip();
    let mut unmet = target - sum(&amount);
    let mut moves = Vec::new();
    for (position, &layer) in order.layers().iter().enumerate() {
        let next: Vec<(i64, Bound)> = edges(position + 1).collect();
        let gap: Vec<i64> = next.iter().zip(&amount).map(|(&(edge, _), &a)| (edge - a).abs()).collect();
        let room = sum(&gap);
        let need = unmet.abs();
        let (step, share) = if room > need {
            let opening = allot(need, weight, Edges { lower: &vec![0; n], upper: &gap });
            (opening.amount, Some(opening.scale))
        } else {
            (gap.clone(), None)
        };
        for (i, (_, by)) in next.into_iter().enumerate() {
            amount[i] = if side == Side::Up { amount[i] + step[i] } else { amount[i] - step[i] };
            if step[i] > 0 && step[i] == gap[i] {
                bound[i] = by;
            }
        }
        unmet = target - sum(&amount);
        let parts: Vec<(usize, i64)> = step.into_iter().enumerate().filter(|&(_, s)| s > 0).collect();
        if !parts.is_empty() {
            moves.push(Move { layer, side, share, parts });
        }
        if unmet == 0 {
            break;
        }
    }
    Relaxed { amount, bound, moves, unmet }
}
