//! Errors as problem details (RFC 9457): one body for every answer that isn't what was asked for.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What went wrong, as `application/problem+json`.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Problem {
    /// Which kind of problem: a place on the reference page.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What was wrong this time, and what would be right.
    detail: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    #[serde(skip)]
    extra: Option<(&'static str, &'static str)>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let status = status.as_u16();
        Self { kind, title, status, detail: detail.into(), parameter: None, extra: None }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.extra = Some((name, value));
        self
    }

    /// What was wrong this time.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    pub(super) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let title = "A parameter is wrong";
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "/docs#bad-parameter", title, detail);
        problem.parameter = Some(name.to_owned());
        problem
    }

    pub(super) fn body(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/docs#bad-body", "The body can't be read", detail)
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        let title = "It can't follow what has happened";
        Self::new(StatusCode::CONFLICT, "/docs#conflict", title, detail)
    }

    pub(super) fn reused(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "/docs#idempotency-key-reused", "The idempotency key was used before", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "/docs#unprocessable", "It can't be done", detail)
    }

    /// Without the line that stands after `name`: it is of a text that the client never saw.
    pub(super) fn without_line(mut self, name: &str) -> Self {
        let rest = self.detail.strip_prefix(name).and_then(|rest| rest.strip_prefix(", line "));
        if let Some(rest) = rest {
            self.detail = format!("{name}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        }
        self
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "/docs#not-found", "There is no such thing", detail)
    }

    pub(super) fn method(detail: impl Into<String>) -> Self {
        let title = "The path doesn't answer this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "/docs#method-not-allowed", title, detail)
    }

    pub(super) fn gone(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::GONE, "/docs#gone", "It is no longer there", detail)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        Self::new(status, "/docs#too-large", "The request is too large", detail).with("connection", "close")
    }

    pub(super) fn media_type(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(status, "/docs#media-type", "The body is not understood", detail)
            .with("connection", "close")
    }

    pub(super) fn unauthorized(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::new(status, "/docs#unauthorized", "A key is needed", detail)
            .with("www-authenticate", "Bearer realm=\"tideline\"")
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "/docs#forbidden", "The key doesn't reach so far", detail)
    }

    pub(super) fn too_many(detail: impl Into<String>) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "/docs#too-many-requests", "Too many requests", detail).with("retry-after", "1")
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self::new(status, "/docs#unavailable", "Not now", detail).with("retry-after", "5")
    }

    /// An error that is nobody's fault who asks: what it was goes to the log, not over the network.
    pub(super) fn of_lake(error: &(dyn std::error::Error + 'static)) -> Self {
        let causes: Vec<String> =
            std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
        tracing::error!("answering a request: {}", causes.join(": "));
        Self::unavailable("the lake can't be read at the moment; the server's log says why")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let json = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, json)], body).into_response();
        if let Some((name, value)) = self.extra {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
