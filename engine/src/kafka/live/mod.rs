//! The running day from a topic: events in, changed quotas and alerts out.
//!
//! ```text
//! behaviour ─ follow ─ messages that are there ─ decode, check ─ Live::apply ─┬─ reps that events named ──► tideline.quota
//!  from the lake's offsets                                                    ├─ all others, now and then ─►   "
//!                                                                             └─ alerts ───────────────────► tideline.alert
//! lake ─ look, now and then ─ changed? ─ Live::open beside ─ take over what came meanwhile ─► the new state serves
//! ```
//!
//! Nothing is written to the lake but tiles that were stale, and no group is joined: every process that follows a topic
//! sees all of it, begins where the lake's table of events ends, and so loses nothing when it is started again.

mod emit;
mod follow;
mod look;
mod message;
mod news;
mod run;
mod status;

use std::sync::Arc;
use std::time::Duration;

pub use news::{Grounds, LiveNews, OnLiveNews, Reach};
pub use run::follow;
pub use status::{LATENCY_MS, LiveStatus};

use super::options::KafkaOptions;
use crate::time::Day;

/// What is called when the status has changed.
pub type OnLiveStatus = Arc<dyn Fn(&LiveStatus) + Send + Sync>;

/// How to follow a topic.
#[derive(Clone)]
pub struct LiveOptions {
    /// Brokers, properties, the topic of events, clock and stop; what concerns commits is not used.
    pub kafka: KafkaOptions,
    /// Where quotas go.
    pub quota_topic: String,
    /// Where alerts go.
    pub alert_topic: String,
    /// The day; none for today, whatever day that becomes.
    pub as_of: Option<Day>,
    /// How long a quota that others' events have changed may wait.
    pub emit_after: Duration,
    /// How often the lake is asked whether the state is outdated.
    pub refresh_after: Duration,
    /// Called about once a second.
    pub on_status: Option<OnLiveStatus>,
    /// Called with quotas as they change.
    pub on_news: Option<OnLiveNews>,
}

impl std::fmt::Debug for LiveOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveOptions").field("kafka", &self.kafka).finish_non_exhaustive()
    }
}
