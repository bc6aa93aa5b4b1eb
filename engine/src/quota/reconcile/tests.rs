//! Reconciliation at its boundary: totals to the unit, bounds, optimality, relaxations.

use proptest::prelude::*;

use super::*;

const NO_LIMITS: Limits =
    Limits { floor: None, ceiling: None, daily_low: None, daily_high: None, frozen: None };

fn run(target: Option<i64>, proposals: &[i64], limits: &[Limits]) -> Reconciled {
    reconcile_limited(target, proposals, limits, RelaxOrder::default()).unwrap()
}

fn moved(r: &Reconciled) -> Vec<(Cause, Layer, Side, i64, &[usize])> {
    r.relaxed.iter().map(|x| (x.cause, x.layer, x.side, x.amount, x.reps.as_slice())).collect()
}

#[test]
fn one_factor_scales_those_that_nothing_holds() {
    let ceiling = Limits { ceiling: Some(110), ..NO_LIMITS };
    let r = run(Some(470), &[100, 200, 100], &[ceiling, NO_LIMITS, NO_LIMITS]);
    assert_eq!(r.quota, [110, 240, 120]);
    assert!((r.scale - 1.2).abs() < 1e-12);
    assert_eq!(r.bound, [Bound::Ceiling, Bound::None, Bound::None]);
    assert_eq!((r.binding().collect::<Vec<_>>(), r.relaxed.len(), r.unmet), (vec![0], 0, 0));
}

#[test]
fn without_a_target_proposals_are_clipped() {
    let floor = Limits { floor: Some(50), ..NO_LIMITS };
    let cap = NO_LIMITS.with_daily_cap(100, 0.1);
    let r = run(None, &[40, 200, 77, 0], &[floor, cap, NO_LIMITS, NO_LIMITS]);
    assert_eq!(r.quota, [50, 110, 77, 0]);
    assert_eq!(r.scale.to_bits(), 1.0_f64.to_bits());
    assert_eq!(r.bound, [Bound::Floor, Bound::DailyCap, Bound::None, Bound::None]);
}

#[test]
fn the_daily_cap_opens_by_one_share_of_the_proposals() {
    let cap = |previous| NO_LIMITS.with_daily_cap(previous, 0.1);
    // Caps end at 110 and 330, 440 in all; 40 are missing, a tenth of the proposals.
    let r = run(Some(480), &[100, 300], &[cap(100), cap(300)]);
    assert_eq!(r.quota, [120, 360]);
    assert_eq!(moved(&r), [(Cause::Plan, Layer::DailyCap, Side::Up, 40, &[0, 1][..])]);
    assert!((r.relaxed[0].share.unwrap() - 0.1).abs() < 1e-12);
    assert_eq!(r.bound, [Bound::DailyCap, Bound::DailyCap]);
}

#[test]
fn layers_give_way_in_order_and_frozen_ones_last() {
    let limits = [
        Limits { ceiling: Some(115), ..NO_LIMITS }.with_daily_cap(100, 0.1),
        Limits { frozen: Some(70), ..NO_LIMITS },
    ];
    let r = run(Some(182), &[100, 100], &limits);
    assert_eq!(
        (r.quota.as_slice(), r.bound.as_slice()),
        (&[112, 70][..], &[Bound::DailyCap, Bound::Frozen][..])
    );
    let r = run(Some(200), &[100, 100], &limits);
    assert_eq!(r.quota, [130, 70]);
    assert_eq!(
        moved(&r),
        [
            (Cause::Plan, Layer::DailyCap, Side::Up, 5, &[0][..]),
            (Cause::Plan, Layer::Ceiling, Side::Up, 15, &[0][..])
        ]
    );
    let r = run(Some(50), &[100, 100], &limits);
    assert_eq!(r.quota, [0, 50]);
    assert_eq!(
        moved(&r),
        [
            (Cause::Plan, Layer::DailyCap, Side::Down, 90, &[0][..]),
            (Cause::Plan, Layer::Frozen, Side::Down, 20, &[1][..])
        ]
    );
}

#[test]
fn another_order_gives_way_elsewhere() {
    let order = RelaxOrder::new([Layer::Ceiling, Layer::DailyCap, Layer::Floor, Layer::Frozen]).unwrap();
    let limits = [Limits { ceiling: Some(105), ..NO_LIMITS }.with_daily_cap(100, 0.1)];
    let r = reconcile_limited(Some(108), &[100], &limits, order).unwrap();
    assert_eq!(moved(&r), [(Cause::Plan, Layer::Ceiling, Side::Up, 3, &[0][..])]);
}

#[test]
fn contradictory_limits_are_resolved_and_reported() {
    let limits = [Limits { floor: Some(120), ..NO_LIMITS }.with_daily_cap(100, 0.1), NO_LIMITS];
    let r = run(Some(200), &[100, 100], &limits);
    assert_eq!(r.quota, [120, 80]);
    assert_eq!(moved(&r), [(Cause::Contradiction, Layer::DailyCap, Side::Up, 10, &[0][..])]);
    let r = reconcile(Some(90), &[100], &[95], &[80]).unwrap();
    assert_eq!(r.quota, [90]);
}

#[test]
fn odd_inputs_neither_panic_nor_lose_a_unit() {
    let r = run(Some(7), &[0, 0, 0], &[NO_LIMITS; 3]);
    assert_eq!(r.quota, [3, 2, 2]);
    let r = run(Some(100), &[-5, 50], &[NO_LIMITS; 2]);
    assert_eq!(r.quota, [0, 100]);
    let r = run(Some(5), &[], &[]);
    assert_eq!((r.quota.len(), r.unmet), (0, 5));
    let r = run(Some(-5), &[10], &[NO_LIMITS]);
    assert_eq!((r.quota.as_slice(), r.unmet), (&[0][..], -5));
    let r = run(Some(i64::MAX), &[i64::MAX, i64::MAX, 1], &[NO_LIMITS; 3]);
    assert_eq!(sum(&r.quota), i128::from(i64::MAX));
    let most = Limits { floor: Some(i64::MAX), ..NO_LIMITS };
    let r = run(Some(1), &[1, 1, 1], &[most; 3]);
    assert_eq!(sum(&r.quota), 1);
    let r = reconcile(Some(i64::MAX), &[1, 1], &[i64::MIN; 2], &[i64::MIN; 2]).unwrap();
    assert_eq!(sum(&r.quota), i128::from(i64::MAX));
    assert_eq!(
        reconcile(None, &[1, 2], &[0], &[9, 9]),
        Err(QuotaError::LengthMismatch { what: "lower", expected: 2, found: 1 })
    );
}

fn limits() -> impl Strategy<Value = Limits> {
    let edge = || proptest::option::weighted(0.4, 0_i64..200_000);
    let cap = proptest::option::weighted(0.5, (1_i64..100_000, 0.0..0.3));
    (edge(), edge(), cap, proptest::option::weighted(0.1, 0_i64..100_000)).prop_map(|(a, b, cap, frozen)| {
        let base = Limits { floor: a, ceiling: b, frozen, ..NO_LIMITS };
        cap.map_or(base, |(previous, share)| base.with_daily_cap(previous, share))
    })
}

fn reps(n: usize) -> impl Strategy<Value = Vec<(i64, Limits)>> {
    proptest::collection::vec((1_i64..100_000, limits()), 1..n)
}

/// The interval of a rep with those layers gone that the plan relaxed on that side.
fn allowed(limits: &Limits, r: &Reconciled) -> (i64, i64) {
    let order = RelaxOrder::default();
    let edge = |side| {
        let last = r.relaxed.iter().filter(|x| x.cause == Cause::Plan && x.side == side).map(|x| x.layer);
        let dropped =
            last.filter_map(|l| order.layers().iter().position(|&o| o == l)).max().map_or(0, |p| p + 1);
        limits.interval(order, dropped).edge(side).0
    };
    (edge(Side::Down), edge(Side::Up))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn totals_are_exact_and_limits_hold_unless_reported(reps in reps(40), target in 0_i64..3_000_000) {
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = reps.into_iter().unzip();
        let r = run(Some(target), &proposals, &limits);
        prop_assert_eq!(sum(&r.quota), i128::from(target));
        prop_assert_eq!(r.unmet, 0);
        for (q, l) in r.quota.iter().zip(&limits) {
            let (lower, upper) = allowed(l, &r);
            prop_assert!(lower <= *q && *q <= upper, "{} outside {}..{}", q, lower, upper);
        }
        // The amounts reported as relaxed are what quotas exceed their limits by: the smallest possible.
        let beyond: i128 = r.quota.iter().zip(&limits).map(|(&q, l)| {
            let tight = l.interval(RelaxOrder::default(), 0);
            i128::from((q - tight.upper).max(tight.lower - q).max(0))
        }).sum();
        let reported: i128 =
            r.relaxed.iter().filter(|x| x.cause == Cause::Plan).map(|x| i128::from(x.amount)).sum();
        prop_assert_eq!(beyond, reported);
        let edges: Vec<Interval> = limits.iter().map(|l| l.interval(RelaxOrder::default(), 0)).collect();
        let least: i128 = edges.iter().map(|e| i128::from(e.lower)).sum();
        let most: i128 = edges.iter().map(|e| i128::from(e.upper)).sum();
        prop_assert_eq!(reported, (least - i128::from(target)).max(i128::from(target) - most).max(0));
    }

    #[test]
    fn the_scale_is_optimal(reps in reps(40), part in 0.0..1.0) {
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = reps.into_iter().unzip();
        let edges: Vec<Interval> = limits.iter().map(|l| l.interval(RelaxOrder::default(), 0)).collect();
        let least: i64 = edges.iter().map(|e| e.lower).sum();
        let most: i64 = edges.iter().map(|e| e.upper.min(400_000)).sum();
        let target = least.max(least + whole_part(part, most - least));
        let r = run(Some(target), &proposals, &limits);
        prop_assert_eq!(sum(&r.quota), i128::from(target));
        for (i, e) in edges.iter().enumerate() {
            let scaled = r.scale * real(proposals[i]);
            let best = scaled.clamp(real(e.lower), real(e.upper));
            prop_assert!((real(r.quota[i]) - best).abs() <= 1.0 + 1e-6, "{} is not {}", r.quota[i], best);
            match r.bound[i] {
                Bound::None => prop_assert!(real(e.lower) <= scaled && scaled <= real(e.upper)),
                Bound::Frozen => prop_assert_eq!(r.quota[i], e.lower),
                _ => prop_assert!(
                    (scaled > real(e.upper) && r.quota[i] == e.upper && r.bound[i] == e.upper_by)
                        || (scaled < real(e.lower) && r.quota[i] == e.lower && r.bound[i] == e.lower_by)
                ),
            }
        }
    }

    #[test]
    fn the_order_of_reps_matters_to_the_last_unit_only(reps in reps(40), target in 0_i64..3_000_000, turn in 0_usize..40) {
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = reps.iter().copied().unzip();
        let r = run(Some(target), &proposals, &limits);
        let mut turned = reps;
        let turn = turn % turned.len();
        turned.rotate_left(turn);
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = turned.into_iter().unzip();
        let mut s = run(Some(target), &proposals, &limits);
        s.quota.rotate_right(turn);
        s.bound.rotate_right(turn);
        prop_assert_eq!(r.scale.to_bits(), s.scale.to_bits());
        prop_assert!(r.quota.iter().zip(&s.quota).all(|(a, b)| (a - b).abs() <= 1));
    }

    #[test]
    fn a_plan_that_the_proposals_meet_changes_nothing(proposals in proptest::collection::vec(1_i64..1_000_000_000_000, 1..60)) {
        let target: i64 = proposals.iter().sum();
        let r = run(Some(target), &proposals, &vec![NO_LIMITS; proposals.len()]);
        prop_assert_eq!(r.scale.to_bits(), 1.0_f64.to_bits());
        prop_assert_eq!(r.quota, proposals);
    }

    #[test]
    fn more_to_carry_lowers_nobody(reps in reps(40), target in 0_i64..3_000_000, more in 0_i64..500_000) {
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = reps.into_iter().unzip();
        let (r, s) = (run(Some(target), &proposals, &limits), run(Some(target + more), &proposals, &limits));
        prop_assert!(r.quota.iter().zip(&s.quota).all(|(a, b)| b - a >= -1));
    }

    #[test]
    fn any_numbers_at_all(
        rows in proptest::collection::vec((any::<i64>(), any::<[Option<i64>; 5]>()), 0..12),
        target in any::<Option<i64>>(),
    ) {
        let (proposals, limits): (Vec<i64>, Vec<Limits>) = rows.into_iter().map(|(p, [a, b, c, d, e])| {
            (p, Limits { floor: a, ceiling: b, daily_low: c, daily_high: d, frozen: e })
        }).unzip();
        let r = run(target, &proposals, &limits);
        prop_assert!(r.quota.iter().all(|&q| q >= 0) && r.scale.is_finite());
        if let Some(target) = target {
            prop_assert_eq!(sum(&r.quota) + i128::from(r.unmet), i128::from(target));
            prop_assert!(r.unmet == target.min(0) || proposals.is_empty());
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a part of a small amount")]
fn whole_part(part: f64, amount: i64) -> i64 {
    (part * real(amount)) as i64
}
