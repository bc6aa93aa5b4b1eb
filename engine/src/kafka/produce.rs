//! Plays records into topics, for demonstrations and load tests.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};

use super::client::{self, Watch};
use super::options::Properties;
use crate::error::{EngineError, Result};

/// Records between two looks at the clock: 2 ms at 5,000 a second.
const RECORDS_PER_LOOK: u64 = 10;
/// How long the last records may take to arrive.
const FLUSH: Duration = Duration::from_mins(1);

/// How to play.
#[derive(Debug, Clone)]
pub struct PlayerOptions {
    /// `host:port`, several with commas between them.
    pub brokers: String,
    /// Further properties.
    pub properties: Properties,
    /// How long the broker may take to answer at the start.
    pub connect: Duration,
    /// Records a second; 0 for as many as go.
    pub rate: u64,
    /// Partitions of topics that are made.
    pub kafka_partitions: i32,
}

/// Plays records into topics.
pub struct Player {
    producer: BaseProducer<Deliveries>,
    rate: u64,
    started: Instant,
    sent: u64,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("sent", &self.sent).finish_non_exhaustive()
    }
}

/// Counts records that didn't arrive.
#[derive(Debug, Default)]
pub(super) struct Deliveries {
    pub(super) watch: Watch,
    pub(super) lost: AtomicU64,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, area: &str, message: &str) {
        self.watch.log(level, area, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.watch.note(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): Self::DeliveryOpaque) {
        if let Err((error, _)) = result {
            self.lost.fetch_add(1, Ordering::Relaxed);
            self.watch.note(error.clone(), "a record did not arrive");
        }
    }
}

impl Player {
    /// Connects, and makes the topics that aren't there.
    ///
    /// # Errors
    /// [`EngineError::Kafka`] where no broker answers, or a topic can't be made; [`EngineError::Input`] for a property
    /// that is wrong.
    pub async fn connect(options: &PlayerOptions, topics: &[String]) -> Result<Self> {
        let mut config = ClientConfig::new();
        // At a rate, records leave when they are due, as those of a CRM would; else they wait to fill a batch.
        let linger = if options.rate == 0 { "20" } else { "0" };
        config.set("enable.idempotence", "true").set("linger.ms", linger).set("compression.type", "lz4");
        config.set("socket.nagle.disable", "true");
        client::apply(&mut config, &options.brokers, &options.properties);
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::default()).map_err(client::refused)?;
        let asking = || format!("asking the brokers {} for their topics", options.brokers);
        let known = producer.client().fetch_metadata(None, options.connect).map_err(|error| {
            producer.poll(Duration::from_millis(100));
            producer.context().watch.explain(asking(), error)
        })?;
        let there: BTreeSet<&str> =
            known.topics().iter().map(rdkafka::metadata::MetadataTopic::name).collect();
        let missing: Vec<NewTopic<'_>> = topics
            .iter()
            .filter(|topic| !there.contains(topic.as_str()))
            .map(|topic| NewTopic::new(topic, options.kafka_partitions, TopicReplication::Fixed(-1)))
            .collect();
        make_topics(&options.brokers, &options.properties, &missing).await?;
        Ok(Self { producer, rate: options.rate, started: Instant::now(), sent: 0 })
    }

    /// Sends a record, as soon as the rate allows; records of one key keep their order.
    ///
    /// # Errors
    /// [`EngineError::Kafka`] where the broker refuses it.
    pub fn play(&mut self, topic: &str, key: Option<&[u8]>, value: &[u8]) -> Result<()> {
        if self.sent.is_multiple_of(RECORDS_PER_LOOK) {
            self.keep_pace();
        }
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).payload(value);
        if let Some(key) = key {
            record = record.key(key);
        }
        loop {
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(Code::QueueFull), again)) => {
                    self.producer.poll(Duration::from_millis(20));
                    record = again;
                }
                Err((source, _)) => return Err(EngineError::kafka(format!("sending to {topic}"), source)),
            }
        }
        self.sent += 1;
        Ok(())
    }

    /// Serves deliveries, and waits where the rate is ahead of the clock.
    fn keep_pace(&self) {
        self.producer.poll(Duration::ZERO);
        if self.rate == 0 {
            return;
        }
        let due = Duration::from_secs(self.sent / self.rate)
            + Duration::from_secs(self.sent % self.rate) / u32::try_from(self.rate).unwrap_or(u32::MAX);
        while let Some(ahead) = due.checked_sub(self.started.elapsed()).filter(|ahead| !ahead.is_zero()) {
            self.producer.poll(ahead.min(Duration::from_millis(100)));
        }
    }

    /// Waits until all has arrived; returns how many records that were.
    ///
    /// # Errors
    /// [`EngineError::Kafka`] where something didn't arrive.
    pub fn finish(self) -> Result<u64> {
        let flushed = self.producer.flush(FLUSH);
        let lost = self.producer.context().lost.load(Ordering::Relaxed);
        let doing = || format!("sending records, of which {lost} did not arrive");
        flushed.map_err(|error| self.producer.context().watch.explain(doing(), error))?;
        if lost > 0 {
            let error = KafkaError::MessageProduction(Code::MessageTimedOut);
            return Err(self.producer.context().watch.explain(doing(), error));
        }
        Ok(self.sent)
    }
}

/// Makes topics; that one is there already is no error.
///
/// # Errors
/// [`EngineError::Kafka`] with the broker's reason.
pub(super) async fn make_topics(
    brokers: &str,
    properties: &Properties,
    topics: &[NewTopic<'_>],
) -> Result<()> {
    if topics.is_empty() {
        return Ok(());
    }
    let mut config = ClientConfig::new();
    client::apply(&mut config, brokers, properties);
    let admin: AdminClient<Watch> = config.create_with_context(Watch::default()).map_err(client::refused)?;
    let made = admin.create_topics(topics, &AdminOptions::new()).await;
    for topic in made.map_err(|source| EngineError::kafka("making topics", source))? {
        match topic {
            Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                let source = KafkaError::AdminOp(code);
                return Err(EngineError::kafka(format!("making topic {name}"), source));
            }
        }
    }
    Ok(())
}
