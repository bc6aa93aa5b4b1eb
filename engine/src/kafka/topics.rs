//! Which topics there are, and where their partitions end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::client::{self, Watch};
use super::options::KafkaOptions;
use super::position::Place;
use crate::contract::Stream;
use crate::error::{EngineError, Result};

/// How many topics of the broker a message names.
const NAMED_MAX: usize = 12;
/// How long a complaint of the client is waited for once the broker hasn't answered.
const COMPLAINT: Duration = Duration::from_millis(200);

/// The topics to take in.
#[derive(Debug)]
pub(super) struct Topics {
    /// What each of them holds.
    pub(super) streams: BTreeMap<Arc<str>, Stream>,
    /// First and last offset (exclusive) of every partition; empty unless asked for.
    pub(super) bounds: BTreeMap<Place, (i64, i64)>,
}

/// Looks the topics up, and where their partitions end if the command is to stop there.
///
/// # Errors
/// [`EngineError::Input`] for a topic that isn't there; [`EngineError::Kafka`] where no broker answers in time, or it
/// won't have us.
pub(super) fn find(options: &KafkaOptions) -> Result<Topics> {
    let mut config = client::consumer(options)?;
    config.remove("group.id");
    config.remove("partition.assignment.strategy");
    let consumer: BaseConsumer<Watch> =
        config.create_with_context(Watch::default()).map_err(client::refused)?;
    let asking = || format!("asking the brokers {} for their topics", options.brokers);
    let failed = |error| {
        // What is wrong is said by an event of its own.
        let until = Instant::now() + COMPLAINT;
        while Instant::now() < until {
            drop(consumer.poll(Duration::from_millis(20)));
        }
        consumer.context().explain(asking(), error)
    };
    let known = consumer.fetch_metadata(None, options.connect).map_err(failed)?;
    let mut topics = Topics { streams: BTreeMap::new(), bounds: BTreeMap::new() };
    let mut missing = Vec::new();
    for (stream, name) in &options.topics {
        let Some(topic) = known.topics().iter().find(|topic| topic.name() == name) else {
            missing.push(name.as_str());
            continue;
        };
        if let Some(error) = topic.error() {
            let error = KafkaError::MetadataFetch(Code::from(error));
            return Err(EngineError::Kafka {
                doing: format!("looking up topic {name}"),
                source: Box::new(error),
            });
        }
        let topic_name: Arc<str> = Arc::from(name.as_str());
        topics.streams.insert(Arc::clone(&topic_name), *stream);
        for partition in topic.partitions() {
            let place = Place { topic: Arc::clone(&topic_name), kafka_partition: partition.id() };
            if options.until_end {
                let bounds =
                    consumer.fetch_watermarks(name, partition.id(), options.connect).map_err(failed)?;
                topics.bounds.insert(place, bounds);
            }
        }
    }
    if !missing.is_empty() && (options.topics_must_exist || topics.streams.is_empty()) {
        let there: Vec<&str> = known
            .topics()
            .iter()
            .map(rdkafka::metadata::MetadataTopic::name)
            .filter(|name| !name.starts_with("__"))
            .collect();
        return Err(EngineError::Input(unknown(options, &missing, &there)));
    }
    if !missing.is_empty() {
        tracing::info!(topics = missing.join(", "), "not there, and left out");
    }
    Ok(topics)
}

fn unknown(options: &KafkaOptions, missing: &[&str], there: &[&str]) -> String {
    let more = if there.len() > NAMED_MAX { ", …" } else { "" };
    let named = there.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    let named = if named.is_empty() { "no topics".to_owned() } else { format!("the topics {named}{more}") };
    format!(
        "there is no topic {} at {}, which has {named}; make it, or name another with --topic STREAM=TOPIC",
        missing.join(", "),
        options.brokers
    )
}

/// First and last offset (exclusive) of a partition, as the broker says now.
pub(super) fn bounds<C: rdkafka::consumer::ConsumerContext>(
    consumer: &BaseConsumer<C>,
    place: &Place,
    timeout: Duration,
) -> Option<(i64, i64)> {
    consumer.fetch_watermarks(&place.topic, place.kafka_partition, timeout).ok()
}
