//! The topic of events, followed from the lake's offsets without a group.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::super::client::{self, Watch, is_refusal};
use super::super::options::KafkaOptions;
use super::super::position::Place;
use super::super::status::Lag;
use super::super::topics;
use crate::error::{EngineError, Result};
use crate::ingest::MessageReader;
use crate::time::Micros;

/// Messages that are applied together, at most.
const BATCH_MESSAGES: usize = 1_000;
/// What a broker may wait for more before it answers, in milliseconds.
const FETCH_WAIT_MS: &str = "5";

/// A follower of a topic.
pub(super) struct Follower {
    consumer: BaseConsumer<Following>,
    topic: Arc<str>,
    /// The offset of the next message, by partition; none before the first has come.
    next: BTreeMap<i32, Option<i64>>,
    connect: Duration,
    give_up_after: Duration,
    brokers: String,
}

/// What the client says of itself.
#[derive(Debug, Default)]
struct Following {
    watch: Watch,
    /// Where partitions end.
    ends: Mutex<BTreeMap<i32, i64>>,
}

/// What has been read since the last time.
#[derive(Debug, Default)]
pub(super) struct Caught {
    pub(super) messages: usize,
    /// When they were sent.
    pub(super) stamps: Vec<Micros>,
}

impl Follower {
    /// Begins where the lake's positions end, at the beginning of partitions that the lake knows nothing of.
    pub(super) fn start(options: &KafkaOptions, topic: &str, known: &BTreeMap<String, i64>) -> Result<Self> {
        let mut config = client::consumer(options)?;
        config.set("fetch.wait.max.ms", FETCH_WAIT_MS).set("socket.nagle.disable", "true");
        config.remove("partition.assignment.strategy");
        let consumer = config.create_with_context(Following::default()).map_err(client::refused)?;
        let mut follower = Self {
            consumer,
            topic: Arc::from(topic),
            next: BTreeMap::new(),
            connect: options.connect,
            give_up_after: options.give_up_after,
            brokers: options.brokers.clone(),
        };
        follower.assign(known)?;
        Ok(follower)
    }

    /// Looks for partitions that are new, and follows them too.
    pub(super) fn assign(&mut self, known: &BTreeMap<String, i64>) -> Result<()> {
        let asking = || format!("asking {} for the partitions of {}", self.brokers, self.topic);
        let explain = |error| self.consumer.context().watch.explain(asking(), error);
        let metadata = self.consumer.fetch_metadata(Some(&self.topic), self.connect).map_err(explain)?;
        let partitions = metadata.topics().iter().flat_map(rdkafka::metadata::MetadataTopic::partitions);
        let fresh: Vec<i32> = partitions
            .map(rdkafka::metadata::MetadataPartition::id)
            .filter(|id| !self.next.contains_key(id))
            .collect();
        if fresh.is_empty() {
            return Ok(());
        }
        for kafka_partition in fresh {
            let position = known.get(&self.place(kafka_partition).id()).copied();
            self.next.insert(kafka_partition, position);
        }
        let mut list = TopicPartitionList::new();
        for (kafka_partition, next) in &self.next {
            let offset = next.map_or(Offset::Beginning, Offset::Offset);
            list.add_partition_offset(&self.topic, *kafka_partition, offset)
                .map_err(|source| EngineError::kafka("following partitions", source))?;
        }
        self.consumer.assign(&list).map_err(|source| EngineError::kafka("following partitions", source))
    }

    fn place(&self, kafka_partition: i32) -> Place {
        Place { topic: Arc::clone(&self.topic), kafka_partition }
    }

    /// Reads the messages that are there, waiting for the first one for so long.
    pub(super) fn read(
        &mut self,
        reader: &mut MessageReader,
        now: fn() -> Micros,
        patience: Duration,
    ) -> Result<Caught> {
        let mut caught = Caught::default();
        let mut wait = patience;
        while caught.messages < BATCH_MESSAGES {
            let message = match self.consumer.poll(wait) {
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    self.complain(error)?;
                    continue;
                }
                None => break,
            };
            wait = Duration::ZERO;
            let next = self.next.entry(message.partition()).or_default();
            // A message read before an assignment was renewed.
            if next.is_some_and(|next| message.offset() < next) {
                continue;
            }
            *next = Some(message.offset() + 1);
            let at = now();
            reader.read(message.payload());
            caught.messages += 1;
            let sent = message.timestamp().to_millis().map_or(at, |ms| ms.saturating_mul(1_000));
            caught.stamps.push(sent);
        }
        self.give_up()?;
        Ok(caught)
    }

    /// The offset of the next message, by the id that the lake's table knows a partition by.
    pub(super) fn positions(&self) -> BTreeMap<String, i64> {
        let known = self.next.iter().filter_map(|(id, next)| Some((self.place(*id).id(), (*next)?)));
        known.collect()
    }

    /// How long no broker has answered; none where one does.
    pub(super) fn down(&self) -> Option<Duration> {
        self.consumer.context().watch.down().map(|since| since.elapsed())
    }

    /// How far it is behind.
    pub(super) fn lags(&self) -> Vec<Lag> {
        let ends = self.consumer.context().ends.lock().unwrap_or_else(PoisonError::into_inner);
        let lag = |(id, next): (&i32, &Option<i64>)| {
            let next = next.unwrap_or(0);
            Lag {
                topic: self.topic.to_string(),
                kafka_partition: *id,
                committed: next,
                lag_rows: ends.get(id).map(|end| (end - next).max(0)),
            }
        };
        self.next.iter().map(lag).collect()
    }

    fn complain(&self, error: KafkaError) -> Result<()> {
        let doing = || format!("following {} at {}", self.topic, self.brokers);
        match &error {
            KafkaError::MessageConsumption(Code::AutoOffsetReset) => Err(self.gone()),
            KafkaError::MessageConsumptionFatal(_) => {
                Err(self.consumer.context().watch.explain(doing(), error))
            }
            _ if is_refusal(&error) => Err(self.consumer.context().watch.explain(doing(), error)),
            _ => {
                tracing::debug!(%error, "librdkafka goes on by itself");
                Ok(())
            }
        }
    }

    /// The broker has no message at an offset that is wanted next.
    fn gone(&self) -> EngineError {
        let mut wrong = String::new();
        for (id, next) in self.next.iter().filter_map(|(id, next)| Some((*id, (*next)?))) {
            let Some((first, end)) = topics::bounds(&self.consumer, &self.place(id), self.connect) else {
                continue;
            };
            if next < first || next > end {
                let line = format!(
                    " {} partition {id}: offset {next} is wanted, the broker has {first} to {end}.",
                    self.topic
                );
                wrong.push_str(&line);
            }
        }
        EngineError::Input(format!(
            "messages are gone that were to be followed next:{} Take the topic in with `tideline ingest`, or set \
             kafka.skip_deleted = true to go on without them",
            if wrong.is_empty() { " the broker doesn't say which." } else { &wrong }
        ))
    }

    /// Gives up where no broker has been reachable for too long.
    fn give_up(&self) -> Result<()> {
        let watch = &self.consumer.context().watch;
        let down: Option<Instant> = watch.down();
        let after = self.give_up_after;
        if !after.is_zero() && down.is_some_and(|since| since.elapsed() >= after) {
            let doing = format!("following {}, unreachable for {} s", self.brokers, after.as_secs());
            return Err(watch.explain(doing, KafkaError::Global(Code::AllBrokersDown)));
        }
        Ok(())
    }
}

impl ClientContext for Following {
    fn log(&self, level: RDKafkaLogLevel, area: &str, message: &str) {
        self.watch.log(level, area, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.note(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        if statistics.brokers.values().any(|broker| broker.state == "UP") {
            self.watch.up();
        }
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, partition) in statistics.topics.values().flat_map(|topic| &topic.partitions) {
            let end = if partition.ls_offset >= 0 { partition.ls_offset } else { partition.hi_offset };
            if *id >= 0 && end >= 0 {
                ends.insert(*id, end);
            }
        }
    }
}

impl ConsumerContext for Following {}
