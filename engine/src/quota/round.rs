//! The one place where minor units become reals, and the one rule by which they return: largest remainder
//! inside the bounds, by selection, so that the total is kept.

use std::cmp::Ordering;

/// One million, the unit of a share in integers.
const MILLION: i64 = 1_000_000;

/// A bounded problem's amounts; `lower ≤ upper`, both at least 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edges<'a> {
    pub(super) lower: &'a [i64],
    pub(super) upper: &'a [i64],
}

/// An amount as a real; exact up to 2⁵³.
#[expect(
    clippy::cast_precision_loss,
    reason = "amounts beyond 2^53 minor units lose their last digits here only"
)]
pub(super) fn real(amount: i64) -> f64 {
    amount as f64
}

/// A sum of amounts as a real.
#[expect(clippy::cast_precision_loss, reason = "nearest real of an exact sum")]
pub(super) fn real_wide(sum: i128) -> f64 {
    sum as f64
}

/// The greatest amount not above `value`; saturates, and NaN is 0.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and the value is whole")]
pub(super) fn whole(value: f64) -> i64 {
    value.floor() as i64
}

/// A sum back in 64 bits; saturates.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
pub(super) fn narrow(sum: i128) -> i64 {
    sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// A share in millionths, nearest.
pub(super) fn parts_per_million(share: f64) -> i64 {
    whole(share * real(MILLION) + 0.5)
}

/// `amount · ppm / 1,000,000`, rounded toward zero; saturates.
pub(super) fn scale_ppm(amount: i64, ppm: i64) -> i64 {
    narrow(i128::from(amount).saturating_mul(i128::from(ppm)) / i128::from(MILLION))
}

/// The sum of amounts, exact.
pub(super) fn sum(amounts: &[i64]) -> i128 {
    amounts.iter().map(|&a| i128::from(a)).sum()
}

/// Rounds `exact(i)` to amounts inside `edges` that add up to `target`, which lies within the sums of the edges.
///
/// Each is rounded down and clipped; the units still missing go to the largest `exact − amount`, of equals to
/// the lowest index. Units too many (reals above 2⁵³ can't count them) are taken in the reverse order.
pub(super) fn settle(target: i128, edges: Edges<'_>, exact: impl Fn(usize) -> f64) -> Vec<i64> {
    let mut amount: Vec<i64> = (edges.lower.iter().zip(edges.upper).enumerate())
        .map(|(i, (&lower, &upper))| whole(exact(i)).min(upper).max(lower))
        .collect();
    let missing = target - sum(&amount);
    match missing.cmp(&0) {
        Ordering::Greater => {
            give(missing, &mut amount, 1, |i, a| edges.upper[i] - a, |i, a| exact(i) - real(a));
        }
        Ordering::Less => {
            give(-missing, &mut amount, -1, |i, a| a - edges.lower[i], |i, a| real(a) - exact(i));
        }
        Ordering::Equal => {}
    }
    amount
}

/// Moves `missing` units in the direction `unit`, first to the largest `claim`, never past `room`.
fn give(
    mut missing: i128,
    amount: &mut [i64],
    unit: i64,
    room: impl Fn(usize, i64) -> i64,
    claim: impl Fn(usize, i64) -> f64,
) {
    let open = amount.iter().enumerate().filter(|&(i, &a)| room(i, a) > 0).count();
    if missing >= wide(open) {
        let even = even_share(missing, amount, &room);
        for (i, a) in amount.iter_mut().enumerate() {
            let step = room(i, *a).min(even);
            *a += unit * step;
            missing -= i128::from(step);
        }
    }
    let mut claims: Vec<(f64, usize)> = (amount.iter().enumerate())
        .filter(|&(i, &a)| room(i, a) > 0)
        .map(|(i, &a)| (claim(i, a), i))
        .collect();
    let Ok(count) = usize::try_from(missing) else { return };
    if count < claims.len() {
        let by_index = |a: usize, b: usize| if unit > 0 { a.cmp(&b) } else { b.cmp(&a) };
        claims.select_nth_unstable_by(count, |a, b| b.0.total_cmp(&a.0).then(by_index(a.1, b.1)));
        claims.truncate(count);
    }
    for (_, i) in claims {
        amount[i] += unit;
    }
}

/// The largest step that everybody with room can take without exceeding `missing` in sum.
fn even_share(missing: i128, amount: &[i64], room: &impl Fn(usize, i64) -> i64) -> i64 {
    let taken = |step: i64| -> i128 {
        amount.iter().enumerate().map(|(i, &a)| i128::from(room(i, a).min(step))).sum()
    };
    let (mut fits, mut over) = (0_i64, i64::MAX);
    if taken(over) <= missing {
        return over;
    }
    while over - fits > 1 {
        let middle = fits + (over - fits) / 2;
        if taken(middle) <= missing { fits = middle } else { over = middle }
    }
    fits
}

/// A count as an exact sum.
fn wide(count: usize) -> i128 {
    i128::try_from(count).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: i128, lower: &[i64], upper: &[i64], exact: &[f64], expected: &[i64]) {
        assert_eq!(settle(target, Edges { lower, upper }, |i| exact[i]), expected);
    }

    #[test]
    fn missing_units_go_to_the_largest_remainders_then_the_lowest_index() {
        check(11, &[0; 4], &[99; 4], &[2.5, 2.5, 2.75, 3.25], &[3, 2, 3, 3]);
        check(10, &[0; 4], &[99; 4], &[2.5, 2.5, 2.5, 2.5], &[3, 3, 2, 2]);
    }

    #[test]
    fn bounds_hold_and_clipped_ones_come_last() {
        check(10, &[5, 0, 0], &[5, 3, 9], &[1.0, 3.9, 2.0], &[5, 3, 2]);
        check(11, &[5, 0, 0], &[9, 3, 9], &[1.0, 3.9, 2.0], &[5, 3, 3]);
    }

    #[test]
    fn units_that_reals_cannot_count_are_shared_evenly() {
        let big = 1 << 60;
        let amounts = settle(3 * big + 1000, Edges { lower: &[0; 3], upper: &[i64::MAX; 3] }, |_| {
            1_152_921_504_606_846_976.0
        });
        assert_eq!(sum(&amounts), 3 * big + 1000);
        assert!(amounts.iter().all(|&a| i128::from(a) >= big + 333));
        let amounts = settle(3 * big - 1000, Edges { lower: &[0; 3], upper: &[i64::MAX; 3] }, |_| {
            1_152_921_504_606_846_976.0
        });
        assert_eq!(sum(&amounts), 3 * big - 1000);
    }
}
