//! What changed: as pages, and as a stream of events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use tokio::sync::watch;

use super::super::App;
use super::super::answer::point_on;
use super::super::board::Board;
use super::super::changes::{Change, Page, end, page};
use super::super::cursor::Cursor;
use super::super::document::Changes;
use super::super::given::Given;
use super::super::keys::Principal;
use super::super::meter::OpenStream;
use super::super::problem::Problem;
use crate::cli::Scope;

/// Changes of a page where nothing is said.
const USUAL_ROWS: usize = 1_000;
/// Changes that a stream reads at a time.
const STREAM_ROWS: usize = 500;
/// Silence after which a stream says that it is still there.
const SILENCE: Duration = Duration::from_secs(15);

#[utoipa::path(
    get, path = "/v1/changes", tag = "changes",
    description = "Quotas that changed, alerts raised and cleared, in the order of publication: each once, none left \
                   out, whichever server answers. Ask again with `next` while there is `more` (a page may be empty), and then now and then; begin with `changes` of /v1/quotas, or \
                   without `since` for everything.",
    params(
        ("since" = Option<String>, Query, min_length = 1, description = "`next` of the page before, or the `cursor` of a change"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "Changes of the page, at most; a server may give fewer")
    ),
    responses((status = 200, body = Changes, content_type = "application/json"), super::super::document::Problems)
)]
pub(crate) async fn list(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let since = given.text("since")?;
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    given.nothing_else()?;
    let since = since.map(|since| cursor("since", &since)).transpose()?;
    let found = page(&app, &seen_by(&given.who), since.as_ref(), limit).await?;
    let board = app.shelf.board()?;
    let mut body = String::from("{\"changes\":[");
    for (place, (changes, at)) in found.changes.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        body.push_str(&changes[*at].json);
    }
    let next = found.next.text();
    let rest = format!("],\"next\":\"{next}\",\"more\":{}}}", found.more);
    body.push_str(&rest);
    let mut response = Response::new(Body::from(body));
    let etag = HeaderValue::from_str(&format!("W/\"{next}.{}\"", found.changes.len()));
    let etag = etag.unwrap_or(HeaderValue::from_static("W/\"0\""));
    if super::super::answer::matches(&given, &etag) {
        *response.status_mut() = axum::http::StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
    }
    let json = HeaderValue::from_static("application/json");
    super::super::answer::label(response.headers_mut(), &board.day, json, &etag);
    point_on(response.headers_mut(), Some(&next));
    Ok(response)
}

#[utoipa::path(
    get, path = "/v1/stream", tag = "changes",
    description = "The same as server-sent events, as they are published: the id of an event is its cursor, its name \
                   the change's kind. A client that comes back with `Last-Event-ID` misses nothing.",
    params(
        ("since" = Option<String>, Query, min_length = 1, description = "Begin after this cursor; without it, with what comes next"),
        ("last-event-id" = Option<String>, Header, description = "The id of the last event received; goes before `since`")
    ),
    responses((status = 200, body = String, content_type = "text/event-stream"), super::super::document::Problems)
)]
pub(crate) async fn stream(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let since = given.text("since")?;
    given.nothing_else()?;
    let published = app.shelf.published();
    let since = match (given.last_event.take(), since) {
        (Some(id), _) => Some(cursor("last-event-id", &id)?),
        (None, Some(since)) => Some(cursor("since", &since)?),
        (None, None) => end(&published),
    };
    // Asked once before the stream begins, so that what is wrong has a status of its own.
    if since.is_some() {
        page(&app, &seen_by(&given.who), since.as_ref(), 1).await?;
    }
    // Before the connection is taken for one that nothing is sent on.
    let silence = SILENCE.min(Duration::from_secs_f64(app.limits.idle_seconds / 3.0));
    let events = events(app, given.who, since);
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(silence)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// The changes that somebody sees.
fn seen_by(who: &Principal) -> impl Fn(&Change, &Board) -> bool + Sync {
    |change, board| change.is_seen_by(who, board)
}

fn cursor(name: &str, text: &str) -> Result<Cursor, Problem> {
    let wrong = || Problem::parameter(name, format!("{name} must be a cursor as it was given, not '{text}'"));
    Cursor::parse(text).ok_or_else(wrong)
}

/// What a stream remembers between two events.
struct Listening {
    open: OpenStream,
    who: Principal,
    since: Option<Cursor>,
    waiting: VecDeque<Event>,
    published: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
}

fn events(app: App, who: Principal, since: Option<Cursor>) -> impl Stream<Item = Result<Event, Infallible>> {
    let (published, stopping) = (app.news.subscribe(), app.stopping.clone());
    let open = OpenStream::new(app);
    let listening = Listening { open, who, since, waiting: VecDeque::new(), published, stopping };
    futures::stream::unfold(listening, |mut listening| async move {
        let event = listening.next().await?;
        Some((Ok(event), listening))
    })
}

impl Listening {
    /// The next event; none once the server stops, the key is revoked or the lake can't be read: the client comes back
    /// and goes on where it was.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if *self.stopping.borrow() || !self.open.0.keys.still_admits(&self.who) {
                return None;
            }
            self.published.borrow_and_update();
            if self.open.0.shelf.board().is_ok() {
                let page =
                    page(&self.open.0, &seen_by(&self.who), self.since.as_ref(), STREAM_ROWS).await.ok()?;
                let more = page.more;
                self.take(page);
                if more {
                    continue;
                }
            }
            if self.waiting.is_empty() {
                tokio::select! {
                    changed = self.published.changed() => changed.ok()?,
                    stopped = self.stopping.changed() => stopped.ok()?,
                }
            }
        }
    }

    fn take(&mut self, page: Page) {
        for (changes, at) in &page.changes {
            let change = &changes[*at];
            self.waiting.push_back(
                Event::default().id(change.cursor.text()).event(change.kind.name()).data(&change.json),
            );
        }
        self.since = Some(page.next);
    }
}
