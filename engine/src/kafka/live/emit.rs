//! Quotas and alerts onto their topics; what was sent before and hasn't changed is not sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::admin::{NewTopic, TopicReplication};
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use tokio::runtime::Handle;

use super::super::client;
use super::super::produce::{Deliveries, make_topics};
use super::LiveOptions;
use super::message::{self, Standing, alert_key, quota_key};
use super::status::LiveStatus;
use crate::error::{EngineError, Result};
use crate::live::{AlertChange, Live, LiveAlert, LiveQuota};

/// Partitions of a topic that is made.
const KAFKA_PARTITIONS: i32 = 3;
/// How long the last messages may take to arrive.
const FLUSH: Duration = Duration::from_secs(30);

/// Sends quotas and alerts.
pub(super) struct Emitter {
    producer: BaseProducer<Deliveries>,
    quota_topic: String,
    alert_topic: String,
    /// What the topic shows, by key.
    quotas: BTreeMap<String, LiveQuota>,
    /// As they were sent.
    alerts: BTreeMap<String, LiveAlert>,
}

/// Whether an alert wasn't told before, or wasn't as urgent.
fn is_news(told: Option<&LiveAlert>, now: &LiveAlert) -> bool {
    told.is_none_or(|told| now.urgency() > told.urgency())
}

impl Emitter {
    /// Connects, and makes the topics, compacted, where they are missing.
    pub(super) fn connect(options: &LiveOptions, runtime: &Handle) -> Result<Self> {
        let kafka = &options.kafka;
        let mut config = ClientConfig::new();
        config.set("enable.idempotence", "true").set("linger.ms", "1").set("compression.type", "lz4");
        config.set("socket.nagle.disable", "true");
        client::apply(&mut config, &kafka.brokers, &kafka.properties);
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::default()).map_err(client::refused)?;
        let names = [&options.quota_topic, &options.alert_topic];
        let known = producer.client().fetch_metadata(None, kafka.connect).map_err(|error| {
            producer.poll(Duration::from_millis(100));
            producer.context().watch.explain(format!("asking {} for its topics", kafka.brokers), error)
        })?;
        let is_there = |name: &str| known.topics().iter().any(|topic| topic.name() == name);
        let missing: Vec<NewTopic<'_>> = names
            .into_iter()
            .filter(|name| !is_there(name))
            .map(|name| {
                NewTopic::new(name, KAFKA_PARTITIONS, TopicReplication::Fixed(-1))
                    .set("cleanup.policy", "compact")
            })
            .collect();
        runtime.block_on(make_topics(&kafka.brokers, &kafka.properties, &missing))?;
        Ok(Self {
            producer,
            quota_topic: options.quota_topic.clone(),
            alert_topic: options.alert_topic.clone(),
            quotas: BTreeMap::new(),
            alerts: BTreeMap::new(),
        })
    }

    /// Sends what a state shows and the topics, as far as this process knows, don't; `rules` are those that raise alerts.
    pub(super) fn all(
        &mut self,
        live: &Live,
        positions: &BTreeMap<String, i64>,
        rules: &[String],
        status: &mut LiveStatus,
    ) -> Result<()> {
        let first = self.quotas.is_empty();
        let shown: Vec<LiveQuota> = (0..live.rows()).filter_map(|row| live.quota(row)).collect();
        let now: BTreeSet<String> =
            shown.iter().map(|quota| quota_key(&quota.rep_id, &quota.period)).collect();
        let period = shown.first().map(|quota| quota.period.clone());
        // Who is on duty no more has no quota; periods that are over keep theirs.
        let gone =
            |(key, old): &(&String, &LiveQuota)| Some(&old.period) == period.as_ref() && !now.contains(*key);
        let gone: Vec<String> = self.quotas.iter().filter(gone).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.quotas.remove(&key);
            self.send(&self.quota_topic, &key, None)?;
        }
        self.quotas(live, &(0..live.rows()).collect(), positions, status)?;
        let standing: BTreeMap<String, LiveAlert> =
            live.alerts().map(|alert| (alert_key(&alert.rule, &alert.rep_id), alert.clone())).collect();
        let mut cleared: Vec<String> =
            self.alerts.keys().filter(|key| !standing.contains_key(*key)).cloned().collect();
        if first {
            // What an earlier process raised may stand no more.
            let keys = shown.iter().flat_map(|quota| rules.iter().map(|rule| alert_key(rule, &quota.rep_id)));
            cleared.extend(keys.filter(|key| !standing.contains_key(key)));
        }
        for key in cleared {
            self.alerts.remove(&key);
            self.send(&self.alert_topic, &key, None)?;
        }
        let raised: Vec<AlertChange> = standing.into_values().map(AlertChange::Raised).collect();
        self.alerts(live, &raised, positions, status)
    }

    /// Sends the quotas of some rows, where they are not what was sent last; returns these rows.
    pub(super) fn quotas(
        &mut self,
        live: &Live,
        rows: &BTreeSet<usize>,
        positions: &BTreeMap<String, i64>,
        status: &mut LiveStatus,
    ) -> Result<Vec<usize>> {
        let mut sent = Vec::new();
        let standing = Standing::new(live, positions, (status.loaded_at, status.outdated_since));
        for (row, quota) in rows.iter().filter_map(|row| Some((*row, live.quota(*row)?))) {
            let key = quota_key(&quota.rep_id, &quota.period);
            if self.quotas.get(&key) == Some(&quota) {
                continue;
            }
            self.send(&self.quota_topic, &key, Some(&message::quota(&quota, &standing).map_err(wrong)?))?;
            self.quotas.insert(key, quota);
            status.quotas += 1;
            sent.push(row);
        }
        self.producer.poll(Duration::ZERO);
        Ok(sent)
    }

    /// Sends alerts that are new, worse or over. Words and evidence change with every event, which is no news.
    pub(super) fn alerts(
        &mut self,
        live: &Live,
        changes: &[AlertChange],
        positions: &BTreeMap<String, i64>,
        status: &mut LiveStatus,
    ) -> Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let standing = Standing::new(live, positions, (status.loaded_at, status.outdated_since));
        for change in changes {
            let (AlertChange::Raised(alert) | AlertChange::Cleared(alert)) = change;
            let key = alert_key(&alert.rule, &alert.rep_id);
            if let AlertChange::Raised(alert) = change {
                if !is_news(self.alerts.get(&key), alert) {
                    continue;
                }
                let text = message::alert(alert, &standing).map_err(wrong)?;
                self.send(&self.alert_topic, &key, Some(&text))?;
                self.alerts.insert(key, alert.clone());
            } else {
                self.send(&self.alert_topic, &key, None)?;
                self.alerts.remove(&key);
            }
            status.alerts += 1;
        }
        Ok(())
    }

    /// Sends a message; one without a value says that what its key meant is over.
    fn send(&self, topic: &str, key: &str, value: Option<&str>) -> Result<()> {
        let mut record: BaseRecord<'_, str, str> = BaseRecord::to(topic).key(key);
        if let Some(value) = value {
            record = record.payload(value);
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
        self.check()
    }

    /// Fails where a message did not arrive: a quota would stay as it was.
    fn check(&self) -> Result<()> {
        if self.producer.context().lost.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let error = KafkaError::MessageProduction(Code::MessageTimedOut);
        Err(self.producer.context().watch.explain("sending quotas and alerts".to_owned(), error))
    }

    /// Waits until all has arrived.
    pub(super) fn finish(self) -> Result<()> {
        let explain = |error| {
            self.producer.context().watch.explain("sending the last quotas and alerts".to_owned(), error)
        };
        self.producer.flush(FLUSH).map_err(explain)?;
        self.check()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` hands it over")]
fn wrong(error: serde_json::Error) -> EngineError {
    EngineError::Lake(format!("a message can't be written: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_words_are_no_news_and_a_worse_alert_is() {
        let alert = |severity, evidence: &str| LiveAlert {
            rule: "busy".to_owned(),
            severity,
            rep_id: "r1".to_owned(),
            message: "busy".to_owned(),
            evidence: evidence.to_owned(),
        };
        let told = alert("medium", "at 10");
        assert!(is_news(None, &told));
        assert!(!is_news(Some(&told), &alert("medium", "at 11")));
        assert!(!is_news(Some(&told), &alert("low", "at 11")));
        assert!(is_news(Some(&told), &alert("high", "at 10")));
    }
}
