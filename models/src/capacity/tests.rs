//! The predictor at its boundary: capacities found, intervals that cover, and odd inputs.

use ndarray::{Array2, array};
use proptest::prelude::*;

use super::*;
use crate::error::ModelError;

const DAYS: f64 = 21.0;

/// A seeded sequence of standard normal numbers.
struct Normals(u64);

impl Normals {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = (f64::from(u32::try_from(self.0 >> 32).unwrap()) + 0.5) / (f64::from(u32::MAX) + 1.0);
        normal_quantile(uniform)
    }

    /// A log-normal number with mean 1.
    fn factor(&mut self, cv: f64) -> f64 {
        let variance = (cv * cv).ln_1p();
        (variance.sqrt() * self.next() - 0.5 * variance).exp()
    }
}

/// A company whose reps have known rates.
struct Company {
    rate: Vec<f64>,
    history: Array2<f64>,
    worked: Array2<f64>,
    season: Vec<f64>,
    region: Vec<u32>,
    tenure: Vec<f64>,
    attained: Vec<f64>,
    effect: Array2<f64>,
    normals: Normals,
    daily_cv: f64,
}

impl Company {
    /// Rates of 1,000 a day on average, spread over regions (20 %) and reps (30 %).
    fn new(n_reps: usize, n_months: usize, daily_cv: f64, seed: u64) -> Self {
        let mut normals = Normals(seed);
        let region: Vec<u32> = (0..n_reps).map(|i| u32::try_from(i % 10).unwrap()).collect();
        let level: Vec<f64> = (0..10).map(|_| 1_000.0 * normals.factor(0.2)).collect();
        let rate: Vec<f64> = region.iter().map(|&g| level[g as usize] * normals.factor(0.3)).collect();
        let monthly_cv = daily_cv / DAYS.sqrt();
        let history =
            Array2::from_shape_fn((n_reps, n_months), |(i, _)| DAYS * rate[i] * normals.factor(monthly_cv));
        Self {
            rate,
            history,
            worked: Array2::from_elem((n_reps, n_months), DAYS),
            season: vec![1.0; n_months],
            region,
            tenure: vec![60.0; n_reps],
            attained: vec![0.0; n_reps],
            effect: Array2::ones((n_reps, 18)),
            normals,
            daily_cv,
        }
    }

    fn input(&self, days_left: f64) -> CapacityInput<'_> {
        CapacityInput {
            history: self.history.view(),
            worked: self.worked.view(),
            season: &self.season,
            season_now: 1.0,
            region: &self.region,
            tenure_months: &self.tenure,
            ramp: None,
            working_days_period: DAYS,
            working_days_left: days_left,
            attained: &self.attained,
            factor_effect: self.effect.view(),
            params: CapacityParams::default(),
        }
    }

    /// What a rep really signs in the days left.
    fn outcome(&mut self, rep: usize, days_left: f64) -> f64 {
        self.rate[rep] * days_left * self.normals.factor(self.daily_cv / days_left.sqrt())
    }
}

fn share(hits: impl Iterator<Item = bool>) -> f64 {
    let (hit, all) = hits.fold((0.0, 0.0), |(hit, all), h| (hit + f64::from(u8::from(h)), all + 1.0));
    hit / all
}

#[test]
fn known_capacities_are_found() {
    let company = Company::new(400, 24, 1.0, 1);
    let forecast = predict(&company.input(DAYS)).unwrap();
    let errors: Vec<f64> =
        company.rate.iter().zip(&forecast.base).map(|(r, b)| b / (DAYS * r) - 1.0).collect();
    let bias = errors.iter().sum::<f64>() / 400.0;
    let rmse = (errors.iter().map(|e| e * e).sum::<f64>() / 400.0).sqrt();
    // A rate from 24 months with a monthly spread of 22 % is known to about 5 %.
    assert!(bias.abs() < 0.015 && rmse < 0.07, "bias {bias}, rmse {rmse}");
    assert_eq!(forecast.base, forecast.expected);
}

#[test]
fn shrinkage_beats_the_naive_mean_where_history_is_short() {
    let company = Company::new(400, 3, 4.0, 2);
    let forecast = predict(&company.input(DAYS)).unwrap();
    let square = |found: f64, rate: f64| (found / DAYS - rate).powi(2);
    let (mut shrunk, mut naive) = (0.0, 0.0);
    for (i, &rate) in company.rate.iter().enumerate() {
        shrunk += square(forecast.base[i], rate);
        naive += square(company.history.row(i).sum() / 3.0, rate);
    }
    assert!(shrunk < 0.6 * naive, "{shrunk} {naive}");
}

#[test]
fn intervals_cover_and_quotas_are_as_hard_as_they_claim() {
    for (n_months, cv, days_left, seed) in
        [(24, 2.0, 21.0, 3), (24, 2.0, 5.0, 4), (12, 4.0, 21.0, 5), (6, 2.0, 63.0, 6), (2, 2.0, 21.0, 7)]
    {
        let mut company = Company::new(2_000, n_months, cv, seed);
        let forecast = predict(&company.input(days_left)).unwrap();
        let outcome: Vec<f64> = (0..2_000).map(|i| company.outcome(i, days_left)).collect();
        let covered = share((0..2_000).map(|i| (forecast.low(i)..=forecast.high(i)).contains(&outcome[i])));
        assert!((0.7..=0.9).contains(&covered), "{n_months} months, cv {cv}: {covered} covered");
        for tau in [0.4, 0.6, 0.8] {
            let reached = share((0..2_000).map(|i| outcome[i] >= forecast.quantile(i, 1.0 - tau)));
            assert!((reached - tau).abs() < 0.06, "{n_months} months, cv {cv}, {tau}: {reached} reached");
        }
        // As hard for the small as for the large.
        let mut by_rate: Vec<usize> = (0..2_000).collect();
        by_rate.sort_by(|&a, &b| forecast.base[a].total_cmp(&forecast.base[b]));
        for third in by_rate.chunks(667) {
            let reached = share(third.iter().map(|&i| outcome[i] >= forecast.quantile(i, 0.4)));
            assert!((reached - 0.6).abs() < 0.1, "{n_months} months, cv {cv}: {reached} of a third reached");
        }
    }
}

#[test]
fn spread_grows_with_the_square_root_of_the_days_left() {
    let company = Company::new(300, 36, 1.5, 8);
    let (long, short) = (predict(&company.input(20.0)).unwrap(), predict(&company.input(5.0)).unwrap());
    let ratio = long.remaining_sd[7] / short.remaining_sd[7];
    assert!((1.95..2.3).contains(&ratio), "{ratio}");
    let done = predict(&company.input(0.0)).unwrap();
    assert_eq!((done.expected[3], done.remaining_sd[3]), (0.0, 0.0));
}

#[test]
fn effects_seasons_and_attained_amounts_enter_as_stated() {
    let mut company = Company::new(50, 24, 1.0, 9);
    let plain = predict(&company.input(10.0)).unwrap();
    company.effect.column_mut(4).fill(1.5);
    company.effect.column_mut(17).fill(0.5);
    company.attained.fill(777.0);
    let input = CapacityInput { season_now: 2.0, ..company.input(10.0) };
    let moved = predict(&input).unwrap();
    for i in 0..50 {
        assert!((moved.remaining[i] / plain.remaining[i] - 1.5).abs() < 1e-12);
        assert!((moved.base[i] / plain.base[i] - 2.0).abs() < 1e-12);
        assert_eq!(moved.expected[i].to_bits(), (777.0 + moved.remaining[i]).to_bits());
    }
}

#[test]
fn a_new_rep_leans_on_the_region_and_the_ramp() {
    let mut company = Company::new(200, 24, 1.0, 10);
    company.worked.row_mut(0).fill(0.0);
    company.history.row_mut(0).fill(0.0);
    company.tenure[0] = 0.0;
    let forecast = predict(&company.input(DAYS)).unwrap();
    let peers: Vec<f64> = (0..200).filter(|i| i % 10 == 0 && *i > 0).map(|i| forecast.base[i]).collect();
    let mean = peers.iter().sum::<f64>() / 19.0;
    assert!((forecast.base[0] / mean - Ramp::default().at(0.5)).abs() < 0.06, "{} {mean}", forecast.base[0]);
    let cv = |i: usize| forecast.remaining_sd[i] / forecast.remaining[i];
    assert!(cv(0) > cv(10));
}

#[test]
fn small_and_empty_companies_have_forecasts() {
    let company = Company { history: array![[2_100.0, 4_200.0]], ..Company::new(1, 2, 1.0, 11) };
    let one = company.input(DAYS);
    let forecast = predict(&one).unwrap();
    assert!((2_100.0..4_200.0).contains(&forecast.expected[0]) && forecast.remaining_sd[0] > 0.0);

    let forecast = predict(&Company::new(3, 0, 1.0, 12).input(DAYS)).unwrap();
    assert_eq!((forecast.expected.as_slice(), forecast.quantile(1, 0.4)), (&[0.0; 3][..], 0.0));

    let mut still = Company::new(5, 12, 1.0, 13);
    still.history.fill(0.0);
    still.attained[2] = 50.0;
    let forecast = predict(&still.input(DAYS)).unwrap();
    assert_eq!((forecast.low(2), forecast.high(2), forecast.p_at_least(2, 51.0)), (50.0, 50.0, 0.0));

    assert_eq!(predict(&Company::new(0, 12, 1.0, 14).input(DAYS)).unwrap().n_reps(), 0);
}

#[test]
fn wrong_input_is_a_typed_error() {
    let mut company = Company::new(4, 6, 1.0, 15);
    company.history[[2, 3]] = f64::NAN;
    let error = predict(&company.input(DAYS)).unwrap_err();
    assert!(matches!(error, ModelError::NotFinite { what: "history", position: 15, .. }), "{error}");
    let company = Company::new(4, 6, 1.0, 15);
    let input = CapacityInput { season: &[1.0; 5], ..company.input(DAYS) };
    let expected = ModelError::Shape { what: "season", expected: vec![6], found: vec![5] };
    assert_eq!(predict(&input), Err(expected));
    let input = CapacityInput { season_now: 0.0, ..company.input(DAYS) };
    assert!(matches!(predict(&input), Err(ModelError::OutOfRange { what: "season_now", .. })));
    let input = CapacityInput { working_days_left: -1.0, ..company.input(DAYS) };
    assert!(matches!(predict(&input), Err(ModelError::OutOfRange { what: "working_days_left", .. })));
}

#[test]
fn the_same_input_gives_the_same_bits() {
    let company = Company::new(100, 18, 2.0, 16);
    assert_eq!(predict(&company.input(9.0)), predict(&company.input(9.0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_history_gives_numbers(
        amounts in proptest::collection::vec(-1e12_f64..1e12, 12),
        days in proptest::collection::vec(0.0_f64..31.0, 12),
        tenure in -5.0_f64..50.0,
    ) {
        let company = Company::new(3, 4, 1.0, 17);
        let (history, worked) = (Array2::from_shape_vec((3, 4), amounts).unwrap(), Array2::from_shape_vec((3, 4), days).unwrap());
        let input = CapacityInput {
            history: history.view(),
            worked: worked.view(),
            tenure_months: &[tenure; 3],
            ..company.input(DAYS)
        };
        let forecast = predict(&input).unwrap();
        for i in 0..3 {
            prop_assert!(forecast.expected[i] >= 0.0 && forecast.expected[i].is_finite());
            prop_assert!(forecast.low(i) <= forecast.high(i) && forecast.high(i).is_finite());
        }
    }
}

#[test]
fn other_effects_cost_no_prediction_and_come_out_to_the_bit() {
    let mut company = Company::new(50, 12, 2.5, 3);
    company.attained = company.rate.iter().map(|rate| 3.0 * rate).collect();
    let neutral = predict(&company.input(9.0)).unwrap();
    let mut normals = Normals(5);
    company.effect = Array2::from_shape_fn((50, 18), |_| normals.factor(0.1));
    let whole = predict(&company.input(9.0)).unwrap();
    let effect: Vec<f64> = company.effect.rows().into_iter().map(|row| row.iter().product()).collect();
    assert_eq!(neutral.with_effects(&effect), whole);
    assert_ne!(neutral, whole);
    assert_eq!(whole.with_effects(&[1.0; 50]), neutral);
}
