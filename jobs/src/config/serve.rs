//! The section `serve`: who is let in, and how much of everything one may have.

use std::path::PathBuf;

use engine::EngineError;
use serde::{Deserialize, Serialize};

use super::check::Rule;
use super::{Pg, Webhook};
use crate::tls::Tls;

/// Answering HTTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serve {
    /// The file of keys that `tideline key` writes; empty for none, which is for loopback addresses only.
    pub keys: PathBuf,
    /// The file that tells who read or changed what, a JSON object a line; empty for none.
    pub audit: PathBuf,
    /// Requests a second of a key that says nothing else; twice as many may come at once.
    pub requests_per_second: f64,
    /// Bytes of a request's body, at most.
    pub body_bytes_max: u64,
    /// Seconds that answering may take.
    pub request_seconds: f64,
    /// Seconds after which a connection is closed on which nothing could be sent.
    pub idle_seconds: f64,
    /// Connections at a time; more wait to be accepted.
    pub connections_max: usize,
    /// Rows of a page, at most.
    pub page_rows_max: usize,
    /// Seconds between two looks for a new publication, and for changed keys.
    pub poll_seconds: f64,
    /// Cases that one request about scenarios may try.
    pub whatif_cases_max: usize,
    /// Rows that it may be answered with.
    pub whatif_rows_max: usize,
    /// Questions about scenarios, and about who would pay, that are worked on at a time.
    pub whatif_at_once: usize,
    /// The certificate to show, so that what is said stays between client and server.
    pub tls: TlsFiles,
    /// Who is told of changes.
    pub webhook: Vec<Webhook>,
    /// Answering analysts over the PostgreSQL wire.
    pub pg: Pg,
}

/// The files of a certificate; both or none are named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those that lead to its issuer, as PEM; empty for clear text.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    /// Reads the files for HTTP; none where none are named.
    ///
    /// # Errors
    /// As [`Tls::open`].
    pub(crate) fn open(&self) -> Result<Option<Tls>, EngineError> {
        let is_named = !self.certificate.as_os_str().is_empty();
        is_named.then(|| Tls::open("serve.tls", &self.certificate, &self.key, &["http/1.1"])).transpose()
    }
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            keys: PathBuf::new(),
            audit: PathBuf::new(),
            requests_per_second: 1_000.0,
            body_bytes_max: 1 << 20,
            request_seconds: 30.0,
            idle_seconds: 60.0,
            connections_max: 10_000,
            page_rows_max: 10_000,
            poll_seconds: 1.0,
            whatif_cases_max: 1_000,
            whatif_rows_max: 100_000,
            whatif_at_once: 2,
            tls: TlsFiles::default(),
            webhook: Vec::new(),
            pg: Pg::default(),
        }
    }
}

impl Serve {
    /// Each value's key, whether it is in its range, and what the range is.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let seconds = |value: f64| (0.01..=86_400.0).contains(&value);
        vec![
            (
                "serve.requests_per_second",
                self.requests_per_second.is_finite() && self.requests_per_second > 0.0,
                "above 0",
            ),
            (
                "serve.tls",
                self.tls.certificate.as_os_str().is_empty() == self.tls.key.as_os_str().is_empty(),
                "both certificate and key, or neither",
            ),
            ("serve.request_seconds", seconds(self.request_seconds), "between 0.01 and 86,400"),
            ("serve.idle_seconds", seconds(self.idle_seconds), "between 0.01 and 86,400"),
            ("serve.poll_seconds", seconds(self.poll_seconds), "between 0.01 and 86,400"),
            (
                "serve.connections_max",
                (1..=1_000_000).contains(&self.connections_max),
                "between 1 and 1,000,000",
            ),
            (
                "serve.whatif_cases_max",
                (1..=100_000).contains(&self.whatif_cases_max),
                "between 1 and 100,000",
            ),
            (
                "serve.whatif_rows_max",
                (1..=10_000_000).contains(&self.whatif_rows_max),
                "between 1 and 10,000,000",
            ),
            ("serve.whatif_at_once", (1..=64).contains(&self.whatif_at_once), "between 1 and 64"),
            ("serve.page_rows_max", (1..=1_000_000).contains(&self.page_rows_max), "between 1 and 1,000,000"),
        ]
    }
}
