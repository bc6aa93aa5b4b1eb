//! Promises of the panel forecast, over generated tables.

use ndarray::Array2;
use proptest::prelude::*;

use super::{LeansOn, Panel, PanelRows, QuotaForecast, QuotaParams, forecast};

/// Columns of a table without factors.
#[derive(Debug, Clone, Default)]
struct Table {
    day: Vec<i32>,
    rep: Vec<u32>,
    region: Vec<u32>,
    amount: Vec<f64>,
}

impl Table {
    fn push(&mut self, day: i32, rep: u32, region: u32, amount: f64) {
        self.day.push(day);
        self.rep.push(rep);
        self.region.push(region);
        self.amount.push(amount);
    }

    fn panel(&self) -> Panel {
        let factors = Array2::zeros((self.day.len(), 0));
        let rows = PanelRows {
            day: &self.day,
            rep: &self.rep,
            region: &self.region,
            amount: &self.amount,
            factors: factors.view(),
        };
        Panel::new(&rows).unwrap()
    }

    fn order(&self, order: &[usize]) -> Self {
        let mut other = Self::default();
        for &row in order {
            other.push(self.day[row], self.rep[row], self.region[row], self.amount[row]);
        }
        other
    }
}

/// A draw between −1 and 1 that depends on its arguments alone.
fn noise(a: u32, b: u32, seed: u32) -> f64 {
    let mut state =
        (u64::from(a) << 40) ^ (u64::from(b) << 8) ^ u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3 {
        state = (state ^ (state >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ (state >> 27);
    }
    f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
}

const START: i32 = 18_000;

/// Weekly sales with seasons, growth and noise; reps on two regions by turns.
fn weekly(reps: u32, weeks: u32, seed: u32, spread: f64) -> Table {
    let mut table = Table::default();
    for rep in 0..reps {
        for week in 0..weeks {
            let turn = f64::from(week % 52) / 52.0 * std::f64::consts::TAU;
            let peak = if week % 52 == 20 { 1.5 } else { 1.0 };
            let level = 100.0 * f64::from(rep + 1) * (1.0 + 0.001 * f64::from(week));
            let amount = level * peak * (1.0 + 0.2 * turn.sin()) * (1.0 + spread * noise(rep, week, seed));
            table.push(START + 7 * i32::try_from(week).unwrap(), rep, rep % 2, amount);
        }
    }
    table
}

fn quotas(table: &Table, start: i32, end: i32) -> QuotaForecast {
    forecast(&table.panel(), start, end, &QuotaParams::default()).unwrap().unwrap()
}

fn figures(forecast: &QuotaForecast) -> Vec<(usize, [u64; 4])> {
    let bits = |q: &super::PanelQuota| (q.rep, [q.quota, q.expected, q.low, q.high].map(f64::to_bits));
    forecast.quotas.iter().map(bits).collect()
}

fn day(week: i32) -> i32 {
    START + 7 * week
}

#[test]
fn seasons_peaks_and_growth_are_carried_on() {
    let table = weekly(6, 80, 1, 0.02);
    let found = quotas(&table, day(67), day(80));
    for quota in &found.quotas {
        let actual = table.panel().actual(quota.rep, day(67), day(80));
        assert!((quota.expected / actual - 1.0).abs() < 0.04, "{} against {actual}", quota.expected);
        assert!(quota.low < quota.expected && quota.expected < quota.high);
        assert!(quota.low < quota.quota && (quota.quota / actual - 1.0).abs() < 0.06);
        assert_eq!(quota.leans_on, LeansOn::OwnYears);
    }
}

#[test]
fn new_silent_and_unknown_reps_get_what_can_be_said_of_them() {
    let mut table = weekly(6, 60, 2, 0.1);
    // Rep 6 began two weeks ago, rep 7 is announced, rep 8 stopped 12 weeks ago.
    for week in 58..60 {
        table.push(day(week), 6, 0, 350.0);
    }
    table.push(day(59), 7, 1, 0.0);
    for week in 0..48 {
        table.push(day(week), 8, 0, 200.0);
    }
    let found = quotas(&table, day(60), day(64));
    assert_eq!(found.left, [8]);
    let of = |rep: usize| found.quotas.iter().find(|quota| quota.rep == rep).unwrap();
    assert_eq!((of(6).leans_on, of(7).leans_on), (LeansOn::Region, LeansOn::RegionAlone));
    let usual = of(3).expected;
    assert!(of(7).expected > 0.2 * usual && of(7).expected < 5.0 * usual);
    assert!((of(7).high - of(7).low) / of(7).expected > (of(3).high - of(3).low) / of(3).expected);
}

#[test]
fn any_little_history_is_enough_for_finite_figures() {
    let mut tables = vec![weekly(1, 3, 3, 0.3), weekly(2, 1, 3, 0.3), weekly(3, 30, 3, 0.0)];
    // All zero; returns only; a single row; one huge and one tiny rep.
    for amounts in [[0.0, 0.0], [-5.0, -3.0], [1e15, 1e-9]] {
        let mut table = Table::default();
        for week in 0..20 {
            table.push(day(week), 0, 0, amounts[0]);
            table.push(day(week), 1, 1, amounts[1]);
        }
        tables.push(table);
    }
    let mut single = Table::default();
    single.push(START, 0, 0, 10.0);
    tables.push(single);
    for table in &tables {
        let first = *table.day.iter().max().unwrap() + 1;
        for quota in quotas(table, first, first + 91).quotas {
            for figure in [quota.quota, quota.expected, quota.low, quota.high] {
                assert!(figure.is_finite() && figure >= 0.0, "{quota:?}");
            }
        }
    }
    let panel = weekly(2, 4, 1, 0.1).panel();
    assert!(forecast(&panel, START, START + 30, &QuotaParams::default()).unwrap().is_none());
    assert!(forecast(&panel, START + 30, START + 30, &QuotaParams::default()).is_err());
    let wrong = QuotaParams { attain_probability: 1.0, ..QuotaParams::default() };
    assert!(forecast(&panel, START + 30, START + 60, &wrong).is_err());
}

#[test]
fn a_settled_reps_own_last_period_hardly_raises_its_quota() {
    let table = weekly(8, 70, 5, 0.1);
    let found = quotas(&table, day(65), day(69));
    let panel = table.panel();
    for rep in 0..8 {
        let ratchet = found.ratchet(&panel, rep, &QuotaParams::default()).unwrap();
        assert!(ratchet > -0.05 && ratchet < 0.17, "{rep}: {ratchet}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn what_comes_later_changes_nothing(seed in 0_u32..1000, factor in -3.0..3.0_f64) {
        let table = weekly(4, 40, seed, 0.2);
        let mut later = table.clone();
        for (amount, _) in later.amount.iter_mut().zip(&table.day).filter(|(_, d)| **d >= day(34)) {
            *amount *= factor;
        }
        later.push(day(36), 9, 1, 1e6);
        prop_assert_eq!(figures(&quotas(&table, day(34), day(38))), figures(&quotas(&later, day(34), day(38))));
    }

    #[test]
    fn the_order_of_rows_changes_nothing(seed in 0_u32..1000, order in Just((0..120_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let mut table = weekly(4, 30, seed, 0.2);
        table.day[7] = table.day[6];
        table.rep[7] = table.rep[6];
        prop_assert_eq!(
            figures(&quotas(&table, day(30), day(34))),
            figures(&quotas(&table.order(&order), day(30), day(34)))
        );
    }

    #[test]
    fn quotas_scale_with_amounts(seed in 0_u32..1000) {
        let table = weekly(4, 30, seed, 0.2);
        let mut cents = table.clone();
        cents.amount.iter_mut().for_each(|amount| *amount *= 100.0);
        let (small, large) = (quotas(&table, day(30), day(34)), quotas(&cents, day(30), day(34)));
        for (a, b) in small.quotas.iter().zip(&large.quotas) {
            prop_assert!((b.quota / a.quota / 100.0 - 1.0).abs() < 1e-6, "{} {}", a.quota, b.quota);
        }
    }
}
