//! Promises of the panel forecast, over generated tables.

use proptest::prelude::*;

use super::{
    LeansOn, OpenDeal, Panel, PanelRows, PastLooks, PeriodDay, Pipeline, QuotaForecast, QuotaParams, Staff,
    Standing, Wins, WonDeal, Workdays, forecast,
};

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
        Panel::new(&PanelRows::without_factors(&self.day, &self.rep, &self.region, &self.amount)).unwrap()
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
    // Of the first, some would change their class of noise, were it taken from their latest weeks too.
    for (reps, weeks, ahead) in [(20, 80, 13), (8, 70, 4)] {
        for seed in 0..6 {
            let table = weekly(reps, weeks, seed, 0.1);
            let end = i32::try_from(weeks).unwrap();
            let found = quotas(&table, day(end - ahead), day(end));
            let panel = table.panel();
            for rep in 0..reps {
                let rep = usize::try_from(rep).unwrap();
                let ratchet = found.ratchet(&panel, rep, &QuotaParams::default()).unwrap();
                assert!(ratchet > -0.05 && ratchet < 0.15, "seed {seed}, {rep}: {ratchet}");
            }
        }
    }
}

/// Sales on every working day, as a company of which the CRM knows the reps has them.
fn company(reps: u32, weeks: u32, seed: u32) -> Table {
    let mut table = Table::default();
    for rep in 0..reps {
        for week in 0..weeks {
            for weekday in 0..5 {
                let amount = 20.0 * f64::from(rep + 1) * (1.0 + 0.3 * noise(rep, 5 * week + weekday, seed));
                table.push(
                    day(i32::try_from(week).unwrap()) + i32::try_from(weekday).unwrap(),
                    rep,
                    rep % 2,
                    amount,
                );
            }
        }
    }
    table
}

fn staff(reps: u32) -> Vec<Staff> {
    (0..reps).map(|rep| Staff { region: rep % 2, hired: None, left: None }).collect()
}

fn standing(panel: &Panel, as_of: i32, attained: &[f64], pipeline: Option<&Pipeline>) -> Standing {
    let within = PeriodDay { start: day(60), end: day(64), as_of };
    Standing::of(panel, within, attained, pipeline, &QuotaParams::default()).unwrap()
}

fn told(standing: &Standing, rep: usize) -> [u64; 6] {
    let amounts = [
        standing.expected(rep),
        standing.low(rep),
        standing.high(rep),
        standing.quantile(rep, 0.4),
        standing.p_at_least(rep, 3_000.0),
        standing.base(rep),
    ];
    amounts.map(f64::to_bits)
}

#[test]
fn a_period_begins_with_its_quotas_and_ends_with_what_was_attained() {
    let table = company(6, 64, 1);
    let panel = table.panel().with_staff(&staff(6)).unwrap();
    let quotas = forecast(&panel, day(60), day(64), &QuotaParams::default()).unwrap().unwrap().quotas;
    let before = standing(&panel, day(60) - 1, &[0.0; 6], None);
    for quota in &quotas {
        let same = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} and {b}");
        same(before.quantile(quota.rep, 0.4), quota.quota);
        same(before.expected(quota.rep), quota.expected);
        same(before.low(quota.rep), quota.low);
        same(before.high(quota.rep), quota.high);
    }
    let mut width = f64::INFINITY;
    for as_of in [day(61), day(62), day(63)] {
        let attained: Vec<f64> = (0..6).map(|rep| panel.actual(rep, day(60), as_of + 1)).collect();
        let now = standing(&panel, as_of, &attained, None);
        assert!((now.expected(3) / panel.actual(3, day(60), day(64)) - 1.0).abs() < 0.1);
        assert!(now.high(3) - now.low(3) < width);
        width = now.high(3) - now.low(3);
    }
    let last = standing(&panel, day(64) - 1, &[7.0; 6], None);
    let all = [last.expected(2), last.quantile(2, 0.4), last.low(2), last.high(2)];
    assert!(all.iter().all(|amount| (amount - 7.0).abs() < 1e-6), "{all:?}");
}

#[test]
fn chances_and_quantiles_agree() {
    let panel = company(4, 60, 2).panel();
    let now = standing(&panel, day(60), &[10.0; 4], None);
    for p in [0.001, 0.03, 0.2, 0.4, 0.401, 0.777, 0.9, 0.999] {
        let amount = now.quantile(1, p);
        assert!((now.p_at_least(1, amount) - (1.0 - p)).abs() < 1e-6, "{p}: {}", now.p_at_least(1, amount));
    }
    assert!(now.quantile(1, 1.5).is_nan() && now.p_at_least(9, 1.0).is_nan());
    assert!((now.p_at_least(1, 10.0) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn what_the_company_knows_of_a_rep_goes_before_its_rows() {
    let mut table = company(4, 60, 3);
    // Rep 4 has been silent for eight weeks, rep 5 was hired for next week, rep 6 sold nothing in three months, rep 7 is gone.
    for week in 0..52 {
        table.push(day(week) + 1, 4, 0, 700.0);
    }
    for week in 0..60 {
        table.push(day(week) + 1, 7, 0, 700.0);
    }
    let mut staff = staff(8);
    staff[5].hired = Some(day(61));
    staff[6].hired = Some(day(47));
    staff[7].left = Some(day(60));
    let panel = table.panel().with_staff(&staff).unwrap();
    let now = standing(&panel, day(60) - 1, &[0.0; 8], None);
    assert_eq!(now.leans_on(4), Some(LeansOn::BeforeSilence));
    assert!((now.expected(4) / 2_800.0 - 1.0).abs() < 0.25, "{}", now.expected(4));
    assert_eq!(now.leans_on(5), Some(LeansOn::RegionAlone));
    // Three of four weeks of a usual rep of its region, who sell 100 and 300 a week.
    assert!(now.expected(5) > 300.0 && now.expected(5) < 2_500.0, "{}", now.expected(5));
    assert!(now.expected(6) < 0.5 * now.expected(1), "{} and {}", now.expected(6), now.expected(1));
    assert_eq!((now.leans_on(7), now.expected(7).to_bits()), (None, 0.0_f64.to_bits()));
}

#[test]
fn days_off_are_foreseen() {
    let table = company(4, 60, 4);
    let calendar = |holiday: std::ops::Range<i32>| {
        let is_working = |day: i32| (day - START).rem_euclid(7) < 5 && !holiday.contains(&day);
        Workdays { first: START, working: (START..day(64)).map(is_working).collect() }
    };
    let expected = |holiday| {
        let panel = table.panel().with_staff(&staff(4)).unwrap().with_workdays(calendar(holiday));
        standing(&panel, day(60) - 1, &[0.0; 4], None).expected(2)
    };
    let (usual, short) = (expected(0..0), expected(day(61)..day(62)));
    assert!((short / usual - 0.75).abs() < 0.01, "{short} of {usual}");
}

#[test]
fn a_period_without_history_tells_of_itself() {
    let table = company(4, 62, 5);
    let mut young = Table::default();
    for row in (0..table.day.len()).filter(|&row| table.day[row] >= day(59)) {
        young.push(table.day[row], table.rep[row], table.region[row], table.amount[row]);
    }
    let panel = young.panel().with_staff(&staff(4)).unwrap();
    let attained: Vec<f64> = (0..4).map(|rep| panel.actual(rep, day(60), day(62))).collect();
    let now = standing(&panel, day(62) - 1, &attained, None);
    assert!(
        (now.expected(3) / (2.0 * attained[3]) - 1.0).abs() < 0.15,
        "{} {}",
        now.expected(3),
        attained[3]
    );
    assert!((now.base(3) / now.expected(3) - 1.0).abs() < 0.2);
    let nothing = Table::default().panel().with_staff(&staff(2)).unwrap();
    let none = standing(&nothing, day(60), &[0.0, 5.0], None);
    assert_eq!((none.quantile(1, 0.4), none.p_at_least(1, 6.0), none.leans_on(1)), (5.0, 0.0, None));
}

#[test]
fn open_opportunities_take_the_place_of_what_such_usually_bring() {
    let table = company(4, 60, 6);
    let panel = table.panel().with_staff(&staff(4)).unwrap();
    let within = PeriodDay { start: day(60), end: day(64), as_of: day(60) };
    // A fifth of all sales came from opportunities that had been open for long.
    let won: Vec<WonDeal> = (day(46)..=day(60))
        .map(|day| WonDeal { opened: day - 60, won: day, amount: 0.2 * panel.total(day..day + 1) })
        .collect();
    let deal = |amount, p_win| OpenDeal { rep: 1, amount, p_win };
    let looks = PastLooks::of(&panel, within, day(40));
    let pipeline = |open: &[OpenDeal]| Pipeline::of(&looks, 4, open, &won);
    let none = pipeline(&[]);
    assert!(none.share > 0.05 && none.share < 0.2, "{}", none.share);
    let plain = standing(&panel, day(60), &[0.0; 4], None);
    let empty = standing(&panel, day(60), &[0.0; 4], Some(&none));
    assert!((empty.expected(1) / plain.expected(1) - (1.0 - none.share)).abs() < 1e-9);
    assert!((empty.without_pipeline(1) - plain.expected(1)).abs() < 1e-9);
    let full = standing(&panel, day(60), &[0.0; 4], Some(&pipeline(&[deal(1_000.0, 0.5), deal(500.0, 0.2)])));
    assert!((full.expected(1) - empty.expected(1) - 600.0).abs() < 1e-9);
    assert_eq!(full.expected(2).to_bits(), empty.expected(2).to_bits());
    // What changes about the pipeline later is what looking at all of it anew says.
    let fewer = looks.share(&won[..50]);
    let anew = Pipeline { share: fewer, ..pipeline(&[deal(1_000.0, 0.5), deal(500.0, 0.2)]) };
    let mut revised = empty.clone();
    revised.revise_wins(1, Wins::of([(1_000.0, 0.5), (500.0, 0.2)]));
    assert_eq!(told(&revised, 1), told(&full, 1));
    assert!(revised.revise_share(fewer) && !revised.revise_share(fewer));
    let anew = standing(&panel, day(60), &[0.0; 4], Some(&anew));
    assert!(fewer < none.share);
    for rep in 0..4 {
        assert_eq!(told(&revised, rep), told(&anew, rep));
    }
    // A certain deal is less uncertain than half of two.
    let sure = standing(&panel, day(60), &[0.0; 4], Some(&pipeline(&[deal(600.0, 1.0)])));
    assert!(sure.high(1) - sure.low(1) < full.high(1) - full.low(1));
}

#[test]
fn a_large_company_is_forecast_like_a_small_one() {
    // More reps than have a market each, in regions with more reps than have peers each.
    let table = company(300, 30, 7);
    let panel = table.panel().with_staff(&staff(300)).unwrap();
    let found = forecast(&panel, day(30), day(34), &QuotaParams::default()).unwrap().unwrap();
    for quota in &found.quotas {
        let usual = 400.0 * f64::from(u32::try_from(quota.rep).unwrap() + 1);
        assert!((quota.expected / usual - 1.0).abs() < 0.15, "{}: {}", quota.rep, quota.expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn revising_a_rep_is_looking_at_all_anew(seed in 0_u32..1000, amount in 0.0..2_000.0_f64, effect in 0.5..2.0_f64) {
        let panel = company(4, 63, seed).panel().with_staff(&staff(4)).unwrap();
        let attained = [100.0, 50.0, 10.0, 0.0];
        let mut other = attained;
        other[1] = amount;
        let mut revised = standing(&panel, day(61), &attained, None);
        let anew = standing(&panel, day(61), &other, None);
        revised.revise(1, amount, 1.0);
        for rep in 0..4 {
            prop_assert_eq!(told(&revised, rep), told(&anew, rep));
        }
        revised.revise(1, amount, effect);
        let rest = |standing: &Standing| standing.expected(1) - amount;
        prop_assert!((rest(&revised) - effect * rest(&anew)).abs() < 1e-6);
        prop_assert_eq!(revised.base(1).to_bits(), anew.base(1).to_bits());
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
