//! Answers: JSON or Arrow, with the run they are of, its age, and a validator.

use arrow::array::RecordBatch;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::day::Labels;
use super::given::{ARROW, Given};
use super::problem::Problem;
use super::sheet::{Labelled, arrow_stream, json_array};
use crate::context::now;
use crate::serve::day::Day;

pub(super) const AS_OF: HeaderName = HeaderName::from_static("tideline-as-of");
pub(super) const RUN: HeaderName = HeaderName::from_static("tideline-run");
pub(super) const AGE: HeaderName = HeaderName::from_static("tideline-age-seconds");
const NEXT: HeaderName = HeaderName::from_static("tideline-next");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ARROW_TYPE: HeaderValue = HeaderValue::from_static(ARROW);
/// Answers depend on who asks and how.
const VARY: HeaderValue = HeaderValue::from_static("authorization, accept, accept-encoding");
/// They may be kept, but must be asked after.
const CACHE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Headers of an answer, about.
const HEADERS: usize = 12;
const MICROS_PER_SECOND: i64 = 1_000_000;

/// A JSON answer of a day that is there already.
pub(super) fn ready(day: &Day, given: &Given, body: Bytes) -> Response {
    let etag = &day.labels.etag_json;
    if matches(given, etag) {
        return not_modified(day, etag);
    }
    let mut response = Response::new(Body::from(body));
    label(response.headers_mut(), day, JSON, etag);
    response
}

/// `"name":value` beside the rows of a JSON answer.
pub(super) type Extra<'a> = &'a [(&'static str, serde_json::Value)];

/// Rows of a day as a page.
///
/// # Errors
/// 503 where they can't be written.
pub(super) fn page(
    day: &Day,
    given: &Given,
    rows: &RecordBatch,
    next: Option<&str>,
    extra: Extra<'_>,
) -> Result<Response, Problem> {
    let etag = if given.arrow { &day.labels.etag_arrow } else { &day.labels.etag_json };
    if matches(given, etag) {
        return Ok(not_modified(day, etag));
    }
    let (media, body) = if given.arrow {
        let body =
            arrow_stream(rows, Some(Labelled::of(&day.run))).map_err(|error| Problem::of_lake(&error))?;
        (ARROW_TYPE, body)
    } else {
        let rows = json_array(rows).map_err(|error| Problem::of_lake(&error))?;
        let mut all = vec![("items", rows), ("next", value(&serde_json::Value::from(next)))];
        all.extend(extra.iter().map(|(name, extra)| (*name, value(extra))));
        (JSON, object(&day.labels, &all))
    };
    let mut response = Response::new(Body::from(body));
    label(response.headers_mut(), day, media, etag);
    point_on(response.headers_mut(), next);
    Ok(response)
}

/// The one row of a batch, under `name`.
///
/// # Errors
/// 503 where it can't be written.
pub(super) fn one(
    day: &Day,
    given: &Given,
    name: &'static str,
    row: &RecordBatch,
) -> Result<Response, Problem> {
    if given.arrow {
        return page(day, given, row, None, &[]);
    }
    let rows = json_array(row).map_err(|error| Problem::of_lake(&error))?;
    let body = object(&day.labels, &[(name, rows[1..rows.len().saturating_sub(1)].to_vec())]);
    Ok(ready(day, given, Bytes::from(body)))
}

/// An object with the day's labels first.
pub(super) fn object(labels: &Labels, parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = format!("{{{}", labels.json).into_bytes();
    for (name, value) in parts {
        body.extend_from_slice(format!(",\"{name}\":").as_bytes());
        body.extend_from_slice(value);
    }
    body.push(b'}');
    body
}

pub(super) fn value(value: &serde_json::Value) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())
}

/// Where the next page begins, for those who take Arrow.
pub(super) fn point_on(headers: &mut HeaderMap, next: Option<&str>) {
    if let Some(next) = next.and_then(|next| HeaderValue::from_str(next).ok()) {
        headers.insert(NEXT, next);
    }
}

/// A response with its validator.
pub(super) enum Validated {
    /// The client has this very answer.
    Known(Response),
    /// It is to be given a body.
    New(Response),
}

/// A response whose validator is `etag`, JSON or Arrow as the client would have it.
pub(super) fn validated(given: &Given, etag: &HeaderValue) -> Validated {
    let mut response = Response::new(Body::empty());
    validate(response.headers_mut(), etag);
    if matches(given, etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Validated::Known(response);
    }
    let media = if given.arrow { ARROW_TYPE } else { JSON };
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Validated::New(response)
}

fn validate(headers: &mut HeaderMap, etag: &HeaderValue) {
    // At once, rather than growing thrice.
    headers.reserve(HEADERS);
    headers.insert(header::ETAG, etag.clone());
    headers.insert(header::CACHE_CONTROL, CACHE);
    headers.insert(header::VARY, VARY);
}

/// Says of a response which day it is of.
pub(super) fn label(headers: &mut HeaderMap, day: &Day, media: HeaderValue, etag: &HeaderValue) {
    validate(headers, etag);
    headers.insert(header::CONTENT_TYPE, media);
    headers.insert(AS_OF, day.labels.as_of.clone());
    headers.insert(RUN, day.labels.run_id.clone());
    headers.insert(AGE, HeaderValue::from(age_seconds(day)));
}

/// Seconds since the run was published.
pub(super) fn age_seconds(day: &Day) -> i64 {
    (now() - day.run.finished_at).max(0) / MICROS_PER_SECOND
}

fn not_modified(day: &Day, etag: &HeaderValue) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    label(response.headers_mut(), day, JSON, etag);
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// Whether the client has this very answer, by weak comparison.
pub(super) fn matches(given: &Given, etag: &HeaderValue) -> bool {
    let Some(known) = given.known.as_ref().and_then(|known| known.to_str().ok()) else { return false };
    let etag = etag.to_str().unwrap_or_default();
    let plain = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.split(',').any(|tag| tag.trim() == "*" || plain(tag) == plain(etag))
}
