//! Membership in a consumer group: partitions come and go, and each begins at the offset that the lake has.
//!
//! All of this runs on the polling thread, inside `poll`: whoever polls must not hold the state meanwhile.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::batches::Batches;
use super::client::Watch;
use super::commit::{Done, Writer};
use super::haul::{Haul, Held, Hold};
use super::position::Place;
use crate::contract::Stream;
use crate::error::{EngineError, Result};

/// What the member of a group knows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) watch: Watch,
    runtime: Handle,
    streams: BTreeMap<Arc<str>, Stream>,
    state: Mutex<State>,
}

/// What changes while the member polls.
#[derive(Debug)]
pub(super) struct State {
    pub(super) hold: Hold,
    /// Where messages come from; it goes before the consumer does.
    batches: Option<Batches>,
    /// Away while it commits a haul.
    writer: Option<Writer>,
    sending: Option<JoinHandle<(Writer, Result<Done>)>>,
    /// Hauls that were settled while partitions were given up.
    settled: Vec<Result<Done>>,
    /// What went wrong where no error could be returned.
    failure: Option<EngineError>,
    /// Where partitions end for this command.
    ends: BTreeMap<Place, i64>,
    /// Partitions whose end was reached when librdkafka last reported.
    drained: Vec<Place>,
}

impl Group {
    /// A member that holds nothing yet. `ends` are the offsets to stop at.
    pub(super) fn new(
        streams: BTreeMap<Arc<str>, Stream>,
        writer: Writer,
        ends: BTreeMap<Place, i64>,
        runtime: Handle,
    ) -> Self {
        let state = State {
            hold: Hold::default(),
            batches: None,
            writer: Some(writer),
            sending: None,
            settled: Vec::new(),
            failure: None,
            ends,
            drained: Vec::new(),
        };
        Self { watch: Watch::default(), runtime, streams, state: Mutex::new(state) }
    }

    /// The state; never held while polling.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self, list: &TopicPartitionList) -> Vec<(Place, Stream)> {
        list.elements()
            .iter()
            .filter_map(|element| {
                let (topic, stream) = self.streams.get_key_value(element.topic())?;
                Some((Place { topic: Arc::clone(topic), kafka_partition: element.partition() }, *stream))
            })
            .collect()
    }

    /// Takes partitions over; returns them with the offsets to begin at.
    fn begin(&self, list: &TopicPartitionList) -> Result<TopicPartitionList> {
        let places = self.places(list);
        let mut state = self.state();
        state.settle(&self.runtime, None);
        let Some(writer) = state.writer.as_mut() else {
            return Err(EngineError::Lake("the writer stopped".to_owned()));
        };
        let positions = self.runtime.block_on(writer.begin(&places))?;
        let mut begun = TopicPartitionList::with_capacity(places.len());
        for ((place, stream), position) in places.into_iter().zip(positions) {
            let offset = position.map_or(Offset::Beginning, Offset::Offset);
            tracing::debug!(
                topic = &*place.topic,
                kafka_partition = place.kafka_partition,
                ?offset,
                "taken over"
            );
            begun
                .add_partition_offset(&place.topic, place.kafka_partition, offset)
                .map_err(|source| EngineError::kafka("taking partitions over", source))?;
            state.hold.add(Held::new(place, stream, position));
        }
        Ok(begun)
    }

    /// Gives partitions up: what is on its way to the lake arrives, what was only gathered is dropped.
    fn end(&self, list: &TopicPartitionList) {
        let mut state = self.state();
        state.settle(&self.runtime, None);
        let places: Vec<Place> = self.places(list).into_iter().map(|(place, _)| place).collect();
        for place in &places {
            state.hold.remove(place);
        }
        if let Some(writer) = state.writer.as_mut() {
            writer.end(&places);
        }
    }
}

impl State {
    /// Takes messages by the batch from now on, or, where none is given, no more.
    pub(super) fn take_from(&mut self, batches: Option<Batches>) {
        self.batches = batches;
    }

    /// Gathers a batch of at most `limit` messages, waiting for them so long; returns the first error among
    /// them.
    pub(super) fn gather(&mut self, wait: Duration, limit: u64) -> Option<KafkaError> {
        let Self { hold, batches: Some(batches), .. } = self else { return None };
        batches.take(wait, limit, |message| {
            hold.push(message.topic, message.kafka_partition, message.offset, message.value);
        })
    }

    /// Begins to commit what was gathered; false where a haul is still on its way, or nothing was gathered.
    pub(super) fn send(&mut self, runtime: &Handle) -> bool {
        if !self.hold.has_news() {
            return false;
        }
        let Some(mut writer) = self.writer.take() else { return false };
        let haul: Haul = self.hold.take();
        self.sending = Some(runtime.spawn(async move {
            let done = writer.commit(haul).await;
            (writer, done)
        }));
        true
    }

    /// Whether a haul is on its way.
    pub(super) fn is_sending(&self) -> bool {
        self.sending.is_some()
    }

    /// Waits for the haul on its way, for so long at most or, where none is given, until it is settled; true where
    /// none is on its way any more.
    pub(super) fn settle(&mut self, runtime: &Handle, patience: Option<Duration>) -> bool {
        let Some(mut sending) = self.sending.take() else { return true };
        let joined = match patience {
            None => runtime.block_on(sending),
            Some(patience) => {
                let waited = runtime.block_on(async { tokio::time::timeout(patience, &mut sending).await });
                let Ok(joined) = waited else {
                    self.sending = Some(sending);
                    return false;
                };
                joined
            }
        };
        match joined {
            Ok((writer, done)) => {
                if let Ok(done) = &done {
                    self.hold.committed(&done.reached);
                }
                self.writer = Some(writer);
                self.settled.push(done);
            }
            Err(stopped) => self.failure = Some(crate::ingest::stopped_thread(stopped)),
        }
        true
    }

    /// What became of hauls since the last call.
    pub(super) fn take_settled(&mut self) -> Vec<Result<Done>> {
        std::mem::take(&mut self.settled)
    }

    /// What went wrong in the background.
    pub(super) fn take_failure(&mut self) -> Option<EngineError> {
        self.failure.take()
    }

    /// Notes where partitions end, and that some have no message left before the end that the command waits for: what
    /// is there are marks of transactions. Two reports in a row must say so, as one may overtake messages.
    fn report(&mut self, statistics: &Statistics) {
        let mut drained = Vec::new();
        for (name, topic) in &statistics.topics {
            for (number, partition) in &topic.partitions {
                let Some(held) = self.hold.get_mut(name, *number) else { continue };
                let end = if partition.ls_offset >= 0 { partition.ls_offset } else { partition.hi_offset };
                held.end = held.end.max(end);
                let Some(end) = self.ends.get(&held.place).copied() else { continue };
                if held.next < end && partition.next_offset >= end && partition.fetchq_cnt == 0 {
                    drained.push((held.place.clone(), end));
                }
            }
        }
        for (place, end) in &drained {
            if self.drained.contains(place) {
                self.hold.pass(&place.topic, place.kafka_partition, *end);
            }
        }
        self.drained = drained.into_iter().map(|(place, _)| place).collect();
    }
}

impl ClientContext for Group {
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
        self.state().report(&statistics);
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let step_by_step = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let answered = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            let begun = self.begin(list).unwrap_or_else(|error| {
                self.state().failure = Some(error);
                TopicPartitionList::new()
            });
            if let Some(batches) = &self.state().batches {
                batches.forward(consumer, &begun);
            }
            if step_by_step { consumer.incremental_assign(&begun) } else { consumer.assign(&begun) }
        } else {
            self.end(list);
            if step_by_step { consumer.incremental_unassign(list) } else { consumer.unassign() }
        };
        if let Err(source) = answered {
            self.state().failure = Some(EngineError::kafka("answering a rebalance", source));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        // The lake has the offsets; those of the group are for lag tools.
        if let Err(error) = result {
            tracing::debug!(%error, "the group's offsets were not committed");
        }
    }
}
