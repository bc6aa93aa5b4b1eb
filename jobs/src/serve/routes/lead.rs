//! Leads: a lead's score, and which rep each should go to.

use axum::extract::State;
use axum::response::Response;
use engine::time::date;

use super::super::App;
use super::super::answer::{one, page};
use super::super::day::Mart;
use super::super::document::{ArrowStream, LeadRoutes, LeadScore};
use super::super::given::{Given, Id};
use super::super::problem::Problem;
use super::health::{USUAL_ROWS, continued, cursor_after, owned};
use super::quota::{day_of, may_see};
use crate::cli::Scope;

#[utoipa::path(
    get, path = "/v1/leads/{id}/score", tag = "leads",
    description = "The chance that an open lead converts within 30 days, as a score and grade, with its reasons.",
    params(
        ("id" = String, Path, description = "The lead"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest")
    ),
    responses((status = 200, content((LeadScore = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn score(
    State(app): State<App>,
    Id(lead): Id,
    mut given: Given,
) -> Result<Response, Problem> {
    given.may(Scope::ReadLeads)?;
    let as_of = given.day("as_of")?;
    given.nothing_else()?;
    let day = day_of(&app, as_of)?;
    let sheet = app.shelf.sheet(&day, Mart::Lead).await?;
    let row = sheet.as_ref().and_then(|sheet| sheet.find(&lead).next());
    let owner = sheet.as_ref().zip(row).and_then(|(sheet, row)| sheet.text("rep_id", row));
    owned(&app, &given, owner)?;
    let day_name = date(day.run.as_of);
    let Some(sheet) = sheet else {
        return Err(Problem::not_found(format!("no leads are scored as of {day_name}")));
    };
    let row = row.ok_or_else(|| {
        Problem::not_found(format!("lead {lead} has no score as of {day_name}: open leads have one"))
    })?;
    one(&day, &given, "score", &sheet.slice(row..row + 1))
}

#[utoipa::path(
    get, path = "/v1/leads/route", tag = "leads",
    description = "Which rep each waiting lead should go to, and why, ordered by lead. A proposal: nothing is assigned by it.",
    params(
        ("rep" = Option<String>, Query, min_length = 1, description = "Proposed to this rep only"),
        ("from_rep" = Option<String>, Query, min_length = 1, description = "Of leads that this rep has only"),
        ("region" = Option<String>, Query, min_length = 1, description = "Of leads of this very region only"),
        ("routed" = Option<bool>, Query, description = "true: those that found a rep; false: those that didn't"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "Rows of the page, at most; a server may give fewer"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`next` of the page before")
    ),
    responses((status = 200, content((LeadRoutes = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn route(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadLeads)?;
    let (rep, from, region) = (given.text("rep")?, given.text("from_rep")?, given.text("region")?);
    let routed = given.flag("routed")?;
    let as_of = given.day("as_of")?;
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    let cursor = given.text("cursor")?;
    given.nothing_else()?;
    let board = app.shelf.board()?;
    for rep in rep.iter().chain(&from) {
        may_see(&given, given.who.sees_rep(&board, rep))?;
    }
    let day = day_of(&app, as_of)?;
    let first = match cursor {
        Some(cursor) => continued(&cursor, &day.run.run_id)?,
        None => 0,
    };
    let none = || {
        let day = date(day.run.as_of);
        Problem::not_found(format!(
            "no leads are routed as of {day}; routing.strategy in the configuration begins it"
        ))
    };
    let sheet = app.shelf.sheet(&day, Mart::Route).await?.ok_or_else(none)?;
    let wanted = [("rep_id", rep), ("from_rep_id", from), ("region_id", region)];
    let seen = |row: &usize| {
        let sees = |column| sheet.text(column, *row).is_some_and(|rep| given.who.sees_rep(&board, rep));
        wanted.iter().all(|(column, text)| text.is_none() || text.as_deref() == sheet.text(column, *row))
            && routed.is_none_or(|routed| routed == sheet.text("rep_id", *row).is_some())
            && (given.who.sees_all() || sees("rep_id") || sees("from_rep_id"))
    };
    let mut found: Vec<usize> = (first..sheet.rows()).filter(seen).take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|row| cursor_after(&day.run.run_id, *row));
    let rows = sheet.take(&found).map_err(|error| Problem::of_lake(&error))?;
    page(&day, &given, &rows, next.as_deref(), &[])
}
