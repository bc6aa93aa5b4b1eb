//! What if: scenarios on the newest published day, as `tideline whatif` tries them.

use std::path::Path;
use std::time::Instant;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use engine::pipeline::{Past, Staff};

use super::super::App;
use super::super::again::of_engine;
use super::super::answer::page;
use super::super::document::{ArrowStream, Problems, ScenarioBody, Whatif};
use super::super::given::Given;
use super::super::problem::Problem;
use super::super::said::Sent;
use super::super::sheet::arrow_error;
use crate::cli::{Scope, WhatifBy};
use crate::predictor::PanelPredictor;
use crate::report::whatif::{Lines, Today};
use crate::scenario::{self, Scenario, World};

/// Cases computed, and held in memory, at once.
const CASES_AT_ONCE: usize = 16;
/// What messages call the scenarios.
const NAME: &str = "the body";

#[utoipa::path(
    post, path = "/v1/whatif", tag = "quotas",
    description = "Quotas as they would be under scenarios, beside those published; nothing is published. The body is what \
                   a scenario file of `tideline whatif` holds, as TOML or the same as JSON, without `rules`. It needs a key \
                   that sees the whole company.",
    params(("by" = Option<String>, Query, pattern = "^(company|region|rep)$", description = "How far down the rows go: company, region (the usual) or rep")),
    request_body(content((ScenarioBody = "application/json"), (String = "application/toml"))),
    responses((status = 200, content((Whatif = "application/json"), (ArrowStream = "application/vnd.apache.arrow.stream"))), Problems)
)]
pub(crate) async fn whatif(
    State(app): State<App>,
    mut given: Given,
    sent: Sent,
) -> Result<Response, Problem> {
    given.may(Scope::ReadQuotas)?;
    if !given.who.sees_all() {
        return Err(Problem::forbidden(
            "what-if moves everybody's quota: it needs a key that sees everybody",
        ));
    }
    let by = match given.text("by")?.as_deref() {
        None | Some("region") => WhatifBy::Region,
        Some("company") => WhatifBy::Company,
        Some("rep") => WhatifBy::Rep,
        Some(other) => {
            let what = format!("by must be company, region or rep, not '{other}'");
            return Err(Problem::parameter("by", what));
        }
    };
    given.nothing_else()?;
    let scenarios = scenarios(&sent)?;
    let board = app.shelf.board()?;
    let limits = Limits { cases: app.limits.whatif_cases_max, rows: app.limits.whatif_rows_max };
    let is_json = sent.media == "application/json";
    let rows = app
        .again
        .ask(&app, move |past, until| tried(past, &scenarios, by, limits, until))
        .await
        .map_err(|problem| if is_json { problem.without_line(NAME) } else { problem })?;
    // Of what was asked, not of the day: a validator of the day would say too much.
    given.known = None;
    let mut response = page(&board.day, &given, &rows, None, &[])?;
    response.headers_mut().remove(header::ETAG);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// What one request may have.
#[derive(Debug, Clone, Copy)]
struct Limits {
    cases: usize,
    rows: usize,
}

/// The scenarios of a body; JSON is read as the TOML that says the same.
fn scenarios(sent: &Sent) -> Result<Vec<Scenario>, Problem> {
    let text = match sent.media.as_str() {
        "application/json" => {
            let table: toml::Table = serde_json::from_slice(&sent.bytes)
                .map_err(|error| Problem::body(format!("{NAME} is no scenario as JSON: {error}")))?;
            if !table.get("scenario").is_none_or(toml::Value::is_array) {
                return Err(Problem::body(format!("{NAME}: scenario must be an array of objects")));
            }
            toml::to_string(&table)
                .map_err(|error| Problem::body(format!("{NAME} is no scenario as JSON: {error}")))?
        }
        "application/toml" => String::from_utf8(sent.bytes.to_vec())
            .map_err(|_| Problem::body(format!("{NAME} is not UTF-8")))?,
        _ => {
            return Err(Problem::media_type(
                "send the scenarios as application/toml, or as application/json",
            ));
        }
    };
    let read = scenario::read(Path::new(NAME), &text).map_err(of_engine);
    let read =
        read.map_err(
            |problem| {
                if sent.media == "application/json" { problem.without_line(NAME) } else { problem }
            },
        )?;
    if read.iter().any(|scenario| scenario.rules.is_some()) {
        return Err(Problem::unprocessable("rules: files of the server can't be named here"));
    }
    Ok(read)
}

/// The rows of all cases.
fn tried(
    past: &Past,
    scenarios: &[Scenario],
    by: WhatifBy,
    limits: Limits,
    until: Instant,
) -> Result<RecordBatch, Problem> {
    let cases = scenarios.iter().map(Scenario::cases).fold(0, usize::saturating_add);
    if cases > limits.cases {
        let most = limits.cases;
        return Err(Problem::unprocessable(format!("{cases} cases are asked for, at most {most} are tried")));
    }
    let base = past.cast(&Staff::default(), &PanelPredictor).map_err(of_engine)?;
    let today = Today::new(&base);
    let worlds: Vec<World<'_>> = scenario::worlds(past, &base, scenarios, NAME).map_err(of_engine)?;
    let rows = worlds.iter().map(|(cast, cases)| {
        let scopes = match by {
            WhatifBy::Company => 1,
            WhatifBy::Region => 1 + cast.region_ids().len(),
            WhatifBy::Rep => 1 + cast.region_ids().len() + cast.rep_ids().len(),
        };
        scopes.saturating_mul(cases.len())
    });
    let rows = rows.fold(0, usize::saturating_add);
    if rows > limits.rows {
        let most = limits.rows;
        let message =
            format!("that would be {rows} rows, at most {most} are given; say by=region or by=company");
        return Err(Problem::unprocessable(message));
    }
    let mut batches = Vec::new();
    for (cast, cases) in &worlds {
        for some in cases.chunks(CASES_AT_ONCE) {
            if Instant::now() >= until {
                return Err(Problem::unavailable("trying the scenarios took too long; ask for fewer cases"));
            }
            let variations: Vec<_> = some.iter().map(|case| &case.variation).collect();
            let outcomes = cast.quotas_of(&variations).map_err(of_engine)?;
            let mut lines = Lines::default();
            for (case, outcome) in some.iter().zip(outcomes) {
                lines.case(&case.name, cast, &today, &outcome, by);
            }
            batches.push(lines.batch().map_err(|error| Problem::of_lake(error.as_ref()))?);
        }
    }
    concat_batches(&Lines::schema(), &batches).map_err(|error| Problem::of_lake(&arrow_error(error)))
}
