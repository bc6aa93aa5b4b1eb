//! 200 rules on 100,000 reps, single thread; seeded, data and rules built outside the clock.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::rule::{Book, Columns, Kind, Texts, apply, read, subjects};

const REPS: usize = 100_000;
const RULES: usize = 200;
const SEED: u64 = 7;
/// Conditions and actions that rules are put together from; `{}` is a number that differs from rule to rule.
const CONDITIONS: [&str; 5] = [
    "repurchase_interval < {} days and average_order_value > 5000",
    "touch_density is between {}% and 99% or process_health < 60",
    "not (share_at_risk > {}%) and region_id is one of \"R1\", \"R7\"",
    "tenure_months >= {} and capability is known and weighted_pipeline > 100000",
    "workload > {} and (customers > 20 or mean_customer_health < 25)",
];
const ACTIONS: [&str; 4] =
    ["raise quota by 2%", "lower quota by 1%", "cap quota at 150% of base", "floor quota at 20% of base"];

/// A seeded linear congruential sequence of reals in `[0, 1)`.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap_or_default()) / (f64::from(u32::MAX) + 1.0)
    }
}

fn book() -> Book {
    let sentence = |rule: usize| {
        let condition = CONDITIONS[rule % CONDITIONS.len()].replace("{}", &(1 + rule % 60).to_string());
        format!("name: rule-{rule}\nwhen {condition} then {}\n", ACTIONS[rule % ACTIONS.len()])
    };
    let text = (0..RULES).map(sentence).collect::<Vec<_>>().concat();
    read(&text).unwrap_or_default()
}

/// Every subject with a value between 0 and what suits its kind, a tenth of them unknown.
fn columns() -> Columns {
    let mut sequence = Sequence(SEED);
    let mut columns = Columns::new(REPS);
    let regions: Vec<Vec<String>> =
        (0..40).map(|region| vec![format!("R{region}"), "R".to_owned()]).collect();
    for subject in subjects() {
        let most = match subject.kind() {
            Kind::Text => {
                let texts = (0..REPS).map(|row| Some(regions[row % regions.len()].clone()));
                columns.set_texts(subject, Texts::new(texts));
                continue;
            }
            Kind::Money => 1e6,
            Kind::Share => 1.0,
            _ => 100.0,
        };
        let cell = |sequence: &mut Sequence| (sequence.next() > 0.1).then(|| most * sequence.next());
        columns.set_numbers(subject, (0..REPS).map(|_| cell(&mut sequence)).collect::<Vec<_>>());
    }
    columns
}

fn rules(c: &mut Criterion) {
    let (book, columns) = (book(), columns());
    assert_eq!(book.rules.len(), RULES);
    let amounts = vec![10_000_000; REPS];
    let mut group = c.benchmark_group("rules");
    group.sample_size(10);
    group.throughput(Throughput::Elements(u64::try_from(RULES * REPS).unwrap_or_default()));
    let day = 20_000;
    group.bench_function(format!("apply_{RULES}_rules_{REPS}_reps_seed_{SEED}"), |b| {
        b.iter(|| black_box(apply(&book, day, &columns, &amounts, &amounts)));
    });
    group.finish();
}

criterion_group!(benches, rules);
criterion_main!(benches);
