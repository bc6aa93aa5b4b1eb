//! The live core gives the quotas of a daily run over the same events, whatever their order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use engine::adjust::{self, Ask, Change, Event, EventKind};
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, MessageReader, ingest_files};
use engine::lake::{Lake, read};
use engine::live::{AlertChange, Live, LiveQuota, Making};
use engine::pipeline::{RunReport, RunRequest, run};
use engine::rule::{Book, read as read_rules};
use engine::settings::Settings;
use engine::time::{Day, Micros, day_number, parse_rfc3339};
use tempfile::TempDir;

use crate::pace::Pace;

const RULES: &str = "\
name: busy
when customers > 5 and touch_density >= 10% then raise quota by 15%, red alert \"busy\"

name: steady
when opportunity_velocity < 0.5 then lower quota by 3%

name: bonus
priority: 200
scope: rep r00002
always raise quota by 1,000 beyond plan
";

/// Pseudo-random numbers that are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }

    fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.roll(last + 1));
        }
    }
}

/// A company whose events up to a day are in a lake, and what happens on that day and, late, before it.
struct World {
    dir: TempDir,
    day: Day,
    /// Of the running day.
    stream: Vec<String>,
    /// Of the days before, not in the lake.
    late: Vec<String>,
    making: Making,
}

fn now() -> Micros {
    parse_rfc3339("2026-12-01T00:00:00Z").unwrap()
}

fn lines(path: &Path) -> Vec<String> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The business day of a record; none for one that the contract refuses.
fn day_of(line: &str, reader: &mut MessageReader) -> Option<Day> {
    reader.read(Some(line.as_bytes()));
    reader.finish(now()).unwrap().rows.first().map(|(day, _)| *day)
}

impl World {
    /// Half of the events of a few days before are late.
    async fn new(book: Book) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let scale = data_samples::Scale { reps: 24, events_per_day: 300, ..data_samples::sample_scale() };
        data_samples::generate(&scale, &data, data_samples::Format::Ndjson, &mut |_| {}).unwrap();
        let catalogue = Catalogue::builtin().unwrap();
        let lake = Lake::open_or_create(&dir.path().join("lake"), "Asia/Shanghai").unwrap();
        let mut reader = MessageReader::new(&lake, &catalogue).unwrap();
        let day = day_number(chrono::NaiveDate::from_ymd_opt(2026, 2, 12).unwrap());
        let (mut closed, mut stream, mut delayed) = (Vec::new(), Vec::new(), Vec::new());
        for (number, line) in lines(&data.join("behaviour")).into_iter().enumerate() {
            match day_of(&line, &mut reader) {
                Some(other) if other == day => stream.push(line),
                Some(other) if (day - 4..day).contains(&other) && number % 2 == 0 => delayed.push(line),
                Some(other) if other > day => {}
                _ => closed.push(line),
            }
        }
        assert!(stream.len() > 200 && delayed.len() > 200, "{} and {} events", stream.len(), delayed.len());
        let making = Making {
            settings: Arc::new(Settings::default()),
            catalogue: Arc::new(catalogue),
            predictor: Arc::new(Pace),
            rules: Arc::new(book),
            rows_bytes_max: 64 << 20,
        };
        let world = Self { dir, day, stream, late: delayed, making };
        for stream in Stream::ALL.into_iter().filter(|stream| *stream != Stream::Behaviour) {
            let path = data.join(format!("{}.ndjson", stream.name()));
            let from = if path.exists() { path } else { data.join(stream.name()) };
            take_in(&lake, stream, &from).await;
        }
        world.ingest(&lake, "closed", &closed).await;
        world.daily(&lake, day - 2).await;
        world
    }

    async fn ingest(&self, lake: &Lake, name: &str, lines: &[String]) {
        let path = self.dir.path().join(format!("{name}.ndjson"));
        std::fs::write(&path, lines.join("\n")).unwrap();
        take_in(lake, Stream::Behaviour, &path).await;
    }

    async fn daily(&self, lake: &Lake, as_of: Day) -> RunReport {
        let request = RunRequest {
            as_of,
            now: now(),
            settings: &self.making.settings,
            catalogue: &self.making.catalogue,
            predictor: self.making.predictor.as_ref(),
            rules: &self.making.rules,
            models: engine::score::Models::default(),
            progress: &mut |_| {},
        };
        run(lake, request).await.unwrap()
    }

    /// A copy of the lake as it is now.
    fn copy(&self, name: &str) -> Lake {
        let to = self.dir.path().join(name);
        copy_folder(&self.dir.path().join("lake"), &to);
        Lake::open(&to, "Asia/Shanghai").unwrap()
    }

    async fn open(&self, lake: &Lake) -> Live {
        Live::open(lake, self.making.clone(), self.day).await.unwrap()
    }

    fn reader(&self) -> MessageReader {
        let lake = Lake::open(&self.dir.path().join("lake"), "Asia/Shanghai").unwrap();
        MessageReader::new(&lake, &self.making.catalogue).unwrap()
    }

    fn batches(&self, lines: &[String]) -> Vec<(Day, RecordBatch)> {
        let mut reader = self.reader();
        for line in lines {
            reader.read(Some(line.as_bytes()));
        }
        reader.finish(now()).unwrap().rows
    }
}

async fn take_in(lake: &Lake, stream: Stream, path: &Path) {
    let options = IngestOptions::new(now());
    ingest_files(lake, &Catalogue::builtin().unwrap(), stream, &[path.to_owned()], &options).await.unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The rows of a mart that a run published, each as its columns' texts.
async fn mart(lake: &Lake, name: &str, report: &RunReport, columns: &[&str]) -> Vec<Vec<String>> {
    let table = lake.table(name).await.unwrap();
    let mut rows = Vec::new();
    for file in table.files().iter().filter(|file| file.partition_value("run_id") == report.run_id) {
        for batch in read(&table.dir().join(&file.path), columns).unwrap() {
            for row in 0..batch.num_rows() {
                let cell = |column: &&str| {
                    let array = batch.column_by_name(column).unwrap();
                    if array.is_null(row) {
                        String::new()
                    } else {
                        array_value_to_string(array, row).unwrap()
                    }
                };
                rows.push(columns.iter().map(cell).collect());
            }
        }
    }
    rows.sort();
    rows
}

const QUOTA: [&str; 11] = [
    "rep_id",
    "region_id",
    "period",
    "attained",
    "expected",
    "low",
    "high",
    "proposal",
    "quota",
    "previous_quota",
    "bound",
];

fn cash(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

fn told(quota: &LiveQuota) -> Vec<String> {
    let amounts = [quota.attained, quota.expected, quota.low, quota.high, quota.proposal, quota.quota];
    let mut row =
        vec![quota.rep_id.clone(), quota.region_id.clone().unwrap_or_default(), quota.period.clone()];
    row.extend(amounts.map(cash));
    row.push(quota.previous_quota.map(cash).unwrap_or_default());
    row.push(quota.bound.to_owned());
    row
}

fn quotas(live: &Live) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = (0..live.rows()).map(|row| told(&live.quota(row).unwrap())).collect();
    rows.sort();
    rows
}

const ALERT: [&str; 5] = ["rule", "severity", "scope_id", "message", "evidence"];

fn alerts(live: &Live) -> Vec<Vec<String>> {
    let told = |alert: &engine::live::LiveAlert| {
        vec![
            alert.rule.clone(),
            alert.severity.to_owned(),
            alert.rep_id.clone(),
            alert.message.clone(),
            alert.evidence.clone(),
        ]
    };
    let mut rows: Vec<_> = live.alerts().map(told).collect();
    rows.sort();
    rows
}

/// Live quotas and alerts are those of a daily run over the same lake.
async fn assert_as_daily(world: &World, lake: &Lake, live: &Live) {
    let report = world.daily(lake, world.day).await;
    let daily = mart(lake, "mart.quota", &report, &QUOTA).await;
    assert!(daily.len() > 15, "{} quotas", daily.len());
    assert_eq!(quotas(live), daily);
    let chances = mart(lake, "mart.quota", &report, &["rep_id", "p_attain"]).await;
    for row in chances {
        let live = live.quota(live.row(&row[0]).unwrap()).unwrap();
        assert_eq!(live.p_attain.to_bits(), row[1].parse::<f64>().unwrap().to_bits());
    }
    let mut raised = mart(lake, "mart.alert", &report, &[&ALERT[..], &["scope"]].concat()).await;
    let ours = ["process_health_red", "busy"];
    raised.retain(|row| row[5] == "rep" && ours.contains(&row[0].as_str()));
    for row in &mut raised {
        row.truncate(ALERT.len());
    }
    assert_eq!(alerts(live), raised);
}

/// A line with another content and the same id: one that comes later, or one that is the smaller by content.
fn altered(line: &str, dice: &mut Dice) -> String {
    let mut event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
    match dice.roll(3) {
        0 => {
            let attributes = serde_json::json!({"again": "yes", "stage": "demo"});
            event.insert("attributes".to_owned(), attributes);
        }
        1 if event.contains_key("amount") => {
            event.insert("amount".to_owned(), "1.25".into());
        }
        _ => {
            event.remove("customer_id");
            event.insert("rep_id".to_owned(), format!("r0000{}", 1 + dice.roll(9)).into());
        }
    }
    serde_json::to_string(&event).unwrap()
}

/// A prefix of the stream in another order, with copies, some of another content.
fn stirred(world: &World, dice: &mut Dice) -> Vec<String> {
    let mut lines = world.stream.clone();
    dice.shuffle(&mut lines);
    lines.truncate(1 + dice.roll(lines.len()));
    for _ in 0..lines.len() / 6 {
        let line = lines[dice.roll(lines.len())].clone();
        let other = if dice.roll(2) == 0 { altered(&line, dice) } else { line };
        lines.insert(dice.roll(lines.len() + 1), other);
    }
    lines
}

async fn check(seed: u64, book: Book) {
    let world = World::new(book).await;
    let mut dice = Dice(seed);
    for case in 0..4 {
        let lake = world.copy(&format!("case-{case}"));
        let lines = stirred(&world, &mut dice);
        let known = dice.roll(lines.len() + 1);
        // What the lake has taken in already comes again: the stream begins somewhere before.
        world.ingest(&lake, "known", &lines[..known]).await;
        let mut live = world.open(&lake).await;
        let mut at = known.saturating_sub(dice.roll(30));
        let mut shown: BTreeMap<String, Vec<String>> =
            quotas(&live).into_iter().map(|row| (row[0].clone(), row)).collect();
        let mut raised = alerts(&live);
        while at < lines.len() {
            let next = (at + 1 + dice.roll(40)).min(lines.len());
            let changes = live.apply(&world.batches(&lines[at..next])).unwrap();
            // Who follows the changes alone knows everything.
            for row in changes.named.iter().chain(&changes.others) {
                let row = told(&live.quota(*row).unwrap());
                shown.insert(row[0].clone(), row);
            }
            for change in changes.alerts {
                let (AlertChange::Raised(alert) | AlertChange::Cleared(alert)) = &change;
                raised.retain(|row| (&row[0], &row[2]) != (&alert.rule, &alert.rep_id));
                if let AlertChange::Raised(alert) = change {
                    let severity = alert.severity.to_owned();
                    raised.push(vec![alert.rule, severity, alert.rep_id, alert.message, alert.evidence]);
                }
            }
            at = next;
        }
        let whole = shown.into_values().collect::<Vec<_>>();
        for (followed, row) in whole.iter().zip(quotas(&live)) {
            assert_eq!(*followed, row, "a change was not told");
        }
        raised.sort();
        assert_eq!(raised, alerts(&live), "an alert was not told");
        world.ingest(&lake, "rest", &lines[known..]).await;
        assert_as_daily(&world, &lake, &live).await;
        assert_eq!(quotas(&world.open(&lake).await), quotas(&live), "opened anew");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_are_those_of_a_daily_run() {
    check(3, Book::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn live_quotas_under_rules_are_those_of_a_daily_run() {
    check(4, read_rules(RULES).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn late_events_count_once_the_lake_has_them_and_the_state_is_loaded_anew() {
    let world = World::new(Book::default()).await;
    let lake = world.copy("late");
    let mut live = world.open(&lake).await;
    let half = world.stream.len() / 2;
    live.apply(&world.batches(&world.stream[..half])).unwrap();
    let before = quotas(&live);
    let changes = live.apply(&world.batches(&world.late)).unwrap();
    assert_eq!((changes.applied, changes.late), (0, world.late.len() as u64));
    assert_eq!(quotas(&live), before);
    // The lake has the late ones, and of the day only some.
    world.ingest(&lake, "late-ones", &world.late).await;
    world.ingest(&lake, "some", &world.stream[..half / 2]).await;
    let mut fresh = world.open(&lake).await;
    fresh.take_over(&live).unwrap();
    assert_ne!(quotas(&fresh), before);
    world.ingest(&lake, "others", &world.stream[half / 2..half]).await;
    assert_as_daily(&world, &lake, &fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_day_waits_and_rows_have_a_limit() {
    let world = World::new(Book::default()).await;
    let lake = world.copy("next");
    let mut today = world.open(&lake).await;
    let moved = world.stream.iter().map(|line| line.replace("2026-02-12T", "2026-02-13T"));
    let mut reader = world.reader();
    let tomorrow: Vec<String> =
        moved.filter(|line| day_of(line, &mut reader) == Some(world.day + 1)).collect();
    let before = quotas(&today);
    let changes = today.apply(&world.batches(&tomorrow)).unwrap();
    assert_eq!((changes.ahead, changes.applied), (tomorrow.len() as u64, 0));
    assert!(tomorrow.len() > 200 && quotas(&today) == before);
    let mut next = Live::open(&lake, world.making.clone(), world.day + 1).await.unwrap();
    assert!(next.take_over(&today).unwrap().applied > 200);
    world.ingest(&lake, "tomorrow", &tomorrow).await;
    let known = Live::open(&lake, world.making.clone(), world.day + 1).await.unwrap();
    assert_eq!(quotas(&next), quotas(&known));
    let small = Making { rows_bytes_max: 20_000, ..world.making.clone() };
    let mut live = Live::open(&world.copy("small"), small, world.day).await.unwrap();
    let refused = live.apply(&world.batches(&tomorrow)).unwrap_err();
    assert!(refused.is_input() && refused.to_string().contains("live.memory_mib"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_on_which_an_approved_adjustment_acts_is_not_followed() {
    let world = World::new(Book::default()).await;
    let lake = world.copy("adjusted");
    let live = world.open(&lake).await;
    let ask = Ask { change: Change::Percent(-5.0), beyond_plan: false, from: None, until: Some(world.day) };
    let event = |sequence, kind, actor: &str| Event {
        request_id: "moved".to_owned(),
        sequence,
        kind,
        actor: actor.to_owned(),
        at: now(),
        rep_id: "r00002".to_owned(),
        period: "2026-02".to_owned(),
        ask: Some(ask),
        reason: None,
        evidence: None,
        idempotency: None,
    };
    adjust::add(&lake, "moved", &|_| Ok(event(1, EventKind::Request, "rep"))).await.unwrap();
    // What is only asked for changes no quota.
    assert_eq!(quotas(&world.open(&lake).await), quotas(&live));
    adjust::add(&lake, "moved", &|_| Ok(event(2, EventKind::Approve, "boss"))).await.unwrap();
    let now = engine::live::versions(&lake).await.unwrap();
    assert_ne!(now.get("ops.adjustment"), live.versions().get("ops.adjustment"));
    let refused = Live::open(&lake, world.making.clone(), world.day).await.unwrap_err();
    let said =
        "approved adjustments act on 2026-02-12 (request moved of r00002), and quotas of a running day don't";
    assert!(refused.is_input() && refused.to_string().contains(said), "{refused}");
    // The day after it is over.
    Live::open(&lake, world.making.clone(), world.day + 1).await.unwrap();
}
