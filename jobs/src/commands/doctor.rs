//! `tideline doctor`: is everything in place, and if not, what to do.

mod serving;

use std::path::Path;
use std::time::Instant;

use engine::EngineError;
use engine::lake::{FORMAT, Job, Lake, Table, tables, write_atomically};
use engine::time::date;

use crate::config::DEFAULT_FILE;
use crate::context::Context;
use crate::output;
use crate::report::published_days;
use crate::report::words::{bytes, count};

/// Free space under which a lake is in danger, in bytes.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Milliseconds that a file's time may be ahead of the clock.
const AHEAD_MS_MAX: i64 = 60_000;
/// Milliseconds that a small synced write may take on a healthy disk.
const SYNC_MS_MAX: u128 = 500;
/// Files of one table from which on folding pays.
const FILES_MANY: usize = 5_000;

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Good(String),
    /// Works, but somebody should look: what, and what to do.
    Look(String, String),
    /// Doesn't work: what, and what to do.
    Wrong(String, String),
}

pub(crate) async fn run(context: &Context) -> anyhow::Result<()> {
    let mut checks = vec![
        ("program", Verdict::Good(format!("tideline {}, lake format {FORMAT}", env!("CARGO_PKG_VERSION")))),
        ("configuration", configuration(context)),
        ("event catalogue", catalogue(context)),
        ("rules", rules(context)),
        ("clock", clock(context)),
    ];
    checks.extend(serving::checks(context));
    match context.lake() {
        Err(error) if !context.lake_root().exists() => {
            let action = "take records in with `tideline ingest`, or see `tideline demo`".to_owned();
            checks.push(("lake", Verdict::Look(error.to_string(), action)));
        }
        Err(error) => {
            let action = "name the right folder with --lake".to_owned();
            checks.push(("lake", Verdict::Wrong(error.to_string(), action)));
        }
        Ok(lake) => {
            checks.push(("disk", disk(lake.root())));
            checks.push(("synced writes", sync(lake.root())));
            checks.extend(tables_of(&lake, context).await);
            checks.push(("runs", runs(&lake, context).await));
        }
    }
    let mut wrong = 0_usize;
    for (name, verdict) in checks {
        let (mark, text, action) = match verdict {
            Verdict::Good(text) => ("ok   ", text, None),
            Verdict::Look(text, action) => ("look ", text, Some(action)),
            Verdict::Wrong(text, action) => {
                wrong += 1;
                ("wrong", text, Some(action))
            }
        };
        output::print(&format!("{mark}  {name}: {text}"))?;
        if let Some(action) = action {
            output::print(&format!("       → {action}"))?;
        }
    }
    if wrong > 0 {
        return Err(EngineError::Lake(format!("{wrong} of the checks above failed")).into());
    }
    Ok(())
}

fn configuration(context: &Context) -> Verdict {
    let file = if Path::new(DEFAULT_FILE).exists() { "tideline.toml is there" } else { "no tideline.toml" };
    let config = &context.config;
    Verdict::Good(format!("{file}; time zone {}, lake {}", config.timezone, config.lake))
}

fn catalogue(context: &Context) -> Verdict {
    match context.catalogue() {
        Ok(catalogue) => {
            let origin = context.config.catalogue.as_ref().map_or_else(
                || "the one that comes with the program".to_owned(),
                |path| path.display().to_string(),
            );
            Verdict::Good(format!("{} event types, {origin}", catalogue.models().len()))
        }
        Err(error) => {
            Verdict::Wrong(format!("{error:#}"), "correct the file that `catalogue` names".to_owned())
        }
    }
}

fn rules(context: &Context) -> Verdict {
    let Some(path) = &context.config.rules else { return Verdict::Good("none".to_owned()) };
    match context.rules() {
        Ok(book) => Verdict::Good(format!("{} in {}", book.rules.len(), path.display())),
        Err(error) => Verdict::Wrong(error.to_string(), "correct the file that `rules` names".to_owned()),
    }
}

fn clock(context: &Context) -> Verdict {
    match context.yesterday() {
        Ok(day) if date(day).to_string().as_str() > "2025-01-01" => {
            Verdict::Good(format!("the last complete business day is {}", date(day)))
        }
        Ok(day) => {
            let text = format!("it would be the day after {}", date(day));
            Verdict::Wrong(text, "set the machine's clock".to_owned())
        }
        Err(error) => Verdict::Wrong(error.to_string(), "correct `timezone`".to_owned()),
    }
}

/// Free space, as `df` tells it.
fn disk(root: &Path) -> Verdict {
    let asked = std::process::Command::new("df").arg("-Pk").arg(root).output();
    let text = asked.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
    let free = text
        .lines()
        .nth(1)
        .and_then(|line| line.split_whitespace().nth(3))
        .and_then(|blocks| blocks.parse::<u64>().ok())
        .map(|blocks| blocks.saturating_mul(1_024));
    match free {
        Some(free) if free < FREE_BYTES_MIN => Verdict::Wrong(
            format!("only {} free", bytes(free)),
            "make room: `tideline lake maintain` deletes files that nothing names any more".to_owned(),
        ),
        Some(free) => Verdict::Good(format!("{} free", bytes(free))),
        None => Verdict::Look(
            "free space is unknown".to_owned(),
            "look at it with your system's own tools".to_owned(),
        ),
    }
}

fn sync(root: &Path) -> Verdict {
    let path = root.join("_tideline/doctor");
    let started = Instant::now();
    let written = write_atomically(&path, b"written by tideline doctor\n");
    let ms = started.elapsed().as_millis();
    match written.and_then(|()| {
        std::fs::remove_file(&path).map_err(|error| EngineError::Lake(format!("{}: {error}", path.display())))
    }) {
        Ok(()) if ms > SYNC_MS_MAX => Verdict::Look(
            format!("a small file took {ms} ms to reach the disk"),
            "every commit waits for the disk: prefer a local one".to_owned(),
        ),
        Ok(()) => Verdict::Good(format!("a small file reached the disk in {ms} ms")),
        Err(error) => {
            let text = format!("{:#}", anyhow::Error::from(error));
            Verdict::Wrong(text, "let this user write to the lake's folder".to_owned())
        }
    }
}

async fn tables_of(lake: &Lake, context: &Context) -> Vec<(&'static str, Verdict)> {
    let mut opened: Vec<Table> = Vec::new();
    let mut checks = Vec::new();
    for spec in tables::all() {
        match lake.table(spec.name).await {
            Ok(table) => opened.push(table),
            Err(error) => {
                let text = format!("{:#}", anyhow::Error::from(error));
                checks.push((spec.name, Verdict::Wrong(text, "see `tideline lake verify`".to_owned())));
            }
        }
    }
    let files: usize = opened.iter().map(|table| table.files().len()).sum();
    let written = opened.iter().filter(|table| table.version() >= 0).count();
    let text = format!(
        "{written} of {} tables written, {files} files, at {}",
        tables::all().len(),
        lake.root().display()
    );
    checks.insert(0, ("lake", Verdict::Good(text)));
    for table in opened.iter().filter(|table| table.files().len() > FILES_MANY) {
        let text = format!("{} files", count(u64::try_from(table.files().len()).unwrap_or(u64::MAX)));
        checks.push((
            table.spec().name,
            Verdict::Look(text, "run `tideline lake maintain` regularly".to_owned()),
        ));
    }
    let now_ms = context.now.div_euclid(1_000);
    let newest = opened.iter().flat_map(Table::files).map(|file| file.modified_ms).max().unwrap_or(0);
    if newest > now_ms + AHEAD_MS_MAX {
        let text = format!("a file of the lake is {} s ahead of this machine", (newest - now_ms) / 1_000);
        checks.push((
            "clock",
            Verdict::Look(text, "compare the clocks of the machines that write to it".to_owned()),
        ));
    }
    for (job, name) in [(Job::Run, "a daily run"), (Job::Maintain, "maintenance")] {
        if matches!(lake.lock(job), Err(EngineError::Busy { .. })) {
            checks.push(("other processes", Verdict::Good(format!("{name} is going on"))));
        }
    }
    checks
}

async fn runs(lake: &Lake, context: &Context) -> Verdict {
    let run = "run `tideline daily` every morning".to_owned();
    let (days, yesterday) = match (published_days(lake).await, context.yesterday()) {
        (Ok(days), Ok(yesterday)) => (days, yesterday),
        (Err(error), _) => {
            return Verdict::Wrong(format!("{error:#}"), "see `tideline lake verify`".to_owned());
        }
        (_, Err(error)) => return Verdict::Wrong(error.to_string(), "correct `timezone`".to_owned()),
    };
    match days.last() {
        None => Verdict::Look("no day is published yet".to_owned(), run),
        Some(&day) if day < yesterday => {
            Verdict::Look(format!("published up to {}, {} days behind", date(day), yesterday - day), run)
        }
        Some(&day) => Verdict::Good(format!("{} days published, up to {}", days.len(), date(day))),
    }
}
