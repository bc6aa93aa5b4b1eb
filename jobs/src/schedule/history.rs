//! What was run when, and how it went: a JSON object a line, in the lake beside `ops.run`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat};
use engine::time::Micros;
use serde::{Deserialize, Serialize};

use crate::cli::Task;
use crate::context::now;

/// How a job, or one attempt at it, went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// With this exit status.
    Failed(i32),
    /// Somebody stopped the schedule.
    Stopped,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        })
    }
}

/// A line of the file: an attempt, or without one the end of a job.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    job: String,
    due: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    finished_at: String,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i32>,
}

/// The history file.
#[derive(Debug)]
pub(super) struct History {
    path: PathBuf,
    /// By job what ended last.
    ends: Vec<Line>,
}

impl History {
    /// Reads the file of the lake at `root`.
    ///
    /// # Errors
    /// Where it is there and can't be read.
    pub(super) fn open(root: &Path) -> anyhow::Result<Self> {
        let path = root.join("_tideline/schedule.ndjson");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        // A line that was cut off by a crash says nothing.
        let ends = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        Ok(Self { ends: ends.filter(|line| line.attempt.is_none()).collect(), path })
    }

    /// When a job ended last, and how.
    pub(super) fn last(&self, task: Task) -> Option<(Micros, String)> {
        let line = self.ends.iter().rfind(|line| line.job == task.name())?;
        Some((micros(&line.finished_at)?, line.outcome.clone()))
    }

    /// The latest time of a job that was dealt with, well or ill.
    pub(super) fn handled(&self, task: Task) -> Option<Micros> {
        let stopped = Outcome::Stopped.to_string();
        let own = self.ends.iter().filter(|line| line.job == task.name() && line.outcome != stopped);
        own.filter_map(|line| micros(&line.due)).max()
    }

    /// Notes an attempt.
    pub(super) fn attempt(
        &self,
        task: Task,
        due: Micros,
        call: &[String],
        attempt: u32,
        started_at: Micros,
        outcome: Outcome,
    ) -> anyhow::Result<()> {
        let mut line = line(task, due, outcome);
        line.call = Some(call.join(" "));
        line.attempt = Some(attempt);
        line.started_at = Some(text(started_at));
        self.append(&line)
    }

    /// Notes that a job ended.
    pub(super) fn end(&self, task: Task, due: Micros, outcome: Outcome) -> anyhow::Result<()> {
        self.append(&line(task, due, outcome))
    }

    fn append(&self, line: &Line) -> anyhow::Result<()> {
        let writing = || format!("writing {}", self.path.display());
        let mut bytes = serde_json::to_vec(line).with_context(writing)?;
        bytes.push(b'\n');
        // At once: lines of several processes don't mix.
        let mut file = File::options().create(true).append(true).open(&self.path).with_context(writing)?;
        file.write_all(&bytes).and_then(|()| file.sync_data()).with_context(writing)
    }
}

fn line(task: Task, due: Micros, outcome: Outcome) -> Line {
    let status = match outcome {
        Outcome::Done => Some(0),
        Outcome::Failed(status) => Some(status),
        Outcome::Stopped => None,
    };
    Line {
        job: task.name().to_owned(),
        due: text(due),
        call: None,
        attempt: None,
        started_at: None,
        finished_at: text(now()),
        outcome: outcome.to_string(),
        status,
    }
}

fn text(at: Micros) -> String {
    DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn micros(text: &str) -> Option<Micros> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros())
}
