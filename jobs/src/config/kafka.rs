//! The section `kafka`: topics, commits, and how to reach the brokers.

use std::collections::BTreeMap;

use engine::EngineError;
use engine::contract::Stream;
use engine::kafka::{Properties, RegistryOptions};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{input, nearest};

/// Taking streams in from Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// The consumer group.
    pub group: String,
    /// Stream → topic; empty for `tideline.STREAM` of every stream that has one.
    pub topics: BTreeMap<String, String>,
    /// Messages of one commit, about.
    pub commit_rows: u64,
    /// Seconds that a message waits for its commit, at most.
    pub commit_seconds: f64,
    /// Memory for messages on their way, in MiB; a commit holds at most about a sixth of it.
    pub memory_mib: u64,
    /// Seconds that the broker may take to answer at the start.
    pub connect_seconds: u64,
    /// Seconds that no broker may be reachable before the command gives up; 0 for ever.
    pub give_up_seconds: u64,
    /// Share of a commit's records that may be refused before the command stops, with nothing of it committed.
    pub rejected_share_stop: f64,
    /// Whether messages that the broker deleted before they were taken in are passed over, rather than an error.
    pub skip_deleted: bool,
    /// The schema registry that messages' frames refer to.
    pub registry: Registry,
    /// Properties of librdkafka that are no secrets.
    pub properties: Table,
    /// Property → where its value is: `env:NAME` or `file:PATH`.
    pub secrets: BTreeMap<String, String>,
}

/// A schema registry of Confluent's kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// Its address, e.g. `http://localhost:8081`; empty where there is none.
    pub url: String,
    /// The user it wants; empty for none.
    pub user: String,
    /// Where the user's password is: `env:NAME` or `file:PATH`.
    pub password: String,
}

impl Registry {
    /// How to reach it; none where it isn't configured.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a login without an address, or a password that isn't where it is said to be.
    pub(crate) fn options(&self) -> Result<Option<RegistryOptions>, EngineError> {
        let (url, user) = (self.url.trim(), self.user.trim());
        match (url, user, self.password.as_str()) {
            ("", "", "") => Ok(None),
            ("", ..) => Err(input("kafka.registry: a user or password, but no url".to_owned())),
            (_, "", "") => Ok(Some(RegistryOptions { url: url.to_owned(), login: None })),
            (_, "", _) => Err(input("kafka.registry: a password, but no user".to_owned())),
            (_, _, place) => {
                let password = secret("kafka.registry: password", place)?;
                Ok(Some(RegistryOptions { url: url.to_owned(), login: Some((user.to_owned(), password)) }))
            }
        }
    }
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            group: "tideline".to_owned(),
            topics: BTreeMap::new(),
            commit_rows: 1_000_000,
            commit_seconds: 5.0,
            memory_mib: 512,
            connect_seconds: 10,
            give_up_seconds: 300,
            rejected_share_stop: 1.0,
            skip_deleted: false,
            registry: Registry::default(),
            properties: Table::new(),
            secrets: BTreeMap::new(),
        }
    }
}

impl Kafka {
    /// The topic of each stream, and whether they must exist: those of the command line, else those configured, else
    /// the default ones.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a stream that there isn't, or a topic of two streams.
    pub(crate) fn topics(&self, given: &[String]) -> Result<(Vec<(Stream, String)>, bool), EngineError> {
        let mut topics = Vec::new();
        for pair in given {
            let Some((name, topic)) = pair.split_once('=').filter(|(_, topic)| !topic.trim().is_empty())
            else {
                return Err(input(format!("--topic {pair}: write STREAM=TOPIC, e.g. behaviour=crm-events")));
            };
            topics.push((stream(name.trim())?, topic.trim().to_owned()));
        }
        if given.is_empty() {
            for (name, topic) in &self.topics {
                topics.push((stream(name)?, topic.clone()));
            }
        }
        let named = !topics.is_empty();
        if !named {
            topics = Stream::ALL.into_iter().map(|stream| (stream, default_topic(stream))).collect();
        }
        let mut seen = BTreeMap::new();
        for (stream, topic) in &topics {
            if let Some(other) = seen.insert(topic.as_str(), *stream) {
                let (a, b) = (other.name(), stream.name());
                return Err(input(format!("topic {topic} is named twice, for {a} and for {b}")));
            }
        }
        Ok((topics, named))
    }

    /// All properties, the secret ones read from where they are.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a secret that stands in the file itself, or isn't where it is said to be.
    pub(crate) fn properties(&self) -> Result<Properties, EngineError> {
        let mut properties = BTreeMap::new();
        flatten("", &self.properties, &mut properties)?;
        if let Some(name) = properties.keys().find(|name| is_secret(name)) {
            return Err(input(format!(
                "kafka.properties: {name} is a secret; say where it is instead, in [kafka.secrets]: \"{name}\" = \
                 \"env:NAME\" or \"file:PATH\""
            )));
        }
        for (name, place) in &self.secrets {
            properties.insert(name.clone(), secret(&format!("kafka.secrets: {name}"), place)?);
        }
        Ok(Properties(properties))
    }
}

/// The topic of a stream where none is named.
pub(crate) fn default_topic(stream: Stream) -> String {
    format!("tideline.{}", stream.name())
}

/// The stream of that name; the names of the tables are as good.
pub(crate) fn stream(name: &str) -> Result<Stream, EngineError> {
    let known = Stream::ALL.into_iter().find(|stream| stream.name() == name || stream.table() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = Stream::ALL.into_iter().map(Stream::name).collect();
        let hint = nearest(name, names.iter().copied())
            .map_or_else(String::new, |near| format!(", did you mean {near}?"));
        input(format!("there is no stream '{name}'{hint} (the streams are {})", names.join(", ")))
    })
}

/// Names with dots come as tables within tables where they aren't quoted.
fn flatten(prefix: &str, table: &Table, to: &mut BTreeMap<String, String>) -> Result<(), EngineError> {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        let text = match value {
            Value::Table(inner) => {
                flatten(&name, inner, to)?;
                continue;
            }
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Boolean(flag) => flag.to_string(),
            _ => return Err(input(format!("kafka.properties: {name} must be a string, a number or a flag"))),
        };
        to.insert(name, text);
    }
    Ok(())
}

fn is_secret(name: &str) -> bool {
    ["password", "secret", "ssl.key.pem", "sasl.oauthbearer.config", "sasl.jaas.config"]
        .iter()
        .any(|mark| name.contains(mark))
}

/// The secret that is at a place, without the end of its line.
///
/// # Errors
/// [`EngineError::Input`] where it isn't there, or where the place may be the secret itself.
#[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
pub(crate) fn secret(name: &str, place: &str) -> Result<String, EngineError> {
    let wrong = |problem: String| input(format!("{name}: {problem}"));
    match place.split_once(':') {
        Some(("env", variable)) => std::env::var(variable)
            .map_err(|_| wrong(format!("the environment has no variable {variable} of plain text"))),
        Some(("file", path)) => std::fs::read_to_string(path)
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| wrong(format!("{path} can't be read: {error}"))),
        // What stands there may be the secret itself.
        _ => Err(wrong("write where it is, as \"env:NAME\" or \"file:PATH\"".to_owned())),
    }
}
