//! The audit log: who read or changed what, a JSON object a line. What can't be logged isn't answered.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine::EngineError;
use serde::Serialize;
use tokio::sync::mpsc;

use super::problem::Problem;

/// Lines that wait to be written, at most; requests wait when there are more.
const WAITING_MAX: usize = 4_096;

/// One line.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub(super) at: String,
    pub(super) key: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) run_id: Option<String>,
}

/// The audit log.
#[derive(Debug)]
pub(crate) struct Audit {
    lines: mpsc::Sender<Line>,
    failed: Arc<AtomicBool>,
}

impl Audit {
    /// Appends to a file from now on; none where no file is named.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the file can't be opened.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, EngineError> {
        if path.as_os_str().is_empty() {
            return Ok(None);
        }
        let file = File::options().create(true).append(true).open(path).map_err(|error| {
            EngineError::Input(format!(
                "serve.audit names {}, which can't be written: {error}",
                path.display()
            ))
        })?;
        let (lines, waiting) = mpsc::channel(WAITING_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let (name, flag) = (path.display().to_string(), Arc::clone(&failed));
        tokio::task::spawn_blocking(move || write(file, waiting, &name, &flag));
        Ok(Some(Self { lines, failed }))
    }

    /// Refuses requests while the log can't be written.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.failed.load(Ordering::Relaxed) || self.lines.is_closed() {
            return Err(Problem::unavailable("the audit log can't be written, so nothing is answered"));
        }
        Ok(())
    }

    /// Notes a request.
    pub(super) async fn note(&self, line: Line) {
        if self.lines.send(line).await.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
    }
}

/// Writes lines until nobody sends any more; flushes whenever none waits.
fn write(file: File, mut waiting: mpsc::Receiver<Line>, name: &str, failed: &AtomicBool) {
    let mut file = BufWriter::new(file);
    while let Some(line) = waiting.blocking_recv() {
        let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
        bytes.push(b'\n');
        let mut done = file.write_all(&bytes);
        if done.is_ok() && waiting.is_empty() {
            done = file.flush();
        }
        if let Err(error) = &done {
            tracing::error!(%error, file = name, "writing the audit log");
        }
        failed.store(done.is_err(), Ordering::Relaxed);
    }
}
