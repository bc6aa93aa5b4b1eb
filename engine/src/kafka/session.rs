//! A session: one membership in the group, from joining to leaving.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::runtime::Handle;

use super::batches::Batches;
use super::client::is_refusal;
use super::commit::Done;
use super::group::Group;
use super::haul::Hold;
use super::options::KafkaOptions;
use super::position::Place;
use super::status::{Lag, Status};
use super::topics;
use crate::error::{EngineError, Result};

/// How long a poll waits for a message.
const POLL: Duration = Duration::from_millis(50);
/// Bytes that a message is taken for where those before it were smaller.
const SIZE: u64 = 4 << 10;
/// How long a full haul waits for the one before it without polling.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was told to stop, or is done.
    Done,
    /// Somebody else had committed first.
    Fenced,
}

/// Whether all is taken in, given what this member has reached in the partitions that it holds.
pub(super) type IsDone<'s> = &'s mut dyn FnMut(&[(Place, i64)]) -> Result<bool>;

/// One membership in the group.
pub(super) struct Session<'s> {
    pub(super) consumer: BaseConsumer<Group>,
    pub(super) options: &'s KafkaOptions,
    pub(super) runtime: &'s Handle,
    pub(super) status: &'s mut Status,
    /// Whether all is in the lake that the command was to take in.
    pub(super) is_done: IsDone<'s>,
}

impl Session<'_> {
    /// Takes messages in until told to stop, done, fenced or failed; then leaves the group.
    ///
    /// # Errors
    /// [`EngineError::Kafka`] where the broker won't have us, or none is reachable for too long;
    /// [`EngineError::Input`] where messages are gone; others where the lake can't be written.
    pub(super) fn run(&mut self) -> Result<Ended> {
        let batches = Batches::new(&self.consumer);
        self.consumer.context().state().take_from(batches);
        let ended = self.poll();
        self.consumer.context().state().take_from(None);
        match ended {
            Ok(Ended::Done) => self.flush(),
            other => {
                // What is on its way may arrive; it is not reported if it doesn't.
                self.consumer.context().state().settle(self.runtime, None);
                other
            }
        }
    }

    fn poll(&mut self) -> Result<Ended> {
        loop {
            let room = self.room();
            let failure = self.consumer.context().state().gather(POLL, room);
            if let Some(error) = failure {
                self.complain(error)?;
            }
            self.serve(Duration::ZERO)?;
            if let Some(ended) = self.look()? {
                return Ok(ended);
            }
        }
    }

    /// Serves what is not a message: rebalances, statistics, errors.
    fn serve(&self, wait: Duration) -> Result<()> {
        match self.consumer.poll(wait) {
            Some(Ok(message)) => {
                let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
                self.consumer.context().state().hold.push(topic, partition, offset, message.payload());
                Ok(())
            }
            Some(Err(error)) => self.complain(error),
            None => Ok(()),
        }
    }

    /// Messages that still fit into the haul, about.
    fn room(&self) -> u64 {
        let state = self.consumer.context().state();
        let hold = &state.hold;
        let rows = self.options.commit_rows.saturating_sub(hold.rows);
        let bytes = self.options.haul_bytes().saturating_sub(hold.bytes);
        let size = hold.bytes.checked_div(hold.rows).unwrap_or(0).max(SIZE);
        rows.min(bytes / size)
    }

    fn is_full(&self, hold: &Hold) -> bool {
        hold.rows >= self.options.commit_rows || hold.bytes >= self.options.haul_bytes()
    }

    /// Looks at everything but messages.
    fn look(&mut self) -> Result<Option<Ended>> {
        self.consumer.context().state().settle(self.runtime, Some(Duration::ZERO));
        if self.report()? == Some(Ended::Fenced) {
            return Ok(Some(Ended::Fenced));
        }
        if self.options.stop.load(Ordering::Relaxed) {
            return Ok(Some(Ended::Done));
        }
        self.give_up()?;
        let (due, full) = {
            let state = self.consumer.context().state();
            let full = self.is_full(&state.hold);
            (full || state.hold.age() >= self.options.commit_after, full)
        };
        if due && !self.consumer.context().state().send(self.runtime) && full {
            self.hold_back();
        }
        let reached: Option<Vec<(Place, i64)>> = {
            let state = self.consumer.context().state();
            let places = state.hold.partitions();
            (!state.is_sending() && self.options.until_end)
                .then(|| places.iter().map(|held| (held.place.clone(), held.next)).collect())
        };
        match reached {
            Some(reached) if (self.is_done)(&reached)? => Ok(Some(Ended::Done)),
            _ => Ok(None),
        }
    }

    /// Waits for the haul on its way, because another is full: first without polling, then with all partitions paused.
    fn hold_back(&mut self) {
        if self.consumer.context().state().settle(self.runtime, Some(PATIENCE)) {
            return;
        }
        tracing::debug!("writing is slower than reading: partitions are paused");
        while !self.options.stop.load(Ordering::Relaxed) {
            // A rebalance may have brought others.
            let Ok(held) = self.consumer.assignment() else { break };
            if let Err(error) = self.consumer.pause(&held) {
                tracing::debug!(%error, "pausing");
            }
            if let Err(error) = self.serve(POLL) {
                tracing::debug!(%error, "while paused");
            }
            if self.consumer.context().state().settle(self.runtime, Some(Duration::ZERO)) {
                break;
            }
        }
        if let Ok(held) = self.consumer.assignment()
            && let Err(error) = self.consumer.resume(&held)
        {
            tracing::debug!(%error, "resuming");
        }
    }

    /// Commits what was gathered and tells the group.
    fn flush(&mut self) -> Result<Ended> {
        loop {
            self.consumer.context().state().settle(self.runtime, None);
            if self.report()? == Some(Ended::Fenced) {
                return Ok(Ended::Fenced);
            }
            if !self.consumer.context().state().send(self.runtime) {
                break;
            }
        }
        self.tell_group(CommitMode::Sync);
        Ok(Ended::Done)
    }

    /// Reports the hauls that are settled, and what failed in the background.
    fn report(&mut self) -> Result<Option<Ended>> {
        let settled = self.consumer.context().state().take_settled();
        for done in settled {
            match done {
                Ok(done) => self.note(done),
                Err(EngineError::Conflict { table }) => {
                    tracing::warn!(table, "another ingester committed first; beginning anew from the lake");
                    return Ok(Some(Ended::Fenced));
                }
                Err(error) => return Err(error),
            }
        }
        let failure = self.consumer.context().state().take_failure();
        failure.map_or(Ok(None), Err)
    }

    fn note(&mut self, done: Done) {
        self.status.total.add(&done.committed);
        self.status.last = done.committed;
        self.status.lags = {
            let state = self.consumer.context().state();
            let lag = |held: &super::haul::Held| Lag {
                topic: held.place.topic.to_string(),
                kafka_partition: held.place.kafka_partition,
                committed: held.committed.max(0),
                lag_rows: (held.end >= 0).then(|| (held.end - held.committed.max(0)).max(0)),
            };
            state.hold.partitions().iter().map(lag).collect()
        };
        let last = &self.status.last;
        tracing::info!(
            rows = last.accepted(),
            rejected = last.rejected(),
            bytes = last.bytes,
            partitions = last.partitions,
            lag_rows = self.status.lag_rows(),
            seconds = (last.seconds * 1e3).round() / 1e3,
            "committed"
        );
        self.tell_group(CommitMode::Async);
        if let Some(on_status) = &self.options.on_status {
            on_status(self.status);
        }
    }

    /// Commits the lake's offsets to the group, for lag tools.
    fn tell_group(&self, mode: CommitMode) {
        let mut list = TopicPartitionList::new();
        for held in self.consumer.context().state().hold.partitions() {
            if held.committed >= 0 {
                let offset = Offset::Offset(held.committed);
                // A name that came from the broker is a name.
                drop(list.add_partition_offset(&held.place.topic, held.place.kafka_partition, offset));
            }
        }
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, mode)
        {
            tracing::debug!(%error, "the group's offsets were not committed");
        }
    }

    /// What the consumer complains of either passes, or ends the session.
    fn complain(&self, error: KafkaError) -> Result<()> {
        let doing = || format!("taking in from {}", self.options.brokers);
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

    /// The broker has no message at an offset that the lake wants next.
    fn gone(&self) -> EngineError {
        let wanted: Vec<(Place, i64)> = {
            let state = self.consumer.context().state();
            state.hold.partitions().iter().map(|held| (held.place.clone(), held.next)).collect()
        };
        let mut wrong = String::new();
        for (place, next) in wanted {
            let Some((first, end)) = topics::bounds(&self.consumer, &place, self.options.connect) else {
                continue;
            };
            let problem = if next >= 0 && next < first {
                format!(
                    "the broker has deleted offsets {next} to {} before they were taken in; set \
                     kafka.skip_deleted = true to go on without them",
                    first - 1
                )
            } else if next > end {
                format!(
                    "the lake has taken it in up to offset {next}, but it ends at {end}: it was made anew; give the \
                     new topic a new name"
                )
            } else {
                continue;
            };
            let line = format!(" {} partition {}: {problem}.", place.topic, place.kafka_partition);
            wrong.push_str(&line);
        }
        if wrong.is_empty() {
            wrong.push_str(" the broker doesn't say which one.");
        }
        EngineError::Input(format!(
            "messages are gone that were to be taken in next:{}",
            wrong.trim_end_matches('.')
        ))
    }

    /// Gives up where no broker has been reachable for too long.
    fn give_up(&self) -> Result<()> {
        let after = self.options.give_up_after;
        let watch = &self.consumer.context().watch;
        let down: Option<Instant> = watch.down();
        if !after.is_zero() && down.is_some_and(|since| since.elapsed() >= after) {
            let doing =
                format!("taking in from {}, unreachable for {} s", self.options.brokers, after.as_secs());
            return Err(watch.explain(doing, KafkaError::Global(Code::AllBrokersDown)));
        }
        Ok(())
    }
}
