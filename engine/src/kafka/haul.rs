//! A haul: what was gathered from the partitions held, and is committed together.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::position::Place;
use crate::contract::Stream;
use crate::ingest::messages::{MARK_BYTES, Messages};

/// What a haul holds of one partition.
#[derive(Debug)]
pub(super) struct Catch {
    pub(super) place: Place,
    pub(super) stream: Stream,
    pub(super) blocks: Vec<Messages>,
    /// The offset after the last message.
    pub(super) reached: i64,
    pub(super) bytes: u64,
}

/// What is committed together.
#[derive(Debug, Default)]
pub(super) struct Haul {
    pub(super) catches: Vec<Catch>,
}

impl Haul {
    /// The numbers of the schemas that its messages name.
    pub(super) fn schema_ids(&self) -> BTreeSet<u32> {
        let blocks = self.catches.iter().flat_map(|catch| &catch.blocks);
        blocks.flat_map(Messages::schema_ids).collect()
    }
}

/// A partition held.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) place: Place,
    pub(super) stream: Stream,
    /// The offset of the next message to gather; negative while none was taken in and none has come.
    pub(super) next: i64,
    /// The offset up to which all is in the lake, or on its way there; negative as `next`.
    pub(super) sent: i64,
    /// The offset up to which all is in the lake.
    pub(super) committed: i64,
    /// Where the partition ends, as the broker said last; negative before it did.
    pub(super) end: i64,
    blocks: Vec<Messages>,
    rows: u64,
    bytes: u64,
}

impl Held {
    /// Gathered up to `position`; none where the lake knows nothing of the partition.
    pub(super) fn new(place: Place, stream: Stream, position: Option<i64>) -> Self {
        let next = position.unwrap_or(-1);
        let (blocks, rows, bytes) = (Vec::new(), 0, 0);
        Self { place, stream, next, sent: next, committed: next, end: -1, blocks, rows, bytes }
    }

    fn has_news(&self) -> bool {
        self.next > self.sent
    }
}

/// The partitions held, with what was gathered from them.
#[derive(Debug, Default)]
pub(super) struct Hold {
    held: Vec<Held>,
    /// Where the last message's partition stands.
    latest: usize,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    since: Option<Instant>,
}

impl Hold {
    /// The partitions.
    pub(super) fn partitions(&self) -> &[Held] {
        &self.held
    }

    /// Begins to hold a partition.
    pub(super) fn add(&mut self, held: Held) {
        self.remove(&held.place);
        self.held.push(held);
    }

    /// Stops holding a partition; what was gathered from it is dropped.
    pub(super) fn remove(&mut self, place: &Place) {
        self.held.retain(|held| held.place != *place);
        self.latest = 0;
        self.rows = self.held.iter().map(|held| held.rows).sum();
        self.bytes = self.held.iter().map(|held| held.bytes).sum();
    }

    /// The partition of that name.
    pub(super) fn get_mut(&mut self, topic: &str, kafka_partition: i32) -> Option<&mut Held> {
        let is = |held: &Held| held.place.kafka_partition == kafka_partition && *held.place.topic == *topic;
        if !self.held.get(self.latest).is_some_and(is) {
            self.latest = self.held.iter().position(is)?;
        }
        self.held.get_mut(self.latest)
    }

    /// Gathers a message; one of a partition that isn't held, or that was gathered before, is passed over.
    pub(super) fn push(&mut self, topic: &str, kafka_partition: i32, offset: i64, value: Option<&[u8]>) {
        let Some(held) = self.get_mut(topic, kafka_partition) else { return };
        let Ok(position) = u64::try_from(offset) else { return };
        if offset < held.next {
            return;
        }
        if held.blocks.last().is_none_or(Messages::is_full) {
            held.blocks.push(Messages::default());
        }
        let Some(block) = held.blocks.last_mut() else { return };
        block.push(position, value);
        held.next = offset + 1;
        let bytes = value.map_or(0, <[u8]>::len) + MARK_BYTES;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        held.rows += 1;
        held.bytes += bytes;
        self.rows += 1;
        self.bytes += bytes;
        if self.since.is_none() {
            self.since = Some(Instant::now());
        }
    }

    /// Notes that a partition holds no message before `offset` any more that hasn't been gathered.
    pub(super) fn pass(&mut self, topic: &str, kafka_partition: i32, offset: i64) {
        let Some(held) = self.get_mut(topic, kafka_partition) else { return };
        if offset > held.next {
            held.next = offset;
            if self.since.is_none() {
                self.since = Some(Instant::now());
            }
        }
    }

    /// How long the oldest message has waited.
    pub(super) fn age(&self) -> Duration {
        self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Whether there is something to commit.
    pub(super) fn has_news(&self) -> bool {
        self.held.iter().any(Held::has_news)
    }

    /// Takes out all that was gathered.
    pub(super) fn take(&mut self) -> Haul {
        self.since = None;
        (self.rows, self.bytes) = (0, 0);
        let catches = self.held.iter_mut().filter(|held| held.has_news()).map(|held| {
            held.sent = held.next;
            held.rows = 0;
            Catch {
                place: held.place.clone(),
                stream: held.stream,
                blocks: std::mem::take(&mut held.blocks),
                reached: held.next,
                bytes: std::mem::take(&mut held.bytes),
            }
        });
        Haul { catches: catches.collect() }
    }

    /// Notes that what was sent is in the lake.
    pub(super) fn committed(&mut self, reached: &[(Place, i64)]) {
        for (place, offset) in reached {
            if let Some(held) = self.held.iter_mut().find(|held| held.place == *place) {
                held.committed = *offset;
            }
        }
    }
}
