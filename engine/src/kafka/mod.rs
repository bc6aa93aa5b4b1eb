//! Streams from Apache Kafka into the lake, exactly once.
//!
//! ```text
//! topics ─ poll: one thread ─ haul ─ lanes: decode → check → store ─ one commit of dead letters, then one of rows
//!            ▲  takes while a haul is committed                       a table, with the offsets reached
//!            └─ every assignment of partitions begins at the offsets that the lake records
//! ```
//!
//! Offsets are in the commit that adds the rows, one application id a topic and partition. The lake is the truth: the
//! offsets that the group commits to the broker are for lag tools alone.
//!
//! Invariant: no row is in the lake without the offset that keeps its message from being taken again.
//! Invariant: of two ingesters that both believe they hold a partition, one commits; the other drops what it gathered
//! and joins its group anew.

mod batches;
mod client;
mod commit;
mod group;
mod haul;
mod live;
mod options;
mod position;
mod produce;
mod registry;
mod run;
mod session;
mod status;
mod topics;

pub(crate) use client::is_refusal;
pub use live::{
    Grounds, LATENCY_MS, LiveNews, LiveOptions, LiveStatus, OnLiveNews, OnLiveStatus, Reach, follow,
};
pub use options::{KafkaOptions, OnStatus, Properties};
pub use position::partition_of;
pub use produce::{Player, PlayerOptions};
pub use registry::RegistryOptions;
pub use run::take_in;
pub use status::{Committed, KafkaSummary, Lag, Status};
