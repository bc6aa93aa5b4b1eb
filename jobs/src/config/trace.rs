//! The section `trace`: where spans of commands, stages and requests go.

use serde::{Deserialize, Serialize};

use super::check::Rule;

/// Traces for OpenTelemetry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trace {
    /// A collector's address for OTLP over HTTP, e.g. `http://localhost:4318`; empty for none.
    pub endpoint: String,
    /// What this program is called there.
    pub service: String,
}

impl Default for Trace {
    fn default() -> Self {
        Self { endpoint: String::new(), service: "tideline".to_owned() }
    }
}

impl Trace {
    /// Each value's key, whether it is in its range, and what the range is.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let url = reqwest::Url::parse(&self.endpoint);
        let is_url = url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        vec![
            (
                "trace.endpoint",
                self.endpoint.is_empty() || is_url,
                "an address like http://localhost:4318, to which /v1/traces is added, or empty",
            ),
            ("trace.service", !self.service.trim().is_empty(), "a name"),
        ]
    }
}
