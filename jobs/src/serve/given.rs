//! What a request says: parameters, the form of answer it wants, what it has already.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::NaiveDate;
use engine::time::{Day, day_number};

use super::App;
use super::keys::Principal;
use super::problem::Problem;
use crate::cli::Scope;
use crate::config::nearest;

/// The media type of an Arrow IPC stream.
pub(super) const ARROW: &str = "application/vnd.apache.arrow.stream";
/// Bytes of an id, as in the contract.
const ID_BYTES_MAX: usize = 64;

/// What a request says.
#[derive(Debug)]
pub(crate) struct Given {
    /// Who asks.
    pub(super) who: Principal,
    /// Whether rows are wanted as Arrow.
    pub(super) arrow: bool,
    /// `If-None-Match`.
    pub(super) known: Option<HeaderValue>,
    /// `Last-Event-ID`.
    pub(super) last_event: Option<String>,
    pairs: Vec<(String, String)>,
    asked: Vec<&'static str>,
}

impl FromRequestParts<App> for Given {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        let nobody = || Problem::unauthorized("the request names no key");
        let who = parts.extensions.get::<Principal>().cloned().ok_or_else(nobody)?;
        let pairs = match axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            Ok(pairs) => pairs.0,
            Err(error) => {
                return Err(Problem::parameter(
                    "query",
                    format!("the query can't be read: {}", error.body_text()),
                ));
            }
        };
        let last_event = parts.headers.get("last-event-id");
        Ok(Self {
            who,
            arrow: wants_arrow(&parts.headers),
            known: parts.headers.get(header::IF_NONE_MATCH).cloned(),
            last_event: last_event.and_then(|id| id.to_str().ok()).map(str::to_owned),
            pairs,
            asked: Vec::new(),
        })
    }
}

impl Given {
    /// Refuses who may not do this.
    pub(super) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.who.may(scope) {
            return Ok(());
        }
        Err(Problem::forbidden(format!("this needs a key with the scope {}", scope.name())))
    }

    /// A parameter's text; one that is given twice is refused.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.asked.push(name);
        let mut found = self.pairs.iter().filter(|(key, _)| key == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Problem::parameter(name, format!("{name} is given twice; give it once")));
        }
        match first {
            Some((_, text)) if text.is_empty() => {
                Err(Problem::parameter(name, format!("{name} is empty; leave it out, or give it a value")))
            }
            other => Ok(other.map(|(_, text)| text.clone())),
        }
    }

    /// A day, e.g. `2026-03-31`.
    pub(super) fn day(&mut self, name: &'static str) -> Result<Option<Day>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        match NaiveDate::parse_from_str(&text, "%Y-%m-%d") {
            Ok(day) if text.len() == 10 => Ok(Some(day_number(day))),
            _ => {
                Err(Problem::parameter(name, format!("{name} must be a date like 2026-03-31, not '{text}'")))
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.text(name)?.as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(text) => {
                Err(Problem::parameter(name, format!("{name} must be true or false, not '{text}'")))
            }
        }
    }

    /// How many rows are wanted, at most `most`; `usual` where nothing is said.
    pub(super) fn limit(&mut self, usual: usize, most: usize) -> Result<usize, Problem> {
        let Some(text) = self.text("limit")? else { return Ok(usual.min(most)) };
        let wrong = || {
            let detail = format!("limit must be a whole number from 1 to {}, not '{text}'", i32::MAX);
            Problem::parameter("limit", detail)
        };
        let limit = text.parse::<i32>().ok().filter(|limit| *limit > 0).ok_or_else(wrong)?;
        Ok(usize::try_from(limit).map_or(most, |limit| limit.min(most)))
    }

    /// Refuses what hasn't been asked for by name.
    pub(super) fn nothing_else(&self) -> Result<(), Problem> {
        let Some((wrong, _)) = self.pairs.iter().find(|(key, _)| !self.asked.contains(&key.as_str())) else {
            return Ok(());
        };
        let right = match (nearest(wrong, self.asked.iter().copied()), self.asked.as_slice()) {
            (Some(near), _) => format!("did you mean {near}?"),
            (None, []) => "there are none here".to_owned(),
            (None, asked) => format!("the parameters here are {}", asked.join(", ")),
        };
        Err(Problem::parameter(wrong, format!("there is no parameter {wrong}; {right}")))
    }
}

/// An id in a path.
#[derive(Debug)]
pub(crate) struct Id(pub(super) String);

impl FromRequestParts<App> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let wrong = |detail: String| Problem::parameter("id", detail);
        let Path(id) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|error| wrong(format!("the id can't be read: {}", error.body_text())))?;
        if id.len() > ID_BYTES_MAX {
            return Err(wrong(format!("an id has at most {ID_BYTES_MAX} bytes, this one has {}", id.len())));
        }
        Ok(Self(id))
    }
}

/// Whether the client would rather have Arrow than JSON.
fn wants_arrow(headers: &HeaderMap) -> bool {
    let mut arrow = 0.0;
    let mut json: f32 = 0.0;
    for value in headers.get_all(header::ACCEPT) {
        for part in value.to_str().unwrap_or_default().split(',') {
            let mut pieces = part.split(';').map(str::trim);
            let media = pieces.next().unwrap_or_default();
            let quality = pieces.find_map(|piece| piece.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
            if media.eq_ignore_ascii_case(ARROW) {
                arrow = quality;
            } else if matches!(media, "application/json" | "application/*") {
                json = json.max(quality);
            }
        }
    }
    arrow > 0.0 && arrow >= json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrow_comes_to_those_who_would_rather_have_it() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("application/json", false),
            (ARROW, true),
            ("Application/Vnd.Apache.Arrow.Stream", true),
            ("application/vnd.apache.arrow.stream;q=0", false),
            ("application/json, application/vnd.apache.arrow.stream;q=0.5", false),
            ("application/json;q=0.5, application/vnd.apache.arrow.stream", true),
            ("text/html, application/vnd.apache.arrow.stream;q=0.9, */*;q=0.8", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            assert_eq!(wants_arrow(&headers), expected, "{accept}");
        }
    }
}
