//! The prediction of a day: two years of sales of reps in 40 or 400 regions, one in ten of them hired meanwhile; seeded,
//! tables built outside the clock.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use models::panel::{Panel, PanelRows, PeriodDay, QuotaParams, Staff, Standing};

const SEED: u64 = 7;
/// 2026-02-01, and the day before the history.
const START: i32 = 20_485;
const FIRST: i32 = START - 728;

/// A seeded linear congruential sequence of reals in `[0, 1)`.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

/// A deal every four days or so.
fn panel(reps: u32, regions: u32) -> Panel {
    let mut sequence = Sequence(SEED);
    let (mut day, mut rep, mut amount, mut staff) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for number in 0..reps {
        let level = 1e5 + 2e5 * sequence.next();
        let since =
            if number % 10 == 0 { FIRST + i32::try_from(number % 700).unwrap_or_default() } else { FIRST };
        staff.push(Staff { region: number % regions, hired: (since > FIRST).then_some(since), left: None });
        let mut at = since;
        while at < START + 9 {
            day.push(at);
            rep.push(number);
            amount.push(level * (0.2 + 1.6 * sequence.next()));
            at += if sequence.next() < 0.5 { 3 } else { 5 };
        }
    }
    let zeros = vec![0; day.len()];
    Panel::new(&PanelRows::without_factors(&day, &rep, &zeros, &amount))
        .and_then(|panel| panel.with_staff(&staff))
        .unwrap_or_else(|error| unreachable!("{error}"))
}

fn predict(c: &mut Criterion) {
    let mut group = c.benchmark_group("predict");
    group.sample_size(10);
    let within = PeriodDay { start: START, end: START + 28, as_of: START + 9 };
    for (reps, regions) in [(1_000, 40), (10_000, 40), (100_000, 400)] {
        let panel = panel(reps, regions);
        let attained = vec![1e6; reps as usize];
        group.throughput(Throughput::Elements(u64::from(reps)));
        group.bench_function(
            BenchmarkId::from_parameter(format!("{reps}_reps_{regions}_regions_seed_{SEED}")),
            |b| {
                b.iter(|| black_box(Standing::of(&panel, within, &attained, None, &QuotaParams::default())));
            },
        );
    }
    group.finish();
}

criterion_group!(benches, predict);
criterion_main!(benches);
