//! Clients of a broker: their properties, what they complain of, and what that means to us.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use super::options::{KafkaOptions, Properties};
use crate::error::{EngineError, Result};

/// Properties that exactly-once leans on, and why they can't be set.
const OURS: [(&str, &str); 9] = [
    ("bootstrap.servers", "name the brokers with --kafka"),
    ("metadata.broker.list", "name the brokers with --kafka"),
    ("group.id", "name the group with --group or kafka.group"),
    ("enable.auto.commit", "the lake keeps the offsets"),
    ("enable.auto.offset.store", "the lake keeps the offsets"),
    ("auto.offset.reset", "the lake keeps the offsets; see kafka.skip_deleted"),
    ("isolation.level", "records of transactions that were given up are no records"),
    ("enable.partition.eof", "nothing here waits for it"),
    ("statistics.interval.ms", "lags are measured with it"),
];
/// The largest queue that librdkafka can be told of.
const QUEUE_KIB_MAX: u64 = 2_097_151;
/// How long fetching pauses where the queue is full. A second, which is librdkafka's, is longer than a haul takes to
/// be decoded: partitions would stand still for most of the time.
const FULL_QUEUE_PAUSE_MS: &str = "5";
/// How often librdkafka reports how far it is.
const STATISTICS_MS: &str = "1000";

/// The properties of a member of a group.
///
/// # Errors
/// [`EngineError::Input`] for a property that is ours to set.
pub(super) fn consumer(options: &KafkaOptions) -> Result<ClientConfig> {
    for (name, why) in OURS {
        if options.properties.0.contains_key(name) {
            return Err(EngineError::Input(format!("kafka.properties: {name} can't be set: {why}")));
        }
    }
    let queue_kib = (options.queue_bytes() >> 10).min(QUEUE_KIB_MAX).to_string();
    let fetch_bytes = options.queue_bytes().clamp(1 << 20, 50 << 20).to_string();
    let mut config = ClientConfig::new();
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("queued.max.messages.kbytes", queue_kib)
        .set("queued.min.messages", "50000")
        .set("fetch.queue.backoff.ms", FULL_QUEUE_PAUSE_MS)
        .set("fetch.max.bytes", &fetch_bytes)
        .set("max.partition.fetch.bytes", (1_u64 << 20).to_string());
    apply(&mut config, &options.brokers, &options.properties);
    config
        .set("group.id", &options.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", if options.skip_deleted { "earliest" } else { "error" })
        .set("isolation.level", "read_committed")
        .set("statistics.interval.ms", STATISTICS_MS);
    Ok(config)
}

/// Sets brokers and the user's own properties.
pub(super) fn apply(config: &mut ClientConfig, brokers: &str, properties: &Properties) {
    config.set("client.id", "tideline").set_log_level(RDKafkaLogLevel::Info);
    for (name, value) in &properties.0 {
        config.set(name, value);
    }
    config.set("bootstrap.servers", brokers);
}

/// Says what is wrong with the properties, without the value of any: it may be a secret.
pub(super) fn refused(error: KafkaError) -> EngineError {
    match error {
        KafkaError::ClientConfig(_, problem, name, value) => {
            let problem = if value.is_empty() { problem } else { problem.replace(&value, "…") };
            EngineError::Input(format!("kafka.properties: {name}: {problem}{}", remedy(&problem)))
        }
        KafkaError::ClientCreation(problem) => {
            EngineError::Input(format!("kafka.properties: {problem}{}", remedy(&problem)))
        }
        other => EngineError::Kafka { doing: "making a client".to_owned(), source: Box::new(other) },
    }
}

/// What helps where librdkafka lacks a part that it can be built with.
fn remedy(problem: &str) -> &'static str {
    if !cfg!(feature = "tls") && problem.contains("build") {
        "; this program was built without TLS, SCRAM and OIDC: build it with `cargo build --release --features tls`"
    } else {
        ""
    }
}

/// Whether the broker won't have us, which will not pass by itself.
pub(crate) fn is_refusal(error: &KafkaError) -> bool {
    error.rdkafka_error_code().is_some_and(|code| {
        matches!(
            code,
            Code::Authentication
                | Code::SaslAuthenticationFailed
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
                | Code::UnsupportedSASLMechanism
                | Code::UnsupportedCompressionType
                | Code::SSL
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::InvalidTopic
        )
    })
}

/// What a client complained of last.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Complaints>);

#[derive(Debug, Default)]
struct Complaints {
    /// Of all, the newest; one that is a refusal stays.
    last: Option<(KafkaError, String)>,
    /// Since when no broker was reachable.
    down: Option<Instant>,
}

impl Watch {
    /// Notes a complaint; told once where it is about brokers that are gone.
    pub(super) fn note(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
        let mut complaints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if error.rdkafka_error_code() == Some(Code::AllBrokersDown) && complaints.down.is_none() {
            tracing::warn!(reason, "no broker is reachable");
            complaints.down = Some(Instant::now());
        }
        let stays = complaints.last.as_ref().is_some_and(|(known, _)| is_refusal(known));
        let vague = error.rdkafka_error_code() == Some(Code::AllBrokersDown) && complaints.last.is_some();
        if !stays && !vague {
            complaints.last = Some((error, reason.to_owned()));
        }
    }

    /// Notes that a broker answers.
    pub(super) fn up(&self) {
        let mut complaints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if complaints.down.take().is_some() {
            tracing::info!("a broker is reachable again");
            complaints.last = None;
        }
    }

    /// Since when no broker is reachable.
    pub(super) fn down(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).down
    }

    /// `error` with what the client said last, which mostly says more.
    pub(super) fn explain(&self, doing: String, error: KafkaError) -> EngineError {
        let complaints = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &complaints.last {
            Some((known, reason)) => {
                EngineError::Kafka { doing: format!("{doing} ({reason})"), source: Box::new(known.clone()) }
            }
            None => EngineError::Kafka { doing, source: Box::new(error) },
        }
    }
}

impl ClientContext for Watch {
    fn log(&self, level: RDKafkaLogLevel, area: &str, message: &str) {
        tracing::debug!(?level, area, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.note(error, reason);
    }
}

impl ConsumerContext for Watch {}
