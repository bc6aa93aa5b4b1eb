//! The assignment of leads to reps at two sizes, single thread; seeded, data built outside the clock.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use engine::route::{GAIN_MAX, Places, assign};

/// Leads and reps.
const SIZES: [(usize, usize); 2] = [(1_000, 100), (5_000, 500)];
/// Places in all, as a share of the leads: plenty, just enough, and too few.
const ROOM: [f64; 3] = [2.0, 1.0, 0.6];
const SEED: u64 = 7;

/// A seeded linear congruential sequence of reals in `[0, 1)`.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a share of what fits")]
fn whole(value: f64) -> i32 {
    (value * f64::from(GAIN_MAX)) as i32 + 1
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "some places"
)]
fn places(leads: usize, reps: usize, room: f64) -> Vec<Places> {
    let capacity = (leads as f64 * room / reps as f64).round() as u32;
    vec![Places { taken: 0, capacity }; reps]
}

/// Chances of leads times factors of reps for four sources; a tenth of the pairs is forbidden.
fn gains(leads: usize, reps: usize) -> Vec<Option<i32>> {
    let mut sequence = Sequence(SEED);
    let factors: Vec<f64> = (0..4 * reps).map(|_| 0.5 + sequence.next()).collect();
    let mut gains = Vec::with_capacity(leads * reps);
    for lead in 0..leads {
        let chance = 0.4 * sequence.next();
        for rep in 0..reps {
            let allowed = sequence.next() < 0.9;
            gains.push(allowed.then(|| whole(chance * factors[(lead % 4) * reps + rep])));
        }
    }
    gains
}

fn route(c: &mut Criterion) {
    let mut group = c.benchmark_group("lead_route");
    group.sample_size(10);
    for (leads, reps) in SIZES {
        let gains = gains(leads, reps);
        group.throughput(Throughput::Elements(u64::try_from(leads).unwrap_or_default()));
        for room in ROOM {
            let places = places(leads, reps, room);
            let name = BenchmarkId::new(format!("{leads}_leads_{reps}_reps"), format!("room_{room}"));
            group.bench_function(name, |b| {
                b.iter(|| black_box(assign(leads, &places, |lead, rep| gains[lead * reps + rep])));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, route);
criterion_main!(benches);
