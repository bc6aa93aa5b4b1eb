//! A schema registry of Confluent's kind: what the numbers in messages' frames stand for.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::ACCEPT;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;

use super::options::KafkaOptions;
use crate::error::{EngineError, Result};
use crate::ingest::avro::{Schema, Schemas, Writer};
use crate::ingest::reason;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait before the registry is asked again, at first and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// How often a wait looks whether the command was told to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Where a schema registry is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RegistryOptions {
    /// Its base address: `http://host:port`, with a path where it has one.
    pub url: String,
    /// The user and password it wants, where it wants any.
    pub login: Option<(String, String)>,
}

impl std::fmt::Debug for RegistryOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegistryOptions").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A registry, and what it has said so far.
#[derive(Debug)]
pub(super) struct Registry {
    client: Client,
    base: Url,
    login: Option<(String, String)>,
    give_up_after: Duration,
    stop: Arc<AtomicBool>,
    known: Schemas,
}

/// A registry's answer about a schema.
#[derive(Debug, Deserialize)]
struct Answer {
    schema: String,
    #[serde(rename = "schemaType")]
    schema_type: Option<String>,
}

/// A registry's refusal.
#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(rename = "error_code")]
    _code: u32,
    message: String,
}

/// Why a question has no answer.
enum Silence {
    /// Asking again may help.
    Passing(String),
    /// The configuration is wrong.
    Lasting(String),
}

impl Registry {
    /// The registry of those options, where they name one.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that is none.
    pub(super) fn of(options: &KafkaOptions) -> Result<Option<Self>> {
        let made = |registry| Self::new(registry, options.give_up_after, Arc::clone(&options.stop));
        options.registry.as_ref().map(made).transpose()
    }

    /// A registry nobody has asked yet; it is given up `give_up_after` it fell silent (zero for never), or where
    /// `stop` is set meanwhile.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that is none.
    fn new(options: &RegistryOptions, give_up_after: Duration, stop: Arc<AtomicBool>) -> Result<Self> {
        let wrong =
            |problem: String| EngineError::Input(format!("kafka.registry.url {}: {problem}", options.url));
        // A base without a slash at its end would lose the last part of its path.
        let base = Url::parse(&format!("{}/", options.url.trim_end_matches('/')))
            .map_err(|error| wrong(format!("{error}; write e.g. http://localhost:8081")))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("write an address that begins with http:// or https://".to_owned()));
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .build()
            .map_err(|error| wrong(format!("no client can be made: {error}")))?;
        let login = options.login.clone();
        Ok(Self { client, base, login, give_up_after, stop, known: Schemas::default() })
    }

    /// Asks once whether the registry is there and lets us in.
    ///
    /// # Errors
    /// [`EngineError::Registry`] where nobody answers; [`EngineError::Input`] where it refuses us.
    pub(super) async fn check(&self) -> Result<()> {
        match self.ask("schemas/types").await {
            // A registry that doesn't know the question has answered it.
            Ok(_) => Ok(()),
            Err(Silence::Lasting(problem)) => Err(self.refused(&problem)),
            Err(Silence::Passing(problem)) => Err(self.silent(problem)),
        }
    }

    /// What the registry says of these schemas. One that it doesn't have is asked for again next time.
    ///
    /// # Errors
    /// As [`Registry::check`], after it has been asked again and again.
    pub(super) async fn learn(&mut self, ids: BTreeSet<u32>) -> Result<Schemas> {
        let mut learnt = self.known.clone();
        for id in ids {
            if learnt.0.contains_key(&id) {
                continue;
            }
            let schema = self.schema(id).await?;
            let is_known = !matches!(schema, Schema::Unusable(reason::UNKNOWN_SCHEMA));
            if is_known {
                self.known.0.insert(id, schema.clone());
            }
            learnt.0.insert(id, schema);
        }
        Ok(learnt)
    }

    async fn schema(&self, id: u32) -> Result<Schema> {
        let asked = Instant::now();
        let mut wait = WAIT.0;
        loop {
            // References to other schemas are resolved by registries that can.
            let problem = match self.ask(&format!("schemas/ids/{id}?format=resolved")).await {
                Ok(Some(answer)) => return Ok(read(id, &answer)),
                Ok(None) => return Ok(Schema::Unusable(reason::UNKNOWN_SCHEMA)),
                Err(Silence::Lasting(problem)) => return Err(self.refused(&problem)),
                Err(Silence::Passing(problem)) => problem,
            };
            let patience = self.give_up_after;
            if self.stop.load(Ordering::Relaxed) || (!patience.is_zero() && asked.elapsed() >= patience) {
                return Err(self.silent(problem));
            }
            tracing::warn!(registry = %self.base, problem, "the schema registry doesn't answer; messages wait for it");
            let until = Instant::now() + wait;
            while Instant::now() < until && !self.stop.load(Ordering::Relaxed) {
                tokio::time::sleep(LOOK).await;
            }
            wait = (wait * 2).min(WAIT.1);
        }
    }

    /// The answer to a question; none where there is nothing of that name.
    async fn ask(&self, path: &str) -> std::result::Result<Option<Vec<u8>>, Silence> {
        let url = self.base.join(path).map_err(|error| Silence::Lasting(error.to_string()))?;
        let mut request = self.client.get(url).header(ACCEPT, "application/vnd.schemaregistry.v1+json");
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password));
        }
        let passing = |error: reqwest::Error| Silence::Passing(chain(&error.without_url()));
        let no_registry = || "there is no schema registry at this address".to_owned();
        let response = request.send().await.map_err(passing)?;
        let status = response.status();
        let body = response.bytes().await.map_err(passing)?;
        if status.is_success() {
            let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok();
            return if is_json { Ok(Some(body.to_vec())) } else { Err(Silence::Lasting(no_registry())) };
        }
        let refusal = serde_json::from_slice::<Refusal>(&body).ok();
        match (status, refusal) {
            (StatusCode::NOT_FOUND, Some(_)) => Ok(None),
            (StatusCode::NOT_FOUND, None) => Err(Silence::Lasting(no_registry())),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Err(Silence::Lasting(format!(
                "{status}; set kafka.registry.user and kafka.registry.password"
            ))),
            (_, Some(Refusal { message, .. })) => Err(Silence::Passing(format!("{status}: {message}"))),
            (_, None) => Err(Silence::Passing(status.to_string())),
        }
    }

    fn refused(&self, problem: &str) -> EngineError {
        EngineError::Input(format!("the schema registry at {} refuses us: {problem}", self.base))
    }

    fn silent(&self, problem: String) -> EngineError {
        EngineError::Registry { url: self.base.to_string(), problem }
    }
}

fn read(id: u32, answer: &[u8]) -> Schema {
    let Ok(answer) = serde_json::from_slice::<Answer>(answer) else {
        return Schema::Unusable(reason::UNUSABLE_SCHEMA);
    };
    match answer.schema_type.as_deref().unwrap_or("AVRO") {
        "AVRO" => match Writer::new(id, &answer.schema) {
            Ok(writer) => Schema::Avro(Arc::new(writer)),
            Err(error) => {
                tracing::warn!(id, %error, "a schema of the registry can't be read");
                Schema::Unusable(reason::UNUSABLE_SCHEMA)
            }
        },
        "JSON" => Schema::Json,
        _ => Schema::Unusable(reason::UNUSABLE_SCHEMA),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
