//! Explanations at their boundary: they add up, whatever the numbers.

use proptest::prelude::*;

use super::*;

fn level(base: i64, quota: i64, ratios: &[f64]) -> Vec<i64> {
    let mut out = vec![0; ratios.len()];
    Explainer::new().level(base, quota, ratios, &mut out).unwrap();
    out
}

fn change(from: (i64, &[f64]), to: (i64, &[f64])) -> Vec<i64> {
    let mut out = vec![0; from.1.len()];
    Explainer::new().change(from, to, &mut out).unwrap();
    out
}

#[test]
fn a_level_splits_by_the_logarithmic_mean() {
    // L(1500, 1000) = 500 / ln 1.5 = 1233.15; ln 1.25 = 0.22314, ln 1.2 = 0.18232.
    assert_eq!(level(100_000, 150_000, &[1.25, 1.0, 1.2]), [27_517, 0, 22_483]);
    assert_eq!(change((100_000, &[1.0, 2.0, 1.0]), (150_000, &[1.25, 2.0, 1.2])), [27_517, 0, 22_483]);
    assert_eq!(level(5, 5, &[]), Vec::<i64>::new());
    assert_eq!(Explainer::new().level(5, 7, &[], &mut []), Err(QuotaError::NoTerms { amount: 2 }));
}

#[test]
fn zeros_take_their_limits() {
    assert_eq!(level(100, 0, &[1.5, 0.0]), [0, -100]);
    assert_eq!(level(100, 0, &[0.0, 0.0, 3.0]), [-50, -50, 0]);
    assert_eq!(change((0, &[2.0, 0.0]), (90, &[3.0, 1.0])), [0, 90]);
    assert_eq!(change((0, &[0.0, 4.0]), (0, &[4.0, 0.0])), [0, 0]);
    // No ratio is 0: the product is below half a unit.
    assert_eq!(level(100, 0, &[0.01, 0.1]), [-67, -33]);
    // Nothing says why: the last term closes.
    assert_eq!(level(100, 130, &[1.0, 1.0]), [0, 30]);
}

#[test]
fn signs_change_through_zero() {
    assert_eq!(change((100, &[1.0, 2.0]), (-50, &[-1.0, 1.0])), [-150, 0]);
    assert_eq!(level(-100, -150, &[1.5, 1.0]), [-50, 0]);
    let both = level(100, 100, &[-1.0, -1.0]);
    assert_eq!(both.iter().sum::<i64>(), 0);
}

#[test]
fn a_driver_splits_into_its_move_and_its_weights_move() {
    let (driver, weight) = split_driver((0.2, 1.0), (0.3, 2.0));
    assert!((driver - 0.25).abs() < 1e-15 && (weight - 0.15).abs() < 1e-15);
    let mut out = [0; 2];
    let to = 149_182; // 100,000 · exp(0.4)
    Explainer::new().change_of_logs(100_000, to, &[driver, weight], &mut out).unwrap();
    assert_eq!((out[0] + out[1], out[0]), (49_182, 30_739));
}

#[test]
fn means_are_exact_where_the_quotient_cancels() {
    assert!((log_mean(2.0, 1.0) - 1.0 / std::f64::consts::LN_2).abs() < 1e-15);
    assert_eq!(log_mean(3.0, 3.0).to_bits(), 3.0_f64.to_bits());
    let close = log_mean(1e9, 1e9 + 1.0);
    assert!((close - (1e9 + 0.5)).abs() < 1e-6);
    // Both branches where they meet, against each other.
    let (below, above) = (log_mean(1.0, 1.001_999), log_mean(1.0, 1.002_003));
    assert!(above > below && above - below < 3e-6);
    assert_eq!(log_mean(0.0, 3.0).to_bits(), 0.0_f64.to_bits());
}

#[test]
fn terms_sum_upward() {
    let terms = [1, 2, 3, 4, 5, 6, 100, 100];
    assert_eq!(add_up(&terms, 2, &[Some(1), Some(0), Some(1), None], 2).unwrap(), [3, 4, 6, 8]);
    assert!(add_up(&terms, 3, &[Some(0); 2], 1).is_err());
    assert_eq!(add_up(&terms[..2], 2, &[Some(9)], 1).unwrap(), [0, 0]);
}

fn any_ratio() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0.2_f64..5.0,
        2 => Just(1.0),
        1 => Just(0.0),
        1 => any::<f64>().prop_filter("finite", |x| x.is_finite()),
        1 => (-300.0_f64..300.0).prop_map(|e| 10.0_f64.powf(e)),
    ]
}

fn any_amount() -> impl Strategy<Value = i64> {
    let most = 1_000_000_000_000_000_000_i64;
    prop_oneof![3 => 0_i64..1_000_000, 1 => Just(0), 1 => -1_000_i64..1_000, 1 => -most..most]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn any_level_adds_up(base in any_amount(), quota in any_amount(), ratios in proptest::collection::vec(any_ratio(), 1..24)) {
        let out = level(base, quota, &ratios);
        prop_assert_eq!(out.iter().map(|&a| i128::from(a)).sum::<i128>(), i128::from(quota) - i128::from(base));
    }

    #[test]
    fn any_change_adds_up_and_turns_its_sign(
        from in any_amount(),
        to in any_amount(),
        ratios in proptest::collection::vec((any_ratio(), any_ratio()), 1..24),
    ) {
        let (before, after): (Vec<f64>, Vec<f64>) = ratios.into_iter().unzip();
        let there = change((from, &before), (to, &after));
        let back = change((to, &after), (from, &before));
        prop_assert_eq!(there.iter().map(|&a| i128::from(a)).sum::<i128>(), i128::from(to) - i128::from(from));
        let fine = from.abs().max(to.abs()) < 1 << 40;
        for (k, (a, b)) in there.iter().zip(&back).enumerate() {
            prop_assert!(!fine || (a + b).abs() <= 1, "term {}: {} and {}", k, a, b);
        }
        // A zero is a zero, whatever its sign.
        let moves = before.iter().zip(&after).any(|(x, y)| x - y != 0.0);
        for k in 0..before.len() {
            if moves && before[k].to_bits() == after[k].to_bits() {
                prop_assert_eq!(there[k], 0);
            }
        }
    }

    #[test]
    fn a_true_product_is_split_within_a_unit(base in 1_i64..1_000_000_000, ratios in proptest::collection::vec(0.5_f64..2.0, 1..20)) {
        let exact = real(base) * ratios.iter().product::<f64>();
        let quota = whole(exact + 0.5);
        let mean = log_mean(exact, real(base));
        for (amount, x) in level(base, quota, &ratios).iter().zip(&ratios) {
            prop_assert!((real(*amount) - mean * x.ln()).abs() <= 2.0);
        }
    }
}
