//! Progress on standard error: one changing line on a terminal, one log line per stage otherwise.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tracing::Span;

use crate::trace;

/// How often the line moves.
const TICK: Duration = Duration::from_millis(100);

/// A command's progress; gone from the terminal once dropped.
#[derive(Debug)]
pub struct Progress {
    command: &'static str,
    bar: Option<ProgressBar>,
    quiet: bool,
    /// The span of the command, and that of the stage that goes on.
    span: Span,
    stage: Mutex<Option<Span>>,
}

impl Progress {
    /// Begins; shows nothing where `quiet`.
    pub fn new(command: &'static str, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { command, bar, quiet, span: Span::current(), stage: Mutex::default() }
    }

    /// A stage begins.
    pub fn stage(&self, stage: &str) {
        let span = tracing::info_span!(target: trace::TARGET, parent: &self.span, "stage", otel.name = stage);
        // The one before ends where this one begins.
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = Some(span);
        match &self.bar {
            Some(bar) => bar.set_message(format!("{}: {stage}", self.command)),
            None if self.quiet => {}
            None => tracing::info!(command = self.command, "{stage}"),
        }
    }

    /// A stage goes on; told on a terminal only.
    pub fn detail(&self, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {}", self.command, text()));
        }
    }

    /// Prints with the changing line out of the way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
