//! One region's reconciliation and explanation at two sizes, single thread; seeded, data built outside the clock.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::quota::{Explainer, Limits, RelaxOrder, reconcile_limited};

const SIZES: [usize; 2] = [10_000, 1_000_000];
const SEED: u64 = 7;
const TERMS: usize = 20;
const DAILY_CAP: f64 = 0.15;

/// Plans as a share of the proposals' sum: within the limits, and beyond what the daily caps allow.
const PLANS: [f64; 2] = [1.05, 1.3];

/// A seeded linear congruential sequence of reals in `[0, 1)`.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "an amount of some thousands, rounded down")]
fn units(amount: f64) -> i64 {
    amount as i64
}

#[expect(clippy::cast_precision_loss, reason = "amounts far below 2^53")]
fn real(amount: i64) -> f64 {
    amount as f64
}

fn proposals_and_limits(n_reps: usize) -> (Vec<i64>, Vec<Limits>) {
    let mut sequence = Sequence(SEED);
    (0..n_reps)
        .map(|_| {
            let proposal = 1e7 * (6.0 * sequence.next() - 2.0).exp();
            let limits = Limits {
                floor: Some(units(0.5 * proposal)),
                ceiling: Some(units(1.6 * proposal)),
                ..Limits::default()
            };
            let previous = units(proposal * (0.7 + 0.6 * sequence.next()));
            (units(proposal) + 1, limits.with_daily_cap(previous, DAILY_CAP))
        })
        .unzip()
}

fn reconcile(c: &mut Criterion) {
    let mut group = c.benchmark_group("quota_reconcile");
    group.sample_size(20);
    for n_reps in SIZES {
        let (proposals, limits) = proposals_and_limits(n_reps);
        let sum: i64 = proposals.iter().sum();
        group.throughput(Throughput::Elements(u64::try_from(n_reps).unwrap_or_default()));
        for plan in PLANS {
            let target = Some(units(plan * real(sum)));
            let id = BenchmarkId::new(format!("reps_{n_reps}_seed_{SEED}"), format!("plan_{plan}"));
            group.bench_function(id, |b| {
                b.iter(|| reconcile_limited(black_box(target), &proposals, &limits, RelaxOrder::default()));
            });
        }
    }
    group.finish();
}

fn explain(c: &mut Criterion) {
    let mut group = c.benchmark_group("quota_explain");
    group.sample_size(20);
    for n_reps in SIZES {
        let mut sequence = Sequence(SEED);
        let (base, _) = proposals_and_limits(n_reps);
        let ratios: Vec<f64> = (0..n_reps * TERMS).map(|_| 0.8 + 0.45 * sequence.next()).collect();
        let quota: Vec<i64> = (base.iter().zip(ratios.chunks_exact(TERMS)))
            .map(|(&base, row)| units(real(base) * row.iter().product::<f64>() + 0.5))
            .collect();
        let mut terms = vec![0; ratios.len()];
        let mut explainer = Explainer::new();
        group.throughput(Throughput::Elements(u64::try_from(n_reps).unwrap_or_default()));
        group.bench_function(BenchmarkId::new(format!("level_terms_{TERMS}_seed_{SEED}"), n_reps), |b| {
            b.iter(|| {
                let rows = ratios.chunks_exact(TERMS).zip(terms.chunks_exact_mut(TERMS));
                for ((row, out), (&base, &quota)) in rows.zip(base.iter().zip(&quota)) {
                    black_box(explainer.level(base, quota, row, out)).ok();
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reconcile, explain);
criterion_main!(benches);
