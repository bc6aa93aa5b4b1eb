//! The server about itself: runs, whether it is up, what it counts, what it answers.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi as _;

use super::super::App;
use super::super::answer::{age_seconds, page};
use super::super::cursor::{hex, unhex};
use super::super::document::{ArrowStream, Health, Runs};
use super::super::given::Given;
use super::super::live::answer::age_seconds as answer_age;
use super::super::problem::Problem;
use super::super::sheet::take;
use super::super::webhook;
use super::Document;
use crate::cli::Scope;

/// Rows of a page where nothing is said.
const USUAL_ROWS: usize = 50;

/// The description of a server that asks for keys.
static WITH_KEYS: LazyLock<String> = LazyLock::new(|| Document::openapi().to_json().unwrap_or_default());
/// The description of one that doesn't.
static WITHOUT_KEYS: LazyLock<String> = LazyLock::new(|| {
    let mut document = Document::openapi();
    document.security = None;
    document.to_json().unwrap_or_default()
});

#[utoipa::path(
    get, path = "/v1/runs", tag = "runs",
    description = "Runs as `ops.run` tells of them, the newest first: what each was made of and what it published.",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, description = "Rows of the page, at most; a server may give fewer"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`next` of the page before")
    ),
    responses((status = 200, content((Runs = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn runs(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    let cursor = given.text("cursor")?;
    given.nothing_else()?;
    let board = app.shelf.board()?;
    let wrong = || Problem::parameter("cursor", "cursor must be `next` of the page before, as it was given");
    let before = cursor.map(|cursor| unhex(&cursor).ok_or_else(wrong)).transpose()?;
    let published = app.shelf.published();
    let none = || Problem::unavailable("no run is known yet");
    let rows = published.ops_run.as_ref().ok_or_else(none)?;
    let all = engine::lake::Run::from_batches(std::slice::from_ref(rows))
        .map_err(|error| Problem::of_lake(&error))?;
    let key = |row: &usize| format!("{:020} {}", all[*row].finished_at, all[*row].run_id);
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|row| std::cmp::Reverse(key(row)));
    let mut chosen: Vec<usize> =
        order.into_iter().filter(|row| before.as_ref().is_none_or(|before| key(row) < *before)).collect();
    let next = (chosen.len() > limit).then(|| hex(&key(&chosen[limit - 1])));
    chosen.truncate(limit);
    let rows = take(rows, &chosen).map_err(|error| Problem::of_lake(&error))?;
    page(&board.day, &given, &rows, next.as_deref(), &[])
}

#[utoipa::path(
    get, path = "/healthz", tag = "server", description = "Whether the server runs.", security(()),
    responses((status = 200, body = Health))
)]
pub(crate) async fn alive() -> Response {
    json(r#"{"status":"ok"}"#.to_owned())
}

#[utoipa::path(
    get, path = "/readyz", tag = "server", description = "Whether there is something to answer with.", security(()),
    responses(
        (status = 200, body = Health),
        (status = 503, body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn ready(State(app): State<App>) -> Result<Response, Problem> {
    let board = app.shelf.board()?;
    if *app.stopping.borrow() {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let age = age_seconds(&board.day);
    Ok(json(format!(r#"{{"status":"ok",{},"age_seconds":{age}}}"#, board.day.labels.json)))
}

#[utoipa::path(
    get, path = "/metrics", tag = "server", description = "Counters for Prometheus; any key will do.",
    responses((status = 200, body = String, content_type = "text/plain"), super::super::document::Problems)
)]
pub(crate) async fn metrics(State(app): State<App>) -> Response {
    let age = app.shelf.board().ok().map(|board| age_seconds(&board.day));
    let live = app.live.grounds().map(|grounds| answer_age(&grounds));
    let text = HeaderValue::from_static("text/plain; version=0.0.4");
    let page = app.meter.page(age, live) + &webhook::page(&app.subscribers);
    ([(header::CONTENT_TYPE, text)], page).into_response()
}

#[utoipa::path(
    get, path = "/openapi.json", tag = "server", description = "This description.", security(()),
    responses((status = 200, body = Object, content_type = "application/json"))
)]
pub(crate) async fn document(State(app): State<App>) -> Response {
    json(if app.keys.is_asked_for() { WITH_KEYS.clone() } else { WITHOUT_KEYS.clone() })
}

#[utoipa::path(
    get, path = "/", tag = "server", description = "The reference, to read.", security(()),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub(crate) async fn reference() -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    // The page is one file: it needs nothing from elsewhere.
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    );
    let headers = [(header::CONTENT_TYPE, html), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, include_str!("../reference.html")).into_response()
}

#[utoipa::path(
    get, path = "/docs", tag = "server", description = "The reference, to read.", security(()),
    responses((status = 200, body = String, content_type = "text/html"))
)]
pub(crate) async fn docs() -> Response {
    reference().await
}

fn json(body: String) -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::OK, [(header::CONTENT_TYPE, json)], Body::from(body)).into_response()
}
