//! The section `serve.pg`: who may ask over the PostgreSQL wire, and how much of everything a query may have.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::check::Rule;

/// Answering analysts over the PostgreSQL wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pg {
    /// The user who is let in; empty for anybody, which is for loopback addresses only.
    pub user: String,
    /// Where the user's password is: `env:NAME` or `file:PATH`.
    pub password: String,
    /// The PEM file of the certificate and those above it; empty for none. With one, connections must be encrypted.
    pub certificate: PathBuf,
    /// The PEM file of the certificate's key.
    pub key: PathBuf,
    /// Connections at a time; more are told so.
    pub connections_max: usize,
    /// Seconds after which a connection is closed on which nothing was asked.
    pub idle_seconds: f64,
    /// Statements that are computed at a time.
    pub statements_max: usize,
    /// Statements that wait for others to end; more are told so.
    pub queue_max: usize,
    /// Seconds that a statement may take, waiting and sending included.
    pub statement_seconds: f64,
    /// Rows of an answer, at most; more are an error. 0 for any number.
    pub rows_max: u64,
    /// MiB of memory for what all statements have to hold: hash tables, sorts, aggregates.
    pub memory_mib: usize,
    /// MiB of disk for what doesn't fit into it.
    pub spill_mib: u64,
    /// The folder for these; empty for the system's.
    pub spill_dir: PathBuf,
    /// Threads that compute statements; 0 for one per core.
    pub threads: usize,
}

impl Default for Pg {
    fn default() -> Self {
        Self {
            user: String::new(),
            password: String::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            connections_max: 100,
            idle_seconds: 28_800.0,
            statements_max: 4,
            queue_max: 64,
            statement_seconds: 300.0,
            rows_max: 1_000_000,
            memory_mib: 1_024,
            spill_mib: 10_240,
            spill_dir: PathBuf::new(),
            threads: 0,
        }
    }
}

impl Pg {
    /// Each value's key, whether it is in its range, and what the range is.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let seconds = |value: f64| (0.01..=604_800.0).contains(&value);
        vec![
            ("serve.pg.idle_seconds", seconds(self.idle_seconds), "between 0.01 and 604,800"),
            ("serve.pg.statement_seconds", seconds(self.statement_seconds), "between 0.01 and 604,800"),
            (
                "serve.pg.connections_max",
                (1..=100_000).contains(&self.connections_max),
                "between 1 and 100,000",
            ),
            ("serve.pg.statements_max", (1..=1_000).contains(&self.statements_max), "between 1 and 1,000"),
            ("serve.pg.queue_max", self.queue_max <= 100_000, "at most 100,000"),
            (
                "serve.pg.memory_mib",
                (16..=16_777_216).contains(&self.memory_mib),
                "between 16 and 16,777,216",
            ),
            ("serve.pg.spill_mib", self.spill_mib <= 1 << 30, "at most 1,073,741,824"),
            ("serve.pg.threads", self.threads <= 1_024, "at most 1,024"),
            (
                "serve.pg.password",
                self.user.is_empty() == self.password.is_empty(),
                "given with serve.pg.user, and only with it, as \"env:NAME\" or \"file:PATH\"",
            ),
            (
                "serve.pg.key",
                self.certificate.as_os_str().is_empty() == self.key.as_os_str().is_empty(),
                "given with serve.pg.certificate, and only with it",
            ),
        ]
    }
}
