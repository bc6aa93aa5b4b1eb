//! Quotas: of a rep, why, and of everybody.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use engine::live::LiveQuota;
use engine::time::date;
use std::sync::Arc;

use super::super::answer::{self, object, one, page, value};
use super::super::board::Board;
use super::super::cursor::{hex, unhex};
use super::super::day::{Day, Mart};
use super::super::document::{ArrowStream, Explanation, QuotaOfRep, Quotas};
use super::super::given::{Given, Id};
use super::super::live::{self, answer as live_answer};
use super::super::problem::Problem;
use super::super::sheet::{json_array, take};
use super::super::{App, changes};
use crate::cli::Scope;

/// Rows of a page where nothing is said.
const USUAL_ROWS: usize = 100;

#[utoipa::path(
    get, path = "/v1/quotas", tag = "quotas",
    description = "Quotas, ordered by rep. Where the server follows the topic of events, and no day is asked for, they are those of \
                   the running day, each as it is when its page is asked for; `live` says what all of them know at least. \
                   Else pages of one walk are all of one run, whatever is published meanwhile.",
    params(
        ("rep" = Option<String>, Query, min_length = 1, description = "Of this rep only"),
        ("region" = Option<String>, Query, min_length = 1, description = "Of reps of this very region only"),
        ("period" = Option<String>, Query, min_length = 1, description = "For this period only, e.g. 2026-03 or 2026-Q1"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "Rows of the page, at most; a server may give fewer"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`next` of the page before")
    ),
    responses((status = 200, content((Quotas = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn list(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let wanted =
        Wanted { rep: given.text("rep")?, region: given.text("region")?, period: given.text("period")? };
    let as_of = given.day("as_of")?;
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    let cursor = given.text("cursor")?;
    given.nothing_else()?;
    let board = app.shelf.board()?;
    if let Some(rep) = &wanted.rep {
        may_see(&given, given.who.sees_rep(&board, rep))?;
    }
    let end = changes::end(&app.shelf.published()).map(|cursor| cursor.text());
    if let (None, Some((page, after))) = (as_of, running(&app, &board, cursor.as_deref())?) {
        let grounds = page.grounds();
        let seen = |quota: &Arc<LiveQuota>| {
            wanted.takes(quota.region_id.as_deref(), Some(&quota.period))
                && wanted.rep.as_ref().is_none_or(|rep| *rep == quota.rep_id)
                && given.who.sees_rep(&board, &quota.rep_id)
        };
        let mut found: Vec<Arc<LiveQuota>> =
            page.after(after.as_deref()).filter(seen).take(limit + 1).collect();
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|quota| format!("{RUNNING}{}", hex(&quota.rep_id)));
        return live_answer::page(&grounds, &given, &found, (next.as_deref(), end.as_deref()));
    }
    let (day, from) = match cursor {
        Some(cursor) => continued(&app, &cursor)?,
        None => (day_of(&app, as_of)?, None),
    };
    if as_of.is_some_and(|as_of| as_of != day.run.as_of) {
        return Err(Problem::parameter(
            "cursor",
            "the cursor is of another day than as_of; leave one of them out",
        ));
    }
    let sheet = app.shelf.sheet(&day, Mart::Quota).await?.ok_or_else(|| no_rows(&day))?;
    let rows = match &wanted.rep {
        Some(rep) => sheet.find(rep),
        None => 0..sheet.rows(),
    };
    let first = from.map_or(rows.start, |last| sheet.after(&last).max(rows.start));
    let seen = |row: &usize| {
        wanted.takes(sheet.text("region_id", *row), sheet.text("period", *row))
            && given.who.sees_rep(&board, sheet.id(*row))
    };
    let mut found: Vec<usize> = (first..rows.end).filter(seen).take(limit + 1).collect();
    // Rows of one rep stay on one page.
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|&row| cursor_after(&day, sheet.id(row)));
    let rows = sheet.take(&found).map_err(|error| Problem::of_lake(&error))?;
    page(&day, &given, &rows, next.as_deref(), &[("changes", serde_json::Value::from(end))])
}

/// What is asked for.
struct Wanted {
    rep: Option<String>,
    region: Option<String>,
    period: Option<String>,
}

impl Wanted {
    /// Whether a quota of this region and period is wanted.
    fn takes(&self, region: Option<&str>, period: Option<&str>) -> bool {
        let is = |wanted: &Option<String>, found| wanted.is_none() || wanted.as_deref() == found;
        is(&self.region, region) && is(&self.period, period)
    }
}

/// What cursors of the running day begin with.
const RUNNING: &str = "live-";

/// The running day, and the last rep known of it; none where a walk through a published day begins, or goes on.
type Walk = Option<(Arc<live::Page>, Option<String>)>;

fn running(app: &App, board: &Board, cursor: Option<&str>) -> Result<Walk, Problem> {
    let page = app.live.page(board.day.run.as_of);
    let Some(cursor) = cursor else { return Ok(page.map(|page| (page, None))) };
    let Some(rep) = cursor.strip_prefix(RUNNING) else { return Ok(None) };
    let wrong = || Problem::parameter("cursor", "cursor must be `next` of the page before, as it was given");
    let gone =
        || Problem::gone("the running day of this cursor is not followed here now; begin again without it");
    Ok(Some((page.ok_or_else(gone)?, Some(unhex(rep).ok_or_else(wrong)?))))
}

fn cursor_after(day: &Day, rep: &str) -> String {
    format!("{}-{}-{}", day.run.as_of, day.run.run_id, hex(rep))
}

/// The day that a cursor goes on with, and the last rep known.
fn continued(app: &App, cursor: &str) -> Result<(Arc<Day>, Option<String>), Problem> {
    let wrong = || Problem::parameter("cursor", "cursor must be `next` of the page before, as it was given");
    let mut parts = cursor.splitn(3, '-');
    let as_of: i32 = parts.next().and_then(|day| day.parse().ok()).ok_or_else(wrong)?;
    let (run_id, rep) = (parts.next().ok_or_else(wrong)?, parts.next().and_then(unhex).ok_or_else(wrong)?);
    let published = app.shelf.published();
    let run =
        published.runs.iter().find(|run| run.as_of == as_of && run.run_id == run_id).ok_or_else(wrong)?;
    let day = app.shelf.day(run)?;
    if !day.has(Mart::Quota) {
        return Err(Problem::gone("the run of this cursor was replaced and removed; begin again without it"));
    }
    Ok((day, Some(rep)))
}

/// The newest day, or the one asked for.
pub(super) fn day_of(app: &App, as_of: Option<engine::time::Day>) -> Result<Arc<Day>, Problem> {
    let board = app.shelf.board()?;
    let Some(as_of) = as_of else { return Ok(Arc::clone(&board.day)) };
    let newest = date(board.day.run.as_of);
    match app.shelf.published().of_day(as_of) {
        Some(run) => app.shelf.day(run),
        None => {
            Err(Problem::not_found(format!("{} is not published; the newest day is {newest}", date(as_of))))
        }
    }
}

/// 403 rather than 404: whether there is such a rep is nobody's business either.
pub(super) fn may_see(given: &Given, sees: bool) -> Result<(), Problem> {
    if sees {
        return Ok(());
    }
    Err(Problem::forbidden(format!("the key {} doesn't see this", given.who.id())))
}

fn no_rows(day: &Day) -> Problem {
    Problem::not_found(format!("{} has no quotas", date(day.run.as_of)))
}

fn no_quota(rep: &str, day: &Day) -> Problem {
    Problem::not_found(format!("rep {rep} has no quota as of {}", date(day.run.as_of)))
}

#[utoipa::path(
    get, path = "/v1/reps/{id}/quota", tag = "quotas",
    description = "A rep's quota: how much, between which bounds, and the chance of reaching it. Where the server follows the \
                   topic of events, and no day is asked for, it is that of the running day: `live` says what it stands on.",
    params(
        ("id" = String, Path, description = "The rep"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest")
    ),
    responses((status = 200, content((QuotaOfRep = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn of_rep(
    State(app): State<App>,
    Id(rep): Id,
    mut given: Given,
) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let as_of = given.day("as_of")?;
    given.nothing_else()?;
    let board = app.shelf.board()?;
    may_see(&given, given.who.sees_rep(&board, &rep))?;
    if let (None, Some(page)) = (as_of, app.live.page(board.day.run.as_of)) {
        let none = || {
            let day = date(page.grounds().as_of);
            Problem::not_found(format!("rep {rep} has no quota as of {day}, which is followed"))
        };
        return live_answer::one(&page.quota(&rep).ok_or_else(none)?, &given);
    }
    if as_of.is_none() && !given.arrow {
        let body = board.quota(&rep).ok_or_else(|| no_quota(&rep, &board.day))?;
        return Ok(answer::ready(&board.day, &given, body));
    }
    let day = day_of(&app, as_of)?;
    let sheet = app.shelf.sheet(&day, Mart::Quota).await?.ok_or_else(|| no_rows(&day))?;
    let row = sheet.find(&rep).next_back().ok_or_else(|| no_quota(&rep, &day))?;
    one(&day, &given, "quota", &sheet.slice(row..row + 1))
}

#[utoipa::path(
    get, path = "/v1/reps/{id}/quota/explanation", tag = "quotas",
    description = "Why a rep's quota is what it is (level) and why it changed (change): terms that add up to the cent.",
    params(
        ("id" = String, Path, description = "The rep"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest")
    ),
    responses((status = 200, content((Explanation = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn explanation(
    State(app): State<App>,
    Id(rep): Id,
    mut given: Given,
) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let as_of = given.day("as_of")?;
    given.nothing_else()?;
    may_see(&given, given.who.sees_rep(&*app.shelf.board()?, &rep))?;
    let day = day_of(&app, as_of)?;
    let sheet = app.shelf.sheet(&day, Mart::Explanation).await?.ok_or_else(|| no_rows(&day))?;
    let rows = sheet.find(&rep);
    if rows.is_empty() {
        return Err(no_quota(&rep, &day));
    }
    if given.arrow {
        return page(&day, &given, &sheet.slice(rows), None, &[]);
    }
    let own = sheet.slice(rows.clone());
    let of_kind = |kind: &str| {
        let of_kind = |row: &usize| sheet.text("kind", rows.start + row) == Some(kind);
        let chosen: Vec<usize> = (0..rows.len()).filter(of_kind).collect();
        take(&own, &chosen).and_then(|rows| json_array(&rows)).map_err(|error| Problem::of_lake(&error))
    };
    let parts = [
        ("rep_id", value(&serde_json::Value::from(rep.as_str()))),
        ("level", of_kind("level")?),
        ("change", of_kind("change")?),
    ];
    Ok(answer::ready(&day, &given, Bytes::from(object(&day.labels, &parts))))
}
