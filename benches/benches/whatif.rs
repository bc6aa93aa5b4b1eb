//! 1,000 scenarios × 10,000 reps through the frame, on all cores; seeded, reps and forecast built outside the clock.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::entity::{Crm, Regions, Rep};
use engine::pipeline::{Cast, Shift, Variation};
use engine::quota::{Effects, Forecast, Span};
use engine::rule::Book;
use engine::settings::{Period, Settings};
use models::panel::{Panel, PanelRows, PeriodDay, QuotaParams, Standing};

const REPS: usize = 10_000;
const REGIONS: usize = 40;
const SCENARIOS: u32 = 1_000;
const SEED: u64 = 7;
/// 2026-02-10, of the period from 2026-02-01 to before 2026-03-01.
const DAY: i32 = 20_494;
const PERIOD: (i32, i32) = (20_485, 20_513);

/// A seeded linear congruential sequence of reals in `[0, 1)`.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

/// The forecast of the daily run.
#[derive(Debug, Clone)]
struct Capacity(Standing);

impl Forecast for Capacity {
    fn base(&self, rep: usize) -> f64 {
        self.0.base(rep)
    }
    fn expected(&self, rep: usize) -> f64 {
        self.0.expected(rep)
    }
    fn without_pipeline(&self, rep: usize) -> f64 {
        self.0.without_pipeline(rep)
    }
    fn low(&self, rep: usize) -> f64 {
        self.0.low(rep)
    }
    fn high(&self, rep: usize) -> f64 {
        self.0.high(rep)
    }
    fn quantile(&self, rep: usize, p: f64) -> f64 {
        self.0.quantile(rep, p)
    }
    fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        self.0.p_at_least(rep, amount)
    }
    fn leans_on(&self, _: usize) -> String {
        String::new()
    }
    fn season(&self) -> f64 {
        self.0.season()
    }
    fn with_effects(&self, effects: &[Effects]) -> Box<dyn Forecast> {
        let mut other = self.clone();
        for (rep, effects) in effects.iter().enumerate() {
            other.revise(rep, self.0.attained(rep), *effects);
        }
        Box::new(other)
    }
    fn revise(&mut self, rep: usize, attained: f64, effects: Effects) {
        self.0.revise(rep, attained, effects.now / effects.start);
    }
}

/// From a year of weekly sales.
fn forecast() -> Capacity {
    let mut sequence = Sequence(SEED);
    let (mut day, mut rep, mut amount) = (Vec::new(), Vec::new(), Vec::new());
    for name in (0_u32..).take(REPS) {
        let level = 1e6 + 2e6 * sequence.next();
        for week in 0..52 {
            day.push(PERIOD.0 - 7 * (52 - week));
            rep.push(name);
            amount.push(level * (0.8 + 0.4 * sequence.next()));
        }
    }
    let region: Vec<u32> = rep.iter().map(|rep| rep % 39).collect();
    let rows = PanelRows::without_factors(&day, &rep, &region, &amount);
    let within = PeriodDay { start: PERIOD.0, end: PERIOD.1, as_of: DAY };
    let standing = Panel::new(&rows)
        .and_then(|panel| Standing::of(&panel, within, &vec![2e6; REPS], None, &QuotaParams::default()));
    Capacity(standing.unwrap_or_else(|error| unreachable!("{error}")))
}

fn crm() -> Crm {
    let ids = (0..REGIONS).map(|region| format!("R{region:02}")).collect();
    // One region above all others.
    let parent = (0..REGIONS).map(|region| (region > 0).then_some(0)).collect();
    let rep = |rep: usize| Rep {
        id: format!("r{rep:05}"),
        region: Some(1 + rep % (REGIONS - 1)),
        team: None,
        role: None,
        manager: None,
        hired_on: None,
        left_on: None,
        status: None,
    };
    let regions = Regions { ids, parent, cut: Vec::new() };
    Crm { reps: (0..REPS).map(rep).collect(), regions, ..Crm::default() }
}

fn whatif(c: &mut Criterion) {
    let (period, settings, book) = (Span::of(DAY, Period::Month), Settings::default(), Book::default());
    let plan = BTreeMap::from([((period.name.clone(), 0), 150_000_000_000)]);
    let cast = Cast::neutral(crm(), (&period, DAY), &plan, (&settings, &book), Box::new(forecast()));
    let variations: Vec<Variation> = (0..SCENARIOS)
        .map(|scenario| Variation {
            factors: vec![(0, None, Shift::To(70.0 + 0.06 * f64::from(scenario)))],
            ..Variation::default()
        })
        .collect();
    let mut group = c.benchmark_group("whatif");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::from(SCENARIOS) * u64::try_from(REPS).unwrap_or_default()));
    group.bench_function(format!("{SCENARIOS}_scenarios_{REPS}_reps_seed_{SEED}"), |b| {
        b.iter(|| {
            for some in variations.chunks(64) {
                let some: Vec<&Variation> = some.iter().collect();
                black_box(cast.quotas_of(&some)).unwrap_or_default();
            }
        });
    });
    group.finish();
}

criterion_group!(benches, whatif);
criterion_main!(benches);
