//! Health of a rep's process and of a customer, and alerts.

use axum::extract::State;
use axum::response::Response;
use engine::time::date;

use super::super::App;
use super::super::answer::{one, page};
use super::super::cursor::{hex, unhex};
use super::super::day::Mart;
use super::super::document::{Alerts, ArrowStream, CustomerHealth, HealthOfRep};
use super::super::given::{Given, Id};
use super::super::problem::Problem;
use super::quota::{day_of, may_see};
use crate::cli::Scope;

/// Rows of a page where nothing is said.
pub(super) const USUAL_ROWS: usize = 100;

#[utoipa::path(
    get, path = "/v1/reps/{id}/health", tag = "health",
    description = "A rep's process-health index with its components, and where a model is in use its forecast 14 days ahead with the probability that it is red then.",
    params(
        ("id" = String, Path, description = "The rep"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest")
    ),
    responses((status = 200, content((HealthOfRep = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn of_rep(
    State(app): State<App>,
    Id(rep): Id,
    mut given: Given,
) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let as_of = given.day("as_of")?;
    given.nothing_else()?;
    may_see(&given, given.who.sees_rep(&*app.shelf.board()?, &rep))?;
    let day = day_of(&app, as_of)?;
    let none =
        || Problem::not_found(format!("rep {rep} has no process health as of {}", date(day.run.as_of)));
    let sheet = app.shelf.sheet(&day, Mart::Process).await?.ok_or_else(none)?;
    let row = sheet.find(&rep).find(|&row| sheet.text("scope", row) == Some("rep")).ok_or_else(none)?;
    one(&day, &given, "health", &sheet.slice(row..row + 1))
}

#[utoipa::path(
    get, path = "/v1/customers/{id}/health", tag = "health",
    description = "A customer's health, life cycle and order figures.",
    params(
        ("id" = String, Path, description = "The customer"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest")
    ),
    responses((status = 200, content((CustomerHealth = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn of_customer(
    State(app): State<App>,
    Id(customer): Id,
    mut given: Given,
) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let as_of = given.day("as_of")?;
    given.nothing_else()?;
    let day = day_of(&app, as_of)?;
    let none =
        || Problem::not_found(format!("there is no customer {customer} as of {}", date(day.run.as_of)));
    let sheet = app.shelf.sheet(&day, Mart::Customer).await?;
    let row = sheet.as_ref().and_then(|sheet| sheet.find(&customer).next());
    let owner = sheet.as_ref().zip(row).and_then(|(sheet, row)| sheet.text("owner_rep_id", row));
    owned(&app, &given, owner)?;
    let (sheet, row) = sheet.as_ref().zip(row).ok_or_else(none)?;
    one(&day, &given, "customer", &sheet.slice(row..row + 1))
}

/// Refuses rows that belong to nobody, or to nobody whom the key sees.
pub(super) fn owned(app: &App, given: &Given, owner: Option<&str>) -> Result<(), Problem> {
    let board = app.shelf.board()?;
    let sees = given.who.sees_all() || owner.is_some_and(|owner| given.who.sees_rep(&board, owner));
    may_see(given, sees)
}

#[utoipa::path(
    get, path = "/v1/alerts", tag = "health",
    description = "What somebody should act on, ordered by whom it concerns.",
    params(
        ("rule" = Option<String>, Query, min_length = 1, description = "Of this rule only"),
        ("severity" = Option<String>, Query, min_length = 1, description = "high, medium or low"),
        ("scope" = Option<String>, Query, min_length = 1, description = "rep, manager, region or company"),
        ("scope_id" = Option<String>, Query, min_length = 1, description = "Of this rep, manager or region only"),
        ("as_of" = Option<String>, Query, format = Date, description = "As published for this day; without it, the newest"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "Rows of the page, at most; a server may give fewer"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`next` of the page before")
    ),
    responses((status = 200, content((Alerts = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), super::super::document::Problems)
)]
pub(crate) async fn alerts(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    let names = ["rule", "severity", "scope", "scope_id"];
    let mut wanted = Vec::new();
    for name in names {
        if let Some(text) = given.text(name)? {
            wanted.push((name, text));
        }
    }
    let as_of = given.day("as_of")?;
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    let cursor = given.text("cursor")?;
    given.nothing_else()?;
    let day = day_of(&app, as_of)?;
    let from = match cursor {
        Some(cursor) => continued(&cursor, &day.run.run_id)?,
        None => 0,
    };
    let board = app.shelf.board()?;
    let none = || Problem::not_found(format!("{} has no alerts", date(day.run.as_of)));
    let sheet = app.shelf.sheet(&day, Mart::Alert).await?.ok_or_else(none)?;
    let seen = |row: &usize| {
        let is = |(column, text): &(&str, String)| sheet.text(column, *row) == Some(text.as_str());
        let scope = sheet.text("scope", *row).unwrap_or_default();
        wanted.iter().all(is) && given.who.sees_scope(&board, scope, sheet.id(*row))
    };
    let mut found: Vec<usize> = (from..sheet.rows()).filter(seen).take(limit + 1).collect();
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|row| cursor_after(&day.run.run_id, *row));
    let rows = sheet.take(&found).map_err(|error| Problem::of_lake(&error))?;
    page(&day, &given, &rows, next.as_deref(), &[])
}

/// What [`continued`] reads.
pub(super) fn cursor_after(run_id: &str, row: usize) -> String {
    format!("{run_id}-{}", hex(&row.to_string()))
}

/// The row after the one that a cursor names.
pub(super) fn continued(cursor: &str, run_id: &str) -> Result<usize, Problem> {
    let wrong = || Problem::parameter("cursor", "cursor must be `next` of the page before, as it was given");
    let (run, row) = cursor.split_once('-').ok_or_else(wrong)?;
    let row: u32 = unhex(row).and_then(|row| row.parse().ok()).ok_or_else(wrong)?;
    if run != run_id {
        return Err(Problem::gone(
            "another run was published since that page; begin again without the cursor",
        ));
    }
    Ok(usize::try_from(row).map_err(|_| wrong())? + 1)
}
