//! How taking in is going: for log lines, metrics and the report at the end.

use std::collections::BTreeMap;

use crate::contract::Stream;
use crate::ingest::Counts;

/// One commit: what all partitions together brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Committed {
    /// What became of the messages, by stream.
    pub streams: BTreeMap<&'static str, Counts>,
    /// Bytes of messages.
    pub bytes: u64,
    /// Partitions that something came from.
    pub partitions: usize,
    /// From the start of decoding until all of it was on disk.
    pub seconds: f64,
}

impl Committed {
    /// Records that are now in their tables.
    pub fn accepted(&self) -> u64 {
        self.streams.values().map(|counts| counts.accepted).sum()
    }

    /// Records that are now dead letters.
    pub fn rejected(&self) -> u64 {
        self.streams.values().map(Counts::rejected).sum()
    }
}

/// How far a partition is behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// Its partition.
    pub kafka_partition: i32,
    /// The offset of the next message to take in, as the lake has it.
    pub committed: i64,
    /// Messages behind the partition's end; none while the broker hasn't said where that is.
    pub lag_rows: Option<i64>,
}

/// How taking in is going.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The newest commit.
    pub last: Committed,
    /// Everything since the start.
    pub total: KafkaSummary,
    /// The partitions held.
    pub lags: Vec<Lag>,
}

impl Status {
    /// Messages behind, over all partitions whose end is known.
    pub fn lag_rows(&self) -> i64 {
        self.lags.iter().filter_map(|lag| lag.lag_rows).sum()
    }
}

/// What a command took in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KafkaSummary {
    /// By stream, in the order of [`Stream::ALL`].
    pub streams: Vec<(Stream, Counts)>,
    /// Bytes of messages.
    pub bytes: u64,
    /// Hauls committed.
    pub commits: u64,
    /// How often another ingester had committed first, so that this one began anew.
    pub fenced: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl KafkaSummary {
    /// Adds a commit.
    pub(super) fn add(&mut self, done: &Committed) {
        self.bytes += done.bytes;
        self.commits += 1;
        for stream in Stream::ALL {
            let Some(counts) = done.streams.get(stream.name()) else { continue };
            if let Some((_, total)) = self.streams.iter_mut().find(|(known, _)| *known == stream) {
                total.add(counts);
            } else {
                self.streams.push((stream, counts.clone()));
                self.streams.sort_by_key(|(stream, _)| Stream::ALL.iter().position(|known| known == stream));
            }
        }
    }
}
