//! What changed, in the order of publication: complete, without repeats, and the same after a restart.
//!
//! The feed is made of the lake alone. Each publication that is of the newest day, or newer than all before it, is held
//! against the one before it; what differs, ordered by key, is its part of the feed. A cursor names a publication and a
//! key within it, so it doesn't depend on any server. A publication whose rows maintenance has removed (a later run
//! of its day took its place) is passed over, and the next one is held against the one before it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, Decimal128Array};
use engine::EngineError;
use engine::lake::Run;
use serde_json::{Value, json};

use super::App;
use super::board::Board;
use super::cursor::Cursor;
use super::day::{Day, Mart};
use super::keys::Principal;
use super::problem::Problem;
use super::sheet::{Sheet, json_rows};
use super::shelf::Published;
use crate::config::ChangeKind;

/// Publications whose changes are kept in memory.
const KEPT: usize = 4;
/// Publications that one page looks at: a key that sees little gets short pages rather than late ones.
const LOOKED_AT_MAX: usize = 16;

/// One change.
#[derive(Debug)]
pub(crate) struct Change {
    /// After this one.
    pub(super) cursor: Cursor,
    pub(super) kind: ChangeKind,
    /// The scope whose row it is.
    scope: String,
    scope_id: String,
    /// The regions that the scope is, or belongs to, before or after.
    pub(super) regions: Vec<String>,
    /// The whole change as JSON.
    pub(super) json: String,
}

impl Change {
    /// Whether the scope's rows are shown to `who`.
    pub(super) fn is_seen_by(&self, who: &Principal, board: &Board) -> bool {
        who.sees_scope(board, &self.scope, &self.scope_id)
    }
}

/// A part of the feed.
#[derive(Debug)]
pub(crate) struct Page {
    pub(super) changes: Vec<(Arc<Vec<Change>>, usize)>,
    /// Where the next page begins.
    pub(super) next: Cursor,
    /// Whether there may be more now.
    pub(super) more: bool,
}

/// Changes of the publications asked for last.
#[derive(Debug, Default)]
pub(crate) struct Feed(Mutex<VecDeque<(String, Arc<Vec<Change>>)>>);

/// Which changes somebody is told of.
pub(super) type Wanted<'a> = &'a (dyn Fn(&Change, &Board) -> bool + Sync);

/// Up to `limit` changes that are wanted, after `since`; from the beginning without one.
///
/// # Errors
/// 400 for a cursor of another lake, 503 where the lake can't be read or nothing is published.
pub(super) async fn page(
    app: &App,
    wanted: Wanted<'_>,
    since: Option<&Cursor>,
    limit: usize,
) -> Result<Page, Problem> {
    let (published, board) = (app.shelf.published(), app.shelf.board()?);
    let steps: Vec<&Run> = published.steps().collect();
    let newest = published.runs.last().map(|run| (run.finished_at, run.run_id.as_str()));
    if since.is_some_and(|since| newest < Some(since.publication())) {
        let message = "the cursor is of a later publication than any here; is it of another lake?";
        return Err(Problem::parameter("since", message));
    }
    let start = Cursor::start();
    let since = since.unwrap_or(&start);
    let mut page = Page { changes: Vec::new(), next: since.clone(), more: false };
    let mut looked_at = 0;
    for (place, run) in steps.iter().enumerate() {
        if (run.finished_at, run.run_id.as_str()) < since.publication() || *since >= Cursor::end_of(run) {
            continue;
        }
        if looked_at == LOOKED_AT_MAX {
            page.more = true;
            return Ok(page);
        }
        looked_at += 1;
        let before = place.checked_sub(1).and_then(|before| steps.get(before)).copied();
        let changes = changes(app, &published, run, before).await?;
        let known = changes.partition_point(|change| change.cursor <= *since);
        for at in known..changes.len() {
            if !wanted(&changes[at], &board) {
                continue;
            }
            if page.changes.len() == limit {
                page.more = true;
                return Ok(page);
            }
            page.next = changes[at].cursor.clone();
            page.changes.push((Arc::clone(&changes), at));
        }
        page.next = Cursor::end_of(run);
    }
    Ok(page)
}

/// Where the feed ends now.
pub(super) fn end(published: &Published) -> Option<Cursor> {
    published.steps().last().map(Cursor::end_of)
}

async fn changes(
    app: &App,
    published: &Published,
    run: &Run,
    before: Option<&Run>,
) -> Result<Arc<Vec<Change>>, Problem> {
    let name = format!("{} {}", run.run_id, before.map_or("", |before| &before.run_id));
    {
        let kept = app.feed.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = kept.iter().find(|(known, _)| *known == name) {
            return Ok(Arc::clone(found));
        }
    }
    let board = app.shelf.board()?;
    let day_of = |run: &Run| {
        if board.day.run == *run { Arc::clone(&board.day) } else { Arc::new(published.day(run)) }
    };
    let (now, then) = (day_of(run), before.map(day_of));
    let found = app.shelf.reading(move || compare(&now, then.as_deref())).await?;
    let found = Arc::new(found);
    let mut kept = app.feed.0.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push_back((name, Arc::clone(&found)));
    if kept.len() > KEPT {
        kept.pop_front();
    }
    Ok(found)
}

/// What differs between two publications, by ascending key. Blocks.
fn compare(now: &Day, then: Option<&Day>) -> Result<Vec<Change>, EngineError> {
    let sheet = |day: Option<&Day>, mart| day.map_or(Ok(None), |day| day.read(mart));
    let mut found = BTreeMap::new();
    let (new, old) = (sheet(Some(now), Mart::Quota)?, sheet(then, Mart::Quota)?);
    let reps = [new.as_deref(), old.as_deref()];
    quotas(now, reps, &mut found);
    let (new, old) = (sheet(Some(now), Mart::Alert)?, sheet(then, Mart::Alert)?);
    alerts(now, [new.as_deref(), old.as_deref()], reps, &mut found)?;
    Ok(found.into_values().collect())
}

/// The regions that a scope is, or belongs to, in either of two sheets of quotas.
fn regions(reps: [Option<&Sheet>; 2], (scope, id): (&str, &str)) -> Vec<String> {
    if scope == "region" {
        return vec![id.to_owned()];
    }
    let of_rep = |sheet: &Sheet| Some(sheet.text("region_id", sheet.find(id).next_back()?)?.to_owned());
    let mut found: Vec<String> = match scope {
        "rep" => reps.into_iter().flatten().filter_map(of_rep).collect(),
        _ => Vec::new(),
    };
    found.dedup();
    found
}

fn change(
    now: &Day,
    kind: ChangeKind,
    key: String,
    (scope, reps): ((&str, &str), [Option<&Sheet>; 2]),
    own: &Value,
) -> Change {
    let run = &now.run;
    let cursor = Cursor { finished_at: run.finished_at, run_id: run.run_id.clone(), key };
    let own = own.to_string();
    let json = format!(
        r#"{{"cursor":"{}","kind":"{}",{},{}"#,
        cursor.text(),
        kind.name(),
        now.labels.json,
        own.strip_prefix('{').unwrap_or("}")
    );
    let regions = regions(reps, scope);
    Change { cursor, kind, scope: scope.0.to_owned(), scope_id: scope.1.to_owned(), regions, json }
}

type Found = BTreeMap<String, Change>;

/// A rep's quota and the period that it is for.
fn quota_of(sheet: &Sheet, row: usize) -> (Value, i128) {
    let amounts = sheet.batch().column_by_name("quota").and_then(|column| column.as_primitive_opt());
    let minor = amounts.map_or(0, |amounts: &Decimal128Array| amounts.value(row));
    (Value::from(sheet.text("period", row)), minor)
}

fn quotas(now: &Day, reps: [Option<&Sheet>; 2], found: &mut Found) {
    let [new, old] = reps;
    let place = |sheet: Option<&Sheet>, rep: &str| {
        let sheet = sheet?;
        Some(quota_of(sheet, sheet.find(rep).next_back()?))
    };
    for sheet in [new, old].into_iter().flatten() {
        for row in 0..sheet.rows() {
            let rep = sheet.id(row);
            let (after, before) = (place(new, rep), place(old, rep));
            if after == before {
                continue;
            }
            let key = format!("quota {rep}");
            let amount = |quota: &Option<(Value, i128)>| quota.as_ref().map(|(_, minor)| money(*minor));
            let period = |quota: &Option<(Value, i128)>| quota.as_ref().map(|(period, _)| period.clone());
            let own = json!({
                "rep_id": rep,
                "period": period(&after),
                "quota": amount(&after),
                "before": amount(&before),
                "before_period": period(&before),
            });
            found.insert(key.clone(), change(now, ChangeKind::Quota, key, (("rep", rep), reps), &own));
        }
    }
}

/// Money as a JSON number.
#[expect(
    clippy::cast_precision_loss,
    reason = "exact up to fifteen digits, which is all that JSON readers keep"
)]
pub(super) fn money(minor: i128) -> f64 {
    minor as f64 / 100.0
}

fn alerts(
    now: &Day,
    [new, old]: [Option<&Sheet>; 2],
    reps: [Option<&Sheet>; 2],
    found: &mut Found,
) -> Result<(), EngineError> {
    let (raised, cleared) = (by_identity(new)?, by_identity(old)?);
    let kinds = [(ChangeKind::AlertRaised, &raised, &cleared), (ChangeKind::AlertCleared, &cleared, &raised)];
    for (kind, these, others) in kinds {
        for (key, (scope, scope_id, row)) in these.iter().filter(|(key, _)| !others.contains_key(*key)) {
            let key = format!("{} {key}", kind.name());
            let own = json!({ "alert": row });
            found.insert(key.clone(), change(now, kind, key, ((scope, scope_id), reps), &own));
        }
    }
    Ok(())
}

/// Alerts by what makes them the same alert on another day: scope, id and row.
fn by_identity(sheet: Option<&Sheet>) -> Result<BTreeMap<String, (String, String, Value)>, EngineError> {
    let mut found = BTreeMap::new();
    let Some(sheet) = sheet else { return Ok(found) };
    for (row, text) in json_rows(sheet.batch())?.iter().enumerate() {
        let part = |column| sheet.text(column, row).unwrap_or_default();
        let (scope, id) = (part("scope"), part("scope_id"));
        let value: Value = serde_json::from_slice(text).unwrap_or_default();
        let since = value.get("since").map(ToString::to_string).unwrap_or_default();
        let key = [part("rule"), scope, id, part("entity_id"), &since].join("\u{1f}");
        found.insert(key, (scope.to_owned(), id.to_owned(), value));
    }
    Ok(found)
}
