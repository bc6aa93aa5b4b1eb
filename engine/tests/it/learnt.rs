//! What a predictor learns for a period is learnt once, as long as what was known before the period is the same.

use std::path::Path;
use std::sync::Mutex;

use data_samples::build::Event;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, ingest_files};
use engine::lake::Lake;
use engine::pipeline::{RunRequest, run};
use engine::quota::{Forecast, Learnt, PredictInput, Predictor};
use engine::rule::Book;
use engine::settings::Settings;
use engine::time::{day_number, parse_rfc3339};

use crate::pace::Pace;

/// Learns what was sold before the period, and remembers what it was asked.
#[derive(Debug, Default)]
struct Scholar {
    learnt: Mutex<Vec<PredictInput>>,
    told: Mutex<Vec<Learnt>>,
}

impl Predictor for Scholar {
    fn name(&self) -> &'static str {
        "scholar"
    }

    fn learn(&self, known: &PredictInput) -> Result<Learnt, String> {
        self.learnt.lock().unwrap().push(known.clone());
        Ok(Learnt(vec![known.sales.iter().map(|sold| sold.amount).sum(), 0.1 + 0.2]))
    }

    fn predict(&self, input: &PredictInput, learnt: &Learnt) -> Result<Box<dyn Forecast>, String> {
        self.told.lock().unwrap().push(learnt.clone());
        Pace.predict(input, learnt)
    }
}

fn rep(id: &str, region: &str, updated: &str) -> String {
    format!(
        r#"{{"rep_id":"{id}","region_id":"{region}","hired_on":"2025-01-01","status":"active","updated_at":"{updated}"}}"#
    )
}

fn deal(number: u32, rep: &str, time: &str, amount: &str) -> String {
    Event::new("deal.signed")
        .id(&format!("d{number}"))
        .at(time)
        .rep(rep)
        .customer("c1")
        .amount(amount)
        .to_json()
}

async fn take_in(lake: &Lake, dir: &Path, stream: Stream, lines: &[String]) {
    let path = dir.join(format!("{}-{}.ndjson", stream.name(), blake(lines)));
    std::fs::write(&path, lines.join("\n")).unwrap();
    let options = IngestOptions::new(parse_rfc3339("2026-12-01T00:00:00Z").unwrap());
    ingest_files(lake, &Catalogue::builtin().unwrap(), stream, &[path], &options).await.unwrap();
}

/// A name for a file of these lines.
fn blake(lines: &[String]) -> String {
    lines
        .join("")
        .bytes()
        .fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()))
        .to_string()
}

async fn daily(lake: &Lake, predictor: &Scholar, day: u32) {
    let request = RunRequest {
        as_of: day_number(chrono::NaiveDate::from_ymd_opt(2026, 3, day).unwrap()),
        now: parse_rfc3339("2026-12-01T00:00:00Z").unwrap(),
        settings: &Settings::default(),
        catalogue: &Catalogue::builtin().unwrap(),
        predictor,
        rules: &Book::default(),
        models: engine::score::Models::default(),
        progress: &mut |_| {},
    };
    run(lake, request).await.unwrap();
}

#[tokio::test]
async fn a_period_is_learnt_for_once_until_what_was_known_before_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(&dir.path().join("lake"), "Asia/Shanghai").unwrap();
    let then = "2025-01-01T00:00:00Z";
    let region = r#"{"region_id":"north","name":"North"}"#.to_owned();
    take_in(
        &lake,
        dir.path(),
        Stream::Region,
        &[region, r#"{"region_id":"south","name":"South"}"#.to_owned()],
    )
    .await;
    take_in(&lake, dir.path(), Stream::Rep, &[rep("r2", "north", then), rep("r3", "south", then)]).await;
    take_in(&lake, dir.path(), Stream::Rep, &[rep("r4", "south", "2026-03-02T00:00:00Z")]).await;
    let sold = [
        deal(1, "r2", "2026-02-10T09:00:00Z", "100"),
        deal(2, "r3", "2026-02-20T09:00:00Z", "50"),
        deal(5, "r4", "2026-02-20T09:00:00Z", "10"),
    ];
    take_in(&lake, dir.path(), Stream::Behaviour, &sold).await;
    let scholar = Scholar::default();
    let counts = || (scholar.learnt.lock().unwrap().len(), scholar.told.lock().unwrap().clone());

    daily(&lake, &scholar, 4).await;
    let known = scholar.learnt.lock().unwrap()[0].clone();
    assert_eq!((known.staff.len(), known.sales.len()), (3, 3));
    // In the order of ids: the north, the south, and of whom the CRM tells only since, where it is now.
    assert_eq!(known.staff.iter().map(|member| member.region).collect::<Vec<_>>(), [0, 1, 1]);
    assert!(known.sales.iter().all(|sold| sold.day < known.as_of) && known.attained.is_empty());
    // Somebody sells, somebody comes, somebody leaves, somebody moves: all within the period.
    take_in(&lake, dir.path(), Stream::Behaviour, &[deal(3, "r2", "2026-03-05T09:00:00Z", "70")]).await;
    let within = "2026-03-05T00:00:00Z";
    let left = rep("r3", "south", within).replace("\"active\"", "\"left\",\"left_on\":\"2026-03-06\"");
    let changes = [rep("r1", "north", within), rep("r2", "south", within), left];
    take_in(&lake, dir.path(), Stream::Rep, &changes).await;
    daily(&lake, &scholar, 6).await;
    let (times, told) = counts();
    assert_eq!(times, 1);
    assert!(told.len() == 2 && told[0] == told[1], "{told:?}");
    assert_eq!(
        told[0].0.iter().map(|value| value.to_bits()).collect::<Vec<_>>(),
        [16_000.0_f64, 0.1 + 0.2].map(f64::to_bits)
    );
    // A deal of the month before comes late.
    take_in(&lake, dir.path(), Stream::Behaviour, &[deal(4, "r3", "2026-02-21T09:00:00Z", "1")]).await;
    daily(&lake, &scholar, 7).await;
    let (times, told) = counts();
    assert_eq!((times, told[2].0[0].to_bits()), (2, 16_100.0_f64.to_bits()));
}
