//! One request to a subscriber: what stands in it, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use engine::EngineError;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Response, StatusCode, redirect};

use super::super::changes::Change;
use super::super::cursor::Cursor;
use super::super::day::instant;
use super::Subscriber;
use crate::config::Webhook;
use crate::context::now;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// Changes of one publication that go together.
///
/// The id is a hash of the content, and a publication is always cut at the same places, so a request that is repeated,
/// by whichever server, has the id that it had.
#[derive(Debug)]
pub(super) struct Parcel {
    id: String,
    body: Vec<u8>,
    /// How many changes are in it.
    pub(super) changes: usize,
    /// When they were published.
    pub(super) published: i64,
    /// Everything up to here is known once it has been taken.
    pub(super) until: Cursor,
}

/// What came of a request that wasn't taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Trying again may help; not before so long, where the subscriber said so.
    Later(String, Option<Duration>),
    /// The subscriber wants no more.
    Gone,
}

impl Parcel {
    /// The changes that a page begins with, as far as they are of one publication; none for an empty page.
    pub(super) fn first(name: &str, changes: &[(Arc<Vec<Change>>, usize)], next: &Cursor) -> Option<Self> {
        let (list, at) = changes.first()?;
        let first = &list[*at].cursor;
        let same = |change: &&Change| change.cursor.publication() == first.publication();
        let own: Vec<&Change> = changes.iter().map(|(list, at)| &list[*at]).take_while(same).collect();
        let until = if own.len() == changes.len() { next } else { &own.last()?.cursor };
        let list: Vec<&str> = own.iter().map(|change| change.json.as_str()).collect();
        let body = format!(
            r#"{{"type":"tideline.changes","timestamp":"{}","data":{{"changes":[{}]}}}}"#,
            instant(first.finished_at),
            list.join(",")
        );
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_bytes()).update(b"\0").update(body.as_bytes());
        let id = format!("msg_{}", &hasher.finalize().to_hex()[..32]);
        Some(Self {
            id,
            body: body.into_bytes(),
            changes: own.len(),
            published: first.finished_at,
            until: until.clone(),
        })
    }
}

/// A client that keeps to the subscriber's time, and goes nowhere else.
///
/// # Errors
/// [`EngineError::Input`] for certificates that can't be used.
pub(super) fn client(settings: &Webhook) -> anyhow::Result<Client> {
    let timeout = Duration::from_secs_f64(settings.timeout_seconds);
    let mut builder = Client::builder();
    if !settings.ca.as_os_str().is_empty() {
        let wrong = |why: String| {
            let (name, file) = (&settings.name, settings.ca.display());
            EngineError::Input(format!("serve.webhook {name}: ca: {file}: {why}"))
        };
        let text = std::fs::read(&settings.ca).map_err(|error| wrong(error.to_string()))?;
        let found = Certificate::from_pem_bundle(&text).map_err(|error| wrong(error.to_string()))?;
        if found.is_empty() {
            return Err(wrong("it holds no certificate as PEM".to_owned()).into());
        }
        builder = found.into_iter().fold(builder, ClientBuilder::add_root_certificate);
    }
    let client = builder
        .timeout(timeout)
        .connect_timeout(timeout)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("tideline/", env!("CARGO_PKG_VERSION")))
        .build()?;
    Ok(client)
}

impl Subscriber {
    /// Posts a parcel; a status of 200 to 299 takes it.
    pub(super) async fn post(&self, parcel: &Parcel) -> Result<(), Refusal> {
        let seconds = now().div_euclid(MICROS_PER_SECOND);
        let request = self
            .client
            .post(&self.settings.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &parcel.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.signer.sign(&parcel.id, seconds, &parcel.body))
            .body(parcel.body.clone());
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) if answer.status() == StatusCode::GONE => Err(Refusal::Gone),
            Ok(answer) => Err(Refusal::Later(format!("it answered {}", answer.status()), wait(&answer))),
            // The address may hold a token: it is not for the log.
            Err(error) => Err(Refusal::Later(chain(&error.without_url()), None)),
        }
    }
}

/// How long the subscriber wants to be left alone.
fn wait(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}
