//! One attempt at a job: this program, called as its user would call it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::time::Instant;

use super::history::Outcome;
use crate::config::LogFormat;
use crate::context::Context;

/// How often a job is looked after.
const LOOK: Duration = Duration::from_millis(100);

/// This program, with the options of the whole command line.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    options: Vec<OsString>,
}

impl Program {
    pub(super) fn new(context: &Context) -> anyhow::Result<Self> {
        // Asked once: after an upgrade the new program stands under the same name.
        let path = std::env::current_exe().context("asking for the program's own path")?;
        Ok(Self { path, options: options(context) })
    }

    /// Runs to its end; once told to stop, it has `stop_seconds` left.
    pub(super) async fn run(
        &self,
        call: &[String],
        stop: &watch::Receiver<bool>,
        stop_seconds: u32,
    ) -> anyhow::Result<Outcome> {
        let starting = || format!("starting {}", self.path.display());
        let mut command = Command::new(&self.path);
        command.args(&self.options).args(call).stdin(Stdio::null());
        let mut child = command.spawn().with_context(starting)?;
        let mut deadline = None;
        loop {
            if let Some(status) = child.try_wait().context("waiting for a job")? {
                // One that a signal ended has no status.
                return Ok(match status.code() {
                    Some(0) => Outcome::Done,
                    _ if deadline.is_some() => Outcome::Stopped,
                    code => Outcome::Failed(code.unwrap_or(-1)),
                });
            }
            if *stop.borrow() {
                let until = *deadline
                    .get_or_insert_with(|| Instant::now() + Duration::from_secs(stop_seconds.into()));
                if Instant::now() >= until {
                    // Jobs may be cut off anywhere: they take up where they were.
                    child.kill().context("ending a job")?;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// The options that a job gets: those of the schedule itself.
pub(super) fn options(context: &Context) -> Vec<OsString> {
    let mut options: Vec<OsString> = vec!["--lake".into(), context.config.lake.clone().into()];
    let global = &context.global;
    if let Some(file) = &global.config {
        options.extend(["--config".into(), file.clone().into_os_string()]);
    }
    if let Some(format) = global.log {
        let name = if format == LogFormat::Json { "json" } else { "text" };
        options.extend(["--log".into(), name.into()]);
    }
    options.extend((0..global.verbose).map(|_| "--verbose".into()));
    if global.quiet {
        options.push("--quiet".into());
    }
    options
}
