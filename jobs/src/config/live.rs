//! The section `live`: the quotas of the running day.

use serde::{Deserialize, Serialize};

/// The quotas of the running day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Live {
    /// Where changed quotas go.
    pub quota_topic: String,
    /// Where alerts go.
    pub alert_topic: String,
    /// Seconds that a quota may wait that events of other reps have changed.
    pub emit_seconds: f64,
    /// Seconds between two looks at the lake: late events, CRM and published runs count after one.
    pub refresh_seconds: f64,
    /// Memory for the events of the running day, in MiB.
    pub memory_mib: usize,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            quota_topic: "tideline.quota".to_owned(),
            alert_topic: "tideline.alert".to_owned(),
            emit_seconds: 1.0,
            refresh_seconds: 15.0,
            memory_mib: 2_048,
        }
    }
}
