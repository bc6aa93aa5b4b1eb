//! One event of the running day → changed quotas, in process: median and 99th percentile over events of a day.
//!
//! Here and not in `benches`, because it needs the predictor and the runtime: `cargo bench -p jobs --bench live`.
//! Arguments after `--` are sizes, `REPS:CUSTOMERS:EVENTS_PER_DAY`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, MessageReader, ingest_files};
use engine::lake::Lake;
use engine::live::{Live, Making};
use engine::rule::Book;
use engine::score::KeptModels;
use engine::settings::Settings;
use engine::time::{Day, Micros, day_number, parse_rfc3339};
use jobs::predictor::PanelPredictor;

/// As the command's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 7;
const DAYS: u32 = 60;
/// Of the running day, applied before the clock runs, and with it.
const WARM_EVENTS: usize = 500;
const EVENTS: usize = 2_000;
const SIZES: [&str; 2] = ["250:5000:5000", "5000:50000:50000"];

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let given: Vec<String> = std::env::args().skip(1).filter(|argument| argument.contains(':')).collect();
    let sizes = if given.is_empty() { SIZES.map(String::from).to_vec() } else { given };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    for size in sizes {
        let numbers: Vec<u32> = size.split(':').map(str::parse).collect::<Result<_, _>>()?;
        let [reps, customers, events] = numbers[..] else {
            return Err(format!("{size}: three numbers").into());
        };
        runtime.block_on(measure(reps, customers, u64::from(events)))?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures")]
async fn measure(reps: u32, customers: u32, events_per_day: u64) -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data");
    let scale = data_samples::Scale {
        seed: SEED,
        reps,
        customers,
        days: DAYS,
        events_per_day,
        dirt: data_samples::Dirt::none(),
        ..data_samples::Scale::default()
    };
    data_samples::generate(&scale, &data, data_samples::Format::Ndjson, &mut |_| {})?;
    let lake = Lake::open_or_create(&dir.path().join("lake"), "Asia/Shanghai")?;
    let catalogue = Catalogue::builtin()?;
    let now = parse_rfc3339("2026-12-01T00:00:00Z").ok_or("a time")?;
    let last = data.join("behaviour").join(format!("{}.ndjson", scale.end));
    let held = dir.path().join("last.ndjson");
    std::fs::rename(&last, &held)?;
    for stream in Stream::ALL {
        let path = data.join(format!("{}.ndjson", stream.name()));
        let from = if path.exists() { path } else { data.join(stream.name()) };
        ingest_files(&lake, &catalogue, stream, &[from], &IngestOptions::new(now)).await?;
    }
    let day = day_number(scale.end);
    let making = Making {
        settings: Arc::new(Settings::default()),
        catalogue: Arc::new(catalogue),
        predictor: Arc::new(PanelPredictor),
        rules: Arc::new(Book::default()),
        models: Arc::new(|_, _, _| Ok(KeptModels::default())),
        rows_bytes_max: 1 << 30,
    };
    let opened = Instant::now();
    let mut live = Live::open(&lake, making.clone(), day).await?;
    let opened = opened.elapsed();
    let text = std::fs::read_to_string(&held)?;
    let mut reader = MessageReader::new(&lake, &making.catalogue)?;
    let mut took = Vec::with_capacity(EVENTS);
    let mut changed = 0;
    for (number, line) in text.lines().take(WARM_EVENTS + EVENTS).enumerate() {
        let (time, rows) = apply(&mut live, &mut reader, (line, now, day))?;
        if number >= WARM_EVENTS {
            took.push(time);
            changed += rows;
        }
    }
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    println!(
        "live_one_event_{reps}_reps_{customers}_customers_seed_{SEED}: median {:?}, p99 {:?}, most {:?}; {} quotas \
         changed an event; opened in {opened:?}",
        at(50),
        at(99),
        took.last().copied().unwrap_or_default(),
        changed / took.len().max(1),
    );
    Ok(())
}

/// Decodes and applies one event; returns how long applying took, and how many quotas changed.
fn apply(
    live: &mut Live,
    reader: &mut MessageReader,
    (record, now, day): (&str, Micros, Day),
) -> Outcome<(Duration, usize)> {
    reader.read(Some(record.as_bytes()));
    let batches = reader.finish(now)?.rows;
    let started = Instant::now();
    let changes = live.apply(&batches)?;
    let took = started.elapsed();
    if changes.late + changes.ahead > 0 {
        return Err(format!("an event that isn't of day {day}: {record}").into());
    }
    Ok((took, changes.named.len() + changes.others.len()))
}
