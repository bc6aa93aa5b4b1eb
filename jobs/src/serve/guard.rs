//! What every request passes: size, key, allowance and time; and what is counted and logged of its answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::compression::CompressionLayer;
use tracing::Instrument as _;

use super::App;
use super::audit::Line;
use super::day::instant;
use super::keys::Principal;
use super::problem::Problem;
use super::routes;
use crate::context::now;
use crate::trace;

/// Paths that anybody may read: they tell nothing about anybody.
const OPEN: [&str; 5] = ["/", "/docs", "/openapi.json", "/healthz", "/readyz"];

/// Puts the guard around all routes.
pub(super) fn around(router: Router<App>, app: &App) -> Router<App> {
    router.layer(CompressionLayer::new()).layer(from_fn_with_state(app.clone(), guard))
}

async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let admitted = admit(&app, &request);
    let who = admitted.as_ref().ok().cloned().flatten();
    let noted = app.audit.as_ref().filter(|_| !OPEN.contains(&request.uri().path())).map(|audit| {
        let path = request.uri().path_and_query().map_or("/", axum::http::uri::PathAndQuery::as_str);
        (audit, request.method().to_string(), path.to_owned())
    });
    let path = route.as_ref().map_or("other", MatchedPath::as_str);
    let span = tracing::info_span!(
        target: trace::TARGET,
        "request",
        otel.name = format!("{} {path}", request.method()),
        otel.kind = "server",
        http.route = path,
        http.response.status_code = tracing::field::Empty,
    );
    let mut response = match admitted {
        Err(problem) => problem.into_response(),
        Ok(who) => {
            if let Some(who) = who {
                request.extensions_mut().insert(who);
            }
            let patience = Duration::from_secs_f64(app.limits.request_seconds);
            let late = || Problem::unavailable("answering took too long").into_response();
            let answering = next.run(request).instrument(span.clone());
            tokio::time::timeout(patience, answering).await.unwrap_or_else(|_| late())
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    if let Some((audit, method, path)) = noted {
        let run_id = response.headers().get("tideline-run").and_then(|run| run.to_str().ok());
        let key = who.as_ref().map_or("", Principal::id).to_owned();
        let at = instant(now());
        audit.note(Line { at, key, method, path, status, run_id: run_id.map(str::to_owned) }).await;
    }
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    app.meter.count(route, status, started.elapsed());
    response
}

/// Lets a request in, or says why not; nobody in particular where the path is open.
fn admit(app: &App, request: &Request) -> Result<Option<Principal>, Problem> {
    let headers = request.headers();
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    // What has no such path, or no such method there, is told that rather than what its body does wrong.
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_nothing = route.is_empty() || !is_read;
    body(app, headers, is_nothing || routes::TAKE_BODIES.contains(&route))?;
    if OPEN.contains(&request.uri().path()) {
        return Ok(None);
    }
    if !app.keys.is_asked_for() {
        host(headers)?;
    }
    let who = app.keys.admit(token(headers))?;
    if let Some(audit) = &app.audit {
        audit.check()?;
    }
    Ok(Some(who))
}

/// Refuses bodies that are too large, and all where nothing is taken: then none is ever looked at.
fn body(app: &App, headers: &HeaderMap, is_taken: bool) -> Result<(), Problem> {
    let most = app.limits.body_bytes_max;
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(0) => Ok(()),
        None if !headers.contains_key(header::TRANSFER_ENCODING) => Ok(()),
        Some(length) if length > most => {
            Err(Problem::too_large(format!("the body has {length} bytes, at most {most} are taken")))
        }
        _ if is_taken => Ok(()),
        _ => Err(Problem::media_type("nothing is taken here; send no body")),
    }
}

/// Without keys a page of some other site must not get at the server by a name of its own for this address.
fn host(headers: &HeaderMap) -> Result<(), Problem> {
    for host in headers.get_all(header::HOST) {
        let host = host.to_str().unwrap_or_default();
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        if !name.eq_ignore_ascii_case("localhost") && name.parse::<IpAddr>().is_err() {
            let message =
                format!("without keys the server answers to localhost and 127.0.0.1 only, not to '{name}'");
            return Err(Problem::forbidden(message));
        }
    }
    Ok(())
}

/// The key that a request comes with.
fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok();
    }
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
