//! Names of positions: one application id a topic and partition.
//!
//! ```text
//! kafka:TOPIC/PARTITION              in the stream's table: the offset of the next message to take in
//! STREAM/kafka:TOPIC/PARTITION       in raw.dead_letter: letters before that offset are there
//! ```

use std::sync::Arc;

use crate::contract::Stream;

/// What every id begins with.
const PREFIX: &str = "kafka:";

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) topic: Arc<str>,
    pub(super) kafka_partition: i32,
}

impl Place {
    /// The id in the stream's table, which is also what dead letters name as their source.
    pub(super) fn id(&self) -> String {
        format!("{PREFIX}{}/{}", self.topic, self.kafka_partition)
    }

    /// The id in the table of dead letters.
    pub(super) fn letters_id(&self, stream: Stream) -> String {
        format!("{}/{}", stream.name(), self.id())
    }
}

/// Topic and partition of an application id; none where it is no partition's.
pub fn partition_of(id: &str) -> Option<(&str, i32)> {
    let (topic, partition) = id.strip_prefix(PREFIX)?.rsplit_once('/')?;
    Some((topic, partition.parse().ok()?))
}
