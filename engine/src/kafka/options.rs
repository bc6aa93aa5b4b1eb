//! How to take streams in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::registry::RegistryOptions;
use super::status::Status;
use crate::contract::Stream;
use crate::time::Micros;

/// What is called after a commit.
pub type OnStatus = Arc<dyn Fn(&Status) + Send + Sync>;

/// Properties of librdkafka. Their values are never shown: some are secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(pub BTreeMap<String, String>);

impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// How to take streams in.
#[derive(Clone)]
pub struct KafkaOptions {
    /// `host:port`, several with commas between them.
    pub brokers: String,
    /// The consumer group: its members share the partitions.
    pub group: String,
    /// The topic of each stream; a stream may have several.
    pub topics: Vec<(Stream, String)>,
    /// Whether a topic that isn't there is an error, rather than left out.
    pub topics_must_exist: bool,
    /// Further properties.
    pub properties: Properties,
    /// The schema registry that messages' frames refer to.
    pub registry: Option<RegistryOptions>,
    /// Whether to stop at the end as it stood at the start.
    pub until_end: bool,
    /// Messages of one commit, about.
    pub commit_rows: u64,
    /// How old the first message of a commit may get.
    pub commit_after: Duration,
    /// Memory for messages on their way, in bytes: the broker's answers, what is gathered, what is being written.
    pub memory_bytes: u64,
    /// Threads that decode and write (at least 1).
    pub threads: usize,
    /// How long the broker may take to answer at the start.
    pub connect: Duration,
    /// How long no broker may be reachable before the command gives up; zero for ever.
    pub give_up_after: Duration,
    /// Share of a commit's records that may be refused before a warning.
    pub rejected_share_warning: f64,
    /// Share of a commit's records that may be refused before the command stops, with nothing of it committed.
    pub rejected_share_stop: f64,
    /// Whether messages that the broker deleted before they were taken in are passed over, rather than an error.
    pub skip_deleted: bool,
    /// Tells the time: events more than 24 hours after it are refused, and dead letters bear it.
    pub clock: fn() -> Micros,
    /// Sets the names of this process's files apart from those of any other.
    pub nonce: String,
    /// Set from outside: what was gathered is committed, and the group left.
    pub stop: Arc<AtomicBool>,
    /// Called after every commit.
    pub on_status: Option<OnStatus>,
}

impl std::fmt::Debug for KafkaOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KafkaOptions")
            .field("brokers", &self.brokers)
            .field("group", &self.group)
            .field("topics", &self.topics)
            .field("properties", &self.properties)
            .field("registry", &self.registry)
            .finish_non_exhaustive()
    }
}

impl KafkaOptions {
    /// Bytes that librdkafka may hold for us.
    pub(super) fn queue_bytes(&self) -> u64 {
        (self.memory_bytes / 8).max(1 << 20)
    }

    /// Bytes of one commit: one is gathered while another is decoded, which costs three times its bytes.
    pub(super) fn haul_bytes(&self) -> u64 {
        (self.memory_bytes.saturating_sub(self.queue_bytes()) / 5).max(1 << 20)
    }
}
