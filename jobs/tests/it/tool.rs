//! Runs the command in a folder of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A folder to run the command in.
#[derive(Debug)]
pub(crate) struct Tool {
    dir: TempDir,
    variables: Vec<(&'static str, &'static str)>,
}

/// Waits so many milliseconds for another process.
#[expect(clippy::disallowed_methods, reason = "a test has a thread of its own")]
pub(crate) fn pause(ms: u64) {
    std::thread::sleep(std::time::Duration::from_millis(ms));
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Tool {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &'static str) -> Self {
        self.variables.push((name, value));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// A lake with two events, one of them broken, taken in.
    pub(crate) fn with_lake(self) -> Self {
        let event = data_samples::build::Event::new("call.connected").rep("r1").customer("c1").to_json();
        let tool = self.file("events.ndjson", &format!("{event}\n{{broken\n"));
        tool.run(&["ingest", "--stream", "behaviour", "--from", "events.ndjson"]).succeeded();
        tool
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tideline"));
        command
            .args(arguments)
            .current_dir(self.dir.path())
            .env("NO_COLOR", "1")
            .env("HOME", self.dir.path());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        Answer::of(self.command(arguments).stdin(Stdio::null()).output().unwrap(), self.dir.path())
    }

    /// Runs the command with a text on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Answer {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Answer::of(child.wait_with_output().unwrap(), self.dir.path())
    }
}

impl Answer {
    fn of(output: Output, dir: &Path) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&dir.display().to_string(), "DIR");
        Self {
            status: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
            bytes: output.stdout,
        }
    }

    pub(crate) fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts the status and that the last line on standard error is this one.
    pub(crate) fn failed(&self, status: i32, message: &str) {
        let last = self.err.lines().last().unwrap_or_default();
        assert_eq!((self.status, last), (status, message), "{}\n{}", self.out, self.err);
    }

    /// Asserts the status and that standard error says this.
    pub(crate) fn says(&self, status: i32, part: &str) {
        assert!(
            self.status == status && self.err.contains(part),
            "{}\n{}\n{}",
            self.status,
            self.out,
            self.err
        );
    }
}
