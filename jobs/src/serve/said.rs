//! What a request says in its body: one JSON object, field by field; a field that is wrong is named.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use chrono::NaiveDate;
use serde_json::{Map, Value};

use super::App;
use super::problem::Problem;
use crate::config::nearest;

/// Characters of an idempotency key, at most.
const IDEMPOTENCY_MAX: usize = 255;
/// Bytes of a text, at most.
const TEXT_BYTES_MAX: usize = 4_096;

/// The bytes of a body, and what they are said to be.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(super) bytes: Bytes,
    pub(super) media: String,
}

impl FromRequest<App> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let media = media(request.headers());
        let most = app.limits.body_bytes_max;
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        let bytes = axum::body::to_bytes(request.into_body(), limit).await.map_err(|error| {
            // A body in chunks doesn't say how long it will be.
            let too_long =
                std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
                    .any(|error| error.to_string().contains("length limit"));
            if too_long {
                Problem::too_large(format!("the body has more than {most} bytes"))
            } else {
                Problem::body(format!("the body can't be read: {error}"))
            }
        })?;
        Ok(Self { bytes, media })
    }
}

/// The media type without its parameters.
fn media(headers: &HeaderMap) -> String {
    let media = headers.get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    media.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// A JSON object, and the key under which it is to be done once.
#[derive(Debug)]
pub(crate) struct Said {
    fields: Map<String, Value>,
    /// `Idempotency-Key`.
    pub(super) idempotency: Option<String>,
}

impl FromRequest<App> for Said {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let idempotency = idempotency(request.headers())?;
        let Sent { bytes, media } = Sent::from_request(request, app).await?;
        let fields = match (media.as_str(), bytes.is_empty()) {
            (_, true) => Map::new(),
            ("application/json", false) => serde_json::from_slice(&bytes)
                .map_err(|error| Problem::body(format!("the body is no JSON object: {error}")))?,
            _ => return Err(Problem::media_type("send the body as application/json")),
        };
        Ok(Self { fields, idempotency })
    }
}

fn idempotency(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let name = "idempotency-key";
    let Some(key) = headers.get(name) else { return Ok(None) };
    let key = key.to_str().map(str::trim).unwrap_or_default();
    let plain = key.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if key.is_empty() || !plain || key.len() > IDEMPOTENCY_MAX || headers.get_all(name).iter().count() > 1 {
        let what = format!("{name} must be one text of 1 to {IDEMPOTENCY_MAX} plain characters");
        return Err(Problem::parameter(name, what));
    }
    Ok(Some(key.to_owned()))
}

impl Said {
    /// Refuses fields of other names.
    pub(super) fn only(&self, names: &[&'static str]) -> Result<(), Problem> {
        let Some(wrong) = self.fields.keys().find(|key| !names.contains(&key.as_str())) else {
            return Ok(());
        };
        let right = match nearest(wrong, names.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("the fields here are {}", names.join(", ")),
        };
        Err(Problem::parameter(wrong, format!("there is no field {wrong}; {right}")))
    }

    /// A text that says something.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let wrong = |what: &str| Problem::parameter(name, format!("{name} {what}"));
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > TEXT_BYTES_MAX => {
                Err(wrong(&format!("has {} bytes, at most {TEXT_BYTES_MAX} are kept", text.len())))
            }
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Some(Value::String(_)) => Err(wrong("is empty; leave it out, or let it say something")),
            Some(_) => Err(wrong("must be a text")),
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, name: &'static str) -> Result<String, Problem> {
        let missing = || Problem::parameter(name, format!("{name} is missing"));
        self.text(name)?.ok_or_else(missing)
    }

    /// An amount as it was written: a number, or a text to be exact.
    pub(super) fn amount(&self, name: &'static str) -> Result<Option<String>, Problem> {
        match self.fields.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Problem::parameter(name, format!("{name} must be an amount like 120000.50"))),
        }
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<f64>, Problem> {
        let wrong = || Problem::parameter(name, format!("{name} must be a number"));
        self.fields.get(name).map(|value| value.as_f64().ok_or_else(wrong)).transpose()
    }

    /// Yes or no; no where nothing is said.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Problem> {
        let wrong = || Problem::parameter(name, format!("{name} must be true or false"));
        self.fields.get(name).map_or(Ok(false), |value| value.as_bool().ok_or_else(wrong))
    }

    pub(super) fn date(&self, name: &'static str) -> Result<Option<NaiveDate>, Problem> {
        let Some(value) = self.fields.get(name) else { return Ok(None) };
        let text = value.as_str().filter(|text| text.len() == 10);
        match text.and_then(|text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()) {
            Some(date) => Ok(Some(date)),
            None => {
                Err(Problem::parameter(name, format!("{name} must be a date like 2026-03-31, not {value}")))
            }
        }
    }
}
