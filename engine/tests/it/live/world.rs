//! A company in a lake, and what happens on its running day.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use engine::adjust::{self, Ask, Change, Event, EventKind};
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, MessageReader, ingest_files};
use engine::lake::Lake;
use engine::live::{Live, Making};
use engine::pipeline::{RunReport, RunRequest, run};
use engine::rule::Book;
use engine::score::KeptModels;
use engine::settings::Settings;
use engine::time::{Day, Micros, day_number, parse_rfc3339};
use tempfile::TempDir;

use crate::pace::Pace;

/// Pseudo-random numbers that are the same on every run.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }

    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.roll(last + 1));
        }
    }
}

/// A company whose events up to a day are in a lake, and what happens on that day and, late, before it.
pub(super) struct World {
    dir: TempDir,
    pub(super) day: Day,
    /// Of the running day.
    pub(super) stream: Vec<String>,
    /// Of the days before, not in the lake.
    pub(super) late: Vec<String>,
    pub(super) making: Making,
    /// In use on every day.
    models: KeptModels,
}

pub(super) fn now() -> Micros {
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
pub(super) fn day_of(line: &str, reader: &mut MessageReader) -> Option<Day> {
    reader.read(Some(line.as_bytes()));
    reader.finish(now()).unwrap().rows.first().map(|(day, _)| *day)
}

impl World {
    /// Half of the events of a few days before are late.
    pub(super) async fn new(book: Book, models: KeptModels) -> Self {
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
        let named = |code: &str| stream.iter().filter(|line| line.contains(code)).count();
        assert!(named("\"lead.") > 10 && named("\"opportunity.") > 10);
        assert!(stream.len() > 200 && delayed.len() > 200, "{} and {} events", stream.len(), delayed.len());
        let making = Making {
            settings: Arc::new(Settings::default()),
            catalogue: Arc::new(catalogue),
            predictor: Arc::new(Pace),
            rules: Arc::new(book),
            models: Arc::new({
                let models = models.clone();
                move |_, _, _| Ok(models.clone())
            }),
            rows_bytes_max: 64 << 20,
        };
        let world = Self { dir, day, stream, late: delayed, making, models };
        for stream in Stream::ALL.into_iter().filter(|stream| *stream != Stream::Behaviour) {
            let path = data.join(format!("{}.ndjson", stream.name()));
            let from = if path.exists() { path } else { data.join(stream.name()) };
            take_in(&lake, stream, &from).await;
        }
        world.ingest(&lake, "closed", &closed).await;
        world.daily(&lake, day - 2).await;
        world
    }

    pub(super) async fn ingest(&self, lake: &Lake, name: &str, lines: &[String]) {
        let path = self.dir.path().join(format!("{name}.ndjson"));
        std::fs::write(&path, lines.join("\n")).unwrap();
        take_in(lake, Stream::Behaviour, &path).await;
    }

    pub(super) async fn daily(&self, lake: &Lake, as_of: Day) -> RunReport {
        let request = RunRequest {
            as_of,
            now: now(),
            settings: &self.making.settings,
            catalogue: &self.making.catalogue,
            predictor: self.making.predictor.as_ref(),
            rules: &self.making.rules,
            models: self.models.models(),
            progress: &mut |_| {},
        };
        run(lake, request).await.unwrap()
    }

    /// The lake that copies are made of.
    pub(super) fn lake(&self) -> Lake {
        Lake::open(&self.dir.path().join("lake"), "Asia/Shanghai").unwrap()
    }

    /// A copy of the lake as it is now.
    pub(super) fn copy(&self, name: &str) -> Lake {
        let to = self.dir.path().join(name);
        copy_folder(&self.dir.path().join("lake"), &to);
        Lake::open(&to, "Asia/Shanghai").unwrap()
    }

    pub(super) async fn open(&self, lake: &Lake) -> Live {
        Live::open(lake, self.making.clone(), self.day).await.unwrap()
    }

    pub(super) fn reader(&self) -> MessageReader {
        MessageReader::new(&self.lake(), &self.making.catalogue).unwrap()
    }

    pub(super) fn batches(&self, lines: &[String]) -> Vec<(Day, RecordBatch)> {
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

/// What is asked for a rep in the month of the running day, and approved.
pub(super) fn ask(change: Change, beyond_plan: bool, until: Option<Day>) -> Ask {
    Ask { change, beyond_plan, from: None, until }
}

/// Adds one event of a request.
pub(super) async fn say(lake: &Lake, (id, rep): (&str, &str), kind: EventKind, ask: Ask) {
    let known = adjust::load(lake).await.unwrap();
    let sequence = known.get(id).map_or(1, adjust::Request::next_sequence);
    let event = || Event {
        request_id: id.to_owned(),
        sequence,
        kind,
        actor: if sequence == 1 { "rep" } else { "boss" }.to_owned(),
        at: now() + i64::from(sequence),
        rep_id: rep.to_owned(),
        period: "2026-02".to_owned(),
        ask: Some(ask),
        reason: None,
        evidence: None,
        idempotency: None,
    };
    adjust::add(lake, id, &|_| Ok(event())).await.unwrap();
}
