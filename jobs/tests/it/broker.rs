//! A real broker for tests: Apache Kafka, one node, fetched with Maven once and kept in a cache.
//!
//! It is started by the first test that asks, on a free port of the loopback address, and ends with the tests' process,
//! however that ends: a shell holds it for as long as the pipe to its standard input is open.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

/// The version that `broker/pom.xml` names.
const VERSION: &str = "3.9.1";
/// How long the broker may take to start: machines that build are busy.
const START: Duration = Duration::from_mins(3);

/// A running broker.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) address: String,
    /// The file that its process id is in.
    pid: Option<PathBuf>,
    /// None where the environment names a broker.
    _shell: Option<Child>,
}

/// The broker of this process; started by whoever asks first.
pub(crate) fn broker() -> &'static Broker {
    static BROKER: OnceLock<Broker> = OnceLock::new();
    BROKER.get_or_init(|| match std::env::var_os("TIDELINE_TEST_KAFKA") {
        Some(address) => Broker { address: address.into_string().unwrap(), pid: None, _shell: None },
        None => Broker::start("shared"),
    })
}

/// A broker that nobody else uses, to be held still; none, and said so, where the environment names one.
pub(crate) fn own_broker(name: &str) -> Option<Broker> {
    if std::env::var_os("TIDELINE_TEST_KAFKA").is_some() {
        println!("left out: {name} holds a broker of its own still, and TIDELINE_TEST_KAFKA names another's");
        return None;
    }
    Some(Broker::start(name))
}

impl Broker {
    fn start(name: &str) -> Self {
        let jars = jars();
        let dir = std::env::temp_dir().join(format!("tideline-broker-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        // Held both at once, so that they differ.
        let ports = [0; 2].map(|any| TcpListener::bind(("127.0.0.1", any)).unwrap());
        let [port, controller] = ports.map(|listener| listener.local_addr().unwrap().port().to_string());
        let properties = include_str!("broker/server.properties")
            .replace("BROKER_PORT", &port)
            .replace("CONTROLLER_PORT", &controller)
            .replace("LOG_DIR", dir.join("log").to_str().unwrap());
        std::fs::write(dir.join("server.properties"), properties).unwrap();
        let mut shell = Command::new("sh")
            .args(["-c", include_str!("broker/run.sh"), "broker"])
            .args([&dir, &jars])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let address = format!("127.0.0.1:{port}");
        let log = dir.join("broker.log");
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", &address).set("log_level", "0").create().unwrap();
        let started = Instant::now();
        while client.fetch_metadata(None, Duration::from_millis(500)).is_err() {
            let ended = shell.try_wait().unwrap();
            let text = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(ended.is_none(), "the broker ended: {ended:?}\n{}", text());
            assert!(started.elapsed() < START, "the broker does not answer\n{}", text());
        }
        Self { address, pid: Some(dir.join("pid")), _shell: Some(shell) }
    }

    /// Holds the broker's process still: it neither answers nor closes a connection.
    pub(crate) fn hold(&self, still: bool) {
        let pid = std::fs::read_to_string(self.pid.as_ref().unwrap()).unwrap();
        let signal = if still { "-STOP" } else { "-CONT" };
        assert!(Command::new("kill").args([signal, pid.trim()]).status().unwrap().success());
    }

    /// Makes a topic and returns its name, which no other test has.
    pub(crate) fn topic(&self, name: &str, partitions: i32) -> String {
        static TOPICS: AtomicU32 = AtomicU32::new(0);
        let number = TOPICS.fetch_add(1, Ordering::Relaxed);
        let name = format!("{name}-{}-{number}", std::process::id());
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        let made = admin.create_topics([&topic], &AdminOptions::new());
        let made = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(made);
        made.unwrap().into_iter().for_each(|topic| drop(topic.unwrap()));
        name
    }

    /// What a compacted topic shows: of every key the value that came last.
    pub(crate) fn shown(&self, topic: &str) -> BTreeMap<String, String> {
        let consumer: BaseConsumer = self.config().set("group.id", "shown").create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
        let mut list = TopicPartitionList::new();
        let mut left = 0;
        for partition in metadata.topics()[0].partitions() {
            let (first, end) = ends(&consumer, topic, partition.id());
            left += end - first;
            list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut shown = BTreeMap::new();
        while left > 0 {
            let Some(message) = consumer.poll(Duration::from_secs(5)) else { break };
            let message = message.unwrap();
            let key = String::from_utf8(message.key().unwrap().to_vec()).unwrap();
            match message.payload() {
                Some(value) => shown.insert(key, String::from_utf8(value.to_vec()).unwrap()),
                None => shown.remove(&key),
            };
            left -= 1;
        }
        shown
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.address);
        config
    }

    /// Sends messages, each to its partition; none is a tombstone.
    pub(crate) fn send<'m>(&self, topic: &str, messages: impl IntoIterator<Item = (i32, Option<&'m [u8]>)>) {
        let producer: BaseProducer = self.config().create().unwrap();
        for (partition, value) in messages {
            send(&producer, topic, partition, value);
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// Sends messages compressed by that codec.
    pub(crate) fn send_compressed(&self, codec: &str, topic: &str, messages: &[String]) {
        let producer: BaseProducer =
            self.config().set("compression.type", codec).set("linger.ms", "200").create().unwrap();
        for message in messages {
            send(&producer, topic, 0, Some(message.as_bytes()));
        }
        producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// Sends messages in one transaction, which is given up in the end unless `kept`.
    pub(crate) fn send_at_once(&self, topic: &str, messages: &[String], kept: bool) {
        let producer: BaseProducer =
            self.config().set("transactional.id", format!("{topic}-{kept}")).create().unwrap();
        let patience = Duration::from_mins(1);
        producer.init_transactions(patience).unwrap();
        producer.begin_transaction().unwrap();
        for message in messages {
            send(&producer, topic, 0, Some(message.as_bytes()));
        }
        if kept {
            producer.commit_transaction(patience).unwrap();
        } else {
            producer.flush(patience).unwrap();
            producer.abort_transaction(patience).unwrap();
        }
    }
}

fn send(producer: &BaseProducer, topic: &str, partition: i32, value: Option<&[u8]>) {
    let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(partition).key(b"key");
    if let Some(value) = value {
        record = record.payload(value);
    }
    producer.send(record).map_err(|(error, _)| error).unwrap();
}

/// The folder of the broker's jars, fetched where they aren't there.
fn jars() -> PathBuf {
    let home = std::env::var_os("HOME").unwrap();
    let cache = Path::new(&home).join(".cache/tideline/kafka");
    let jars = cache.join(VERSION);
    if jars.exists() {
        return jars;
    }
    let fetching = cache.join(format!("{VERSION}.{}", std::process::id()));
    std::fs::create_dir_all(&fetching).unwrap();
    let pom = fetching.join("pom.xml");
    std::fs::write(&pom, include_str!("broker/pom.xml")).unwrap();
    let fetched = Command::new("mvn")
        .args(["-B", "-q", "dependency:copy-dependencies", "-f"])
        .arg(&pom)
        .arg(format!("-DoutputDirectory={}", fetching.display()))
        .output()
        .expect("these tests run against a real broker: install Java and Maven (mvn), or name one in TIDELINE_TEST_KAFKA");
    assert!(fetched.status.success(), "fetching the broker: {}", String::from_utf8_lossy(&fetched.stdout));
    // Another process may have been faster.
    if std::fs::rename(&fetching, &jars).is_err() {
        assert!(jars.exists());
        std::fs::remove_dir_all(&fetching).unwrap();
    }
    jars
}

/// The first and the next offset of a partition; a new one may have no leader yet.
fn ends(consumer: &BaseConsumer, topic: &str, partition: i32) -> (i64, i64) {
    for _ in 0..50 {
        if let Ok(ends) = consumer.fetch_watermarks(topic, partition, Duration::from_secs(10)) {
            return ends;
        }
        drop(consumer.poll(Duration::from_millis(200)));
    }
    consumer.fetch_watermarks(topic, partition, Duration::from_secs(10)).unwrap()
}
