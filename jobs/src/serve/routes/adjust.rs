//! Adjustments: asked for, talked about and decided by programs, as `tideline adjust` does it for people.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use engine::adjust::{self, Event, Request};
use serde_json::{Value, json};

use super::super::App;
use super::super::adjustment::{effect_json, event_json, request_json};
use super::super::again::beside;
use super::super::cursor::{hex, unhex};
use super::super::day::Mart;
use super::super::document::{
    Adjustment, Adjustments, AskBody, CommentBody, CounterBody, DecideBody, EventDone, Problems,
};
use super::super::given::{Given, Id};
use super::super::problem::Problem;
use super::super::said::Said;
use super::quota::may_see;
use crate::cli::Scope;
use crate::context::now;
use crate::negotiate::{self, Act, Actor, Effect, Wish};

/// Requests of a page where nothing is said.
const USUAL_ROWS: usize = 100;
/// The fields of a request.
const ASK: [&str; 9] =
    ["rep", "to", "percent", "reason", "evidence", "period", "from", "until", "beyond_plan"];
/// Those of other terms, and of a decision.
const TERMS: [&str; 3] = ["to", "percent", "reason"];
/// What a request may be filtered by.
const STATUSES: [&str; 4] = ["open", "countered", "approved", "rejected"];

#[utoipa::path(
    get, path = "/v1/adjustments", tag = "adjustments",
    description = "Requests for other quotas, the oldest first, of the reps that the key sees.",
    params(
        ("rep" = Option<String>, Query, min_length = 1, description = "About this rep only"),
        ("status" = Option<String>, Query, pattern = "^(open|countered|approved|rejected)$", description = "Only those that have come so far: open, countered, approved or rejected"),
        ("limit" = Option<u32>, Query, minimum = 1, description = "Requests of the page, at most; a server may give fewer"),
        ("cursor" = Option<String>, Query, min_length = 1, description = "`next` of the page before")
    ),
    responses((status = 200, body = Adjustments, content_type = "application/json"), Problems)
)]
pub(crate) async fn list(State(app): State<App>, mut given: Given) -> Result<Response, Problem> {
    may_read(&given)?;
    let (rep, status) = (given.text("rep")?, given.text("status")?);
    let limit = given.limit(USUAL_ROWS, app.limits.page_rows_max)?;
    let cursor = given.text("cursor")?;
    given.nothing_else()?;
    if let Some(status) = status.as_deref().filter(|status| !STATUSES.contains(status)) {
        let what = format!("status must be one of {}, not '{status}'", STATUSES.join(", "));
        return Err(Problem::parameter("status", what));
    }
    let wrong = || Problem::parameter("cursor", "cursor must be `next` of the page before, as it was given");
    let after = cursor.map(|cursor| unhex(&cursor).ok_or_else(wrong)).transpose()?;
    let board = app.shelf.board()?;
    if let Some(rep) = &rep {
        may_see(&given, given.who.sees_rep(&board, rep))?;
    }
    let requests = all(&app).await?;
    let key = |request: &Request| {
        format!("{:020} {}", request.events.first().map_or(0, |event| event.at), request.id)
    };
    let mut found: Vec<&Request> = requests
        .values()
        .filter(|request| rep.as_ref().is_none_or(|rep| *rep == request.rep_id))
        .filter(|request| status.as_ref().is_none_or(|status| status == request.status.as_str()))
        .filter(|request| given.who.sees_rep(&board, &request.rep_id))
        .filter(|request| after.as_ref().is_none_or(|after| key(request) > *after))
        .collect();
    found.sort_by_key(|request| key(request));
    let next = (found.len() > limit).then(|| hex(&key(found[limit - 1])));
    found.truncate(limit);
    let items: Vec<Value> = found.into_iter().map(request_json).collect();
    Ok(answer(StatusCode::OK, &json!({ "items": items, "next": next })))
}

#[utoipa::path(
    get, path = "/v1/adjustments/{id}", tag = "adjustments",
    description = "A request with all that happened, and who would pay for it while nobody has decided: the quotas of the \
                   newest published day with and without it. Reps that the key doesn't see are a sum.",
    params(("id" = String, Path, description = "The request")),
    responses((status = 200, body = Adjustment, content_type = "application/json"), Problems)
)]
pub(crate) async fn one(State(app): State<App>, Id(id): Id, given: Given) -> Result<Response, Problem> {
    may_read(&given)?;
    given.nothing_else()?;
    let request = visible(&app, &given, &id).await?;
    let mut body = request_json(&request);
    if !request.status.is_decided() {
        let board = app.shelf.board()?;
        let asked = request.clone();
        let effect = app
            .again
            .ask(&app, move |past, _| {
                negotiate::effect(past, &asked).map_err(|error| Problem::of_lake(&error))
            })
            .await?;
        body["effect"] = match effect {
            Effect::Known(known) => effect_json(&known, |rep| given.who.sees_rep(&board, rep)),
            Effect::Unknown(why) => json!({ "unknown": why }),
        };
    }
    Ok(answer(StatusCode::OK, &body))
}

#[utoipa::path(
    post, path = "/v1/adjustments", tag = "adjustments",
    description = "Ask that a rep's quota become an amount (`to`), or so many percent more or less (`percent`). A rep's \
                   key asks for that rep only, a manager's for the team. Sent again with the same `Idempotency-Key`, it is \
                   answered the same and done once.",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$", description = "A text of your own for this very request")),
    request_body(content = AskBody, content_type = "application/json"),
    responses((status = 201, body = EventDone, content_type = "application/json"), Problems)
)]
pub(crate) async fn ask(State(app): State<App>, given: Given, said: Said) -> Result<Response, Problem> {
    given.may(Scope::Request)?;
    given.nothing_else()?;
    said.only(&ASK)?;
    let (to, percent) = (said.amount("to")?, said.number("percent")?);
    let wish = Wish {
        rep: said.needed("rep")?,
        change: change(to.as_deref(), percent)?,
        beyond_plan: said.flag("beyond_plan")?,
        period: said.text("period")?,
        from: said.date("from")?,
        until: said.date("until")?,
        reason: said.needed("reason")?,
        evidence: said.text("evidence")?,
    };
    let board = app.shelf.board()?;
    may_see(&given, given.who.sees_rep(&board, &wish.rep))?;
    let sheet = app.shelf.sheet(&board.day, Mart::Quota).await?;
    let reps = sheet.iter().flat_map(|sheet| (0..sheet.rows()).map(|row| sheet.id(row)));
    negotiate::known_rep(&wish.rep, reps)?;
    let actor = actor(&given, &said);
    let every = app.again.context().config.quota.period;
    let lake = app.shelf.lake().clone();
    let _turn = app.desk.acquire().await.map_err(|error| Problem::of_lake(&error))?;
    let event = beside(async move { negotiate::ask(&lake, every, &wish, &actor).await }).await??;
    let mut response = done(StatusCode::CREATED, &event);
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/adjustments/{}", event.request_id)) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

#[utoipa::path(
    post, path = "/v1/adjustments/{id}/comment", tag = "adjustments",
    description = "Say something about a request.",
    params(
        ("id" = String, Path, description = "The request"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$", description = "A text of your own for this very comment")
    ),
    request_body(content = CommentBody, content_type = "application/json"),
    responses((status = 200, body = EventDone, content_type = "application/json"), Problems)
)]
pub(crate) async fn comment(
    State(app): State<App>,
    Id(id): Id,
    given: Given,
    said: Said,
) -> Result<Response, Problem> {
    may_talk(&given)?;
    said.only(&["text"])?;
    let act = Act::Comment(said.needed("text")?);
    follow(&app, &given, &said, &id, act).await
}

#[utoipa::path(
    post, path = "/v1/adjustments/{id}/counter", tag = "adjustments",
    description = "Propose other terms; whoever proposes them can't approve them.",
    params(
        ("id" = String, Path, description = "The request"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$", description = "A text of your own for this very proposal")
    ),
    request_body(content = CounterBody, content_type = "application/json"),
    responses((status = 200, body = EventDone, content_type = "application/json"), Problems)
)]
pub(crate) async fn counter(
    State(app): State<App>,
    Id(id): Id,
    given: Given,
    said: Said,
) -> Result<Response, Problem> {
    may_talk(&given)?;
    said.only(&TERMS)?;
    let (to, percent) = (said.amount("to")?, said.number("percent")?);
    let act = Act::Counter(change(to.as_deref(), percent)?, said.text("reason")?);
    follow(&app, &given, &said, &id, act).await
}

#[utoipa::path(
    post, path = "/v1/adjustments/{id}/approve", tag = "adjustments",
    description = "Agree to the terms proposed last; look at who pays first. With `to` or `percent`, only if these are \
                   still the terms. It acts from the newest published day on.",
    params(
        ("id" = String, Path, description = "The request"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$", description = "A text of your own for this very decision")
    ),
    request_body(content = DecideBody, content_type = "application/json"),
    responses((status = 200, body = EventDone, content_type = "application/json"), Problems)
)]
pub(crate) async fn approve(
    State(app): State<App>,
    Id(id): Id,
    given: Given,
    said: Said,
) -> Result<Response, Problem> {
    decide(&app, &given, said, &id, true).await
}

#[utoipa::path(
    post, path = "/v1/adjustments/{id}/reject", tag = "adjustments",
    description = "Turn a request down.",
    params(
        ("id" = String, Path, description = "The request"),
        ("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$", description = "A text of your own for this very decision")
    ),
    request_body(content = DecideBody, content_type = "application/json"),
    responses((status = 200, body = EventDone, content_type = "application/json"), Problems)
)]
pub(crate) async fn reject(
    State(app): State<App>,
    Id(id): Id,
    given: Given,
    said: Said,
) -> Result<Response, Problem> {
    decide(&app, &given, said, &id, false).await
}

async fn decide(app: &App, given: &Given, said: Said, id: &str, approve: bool) -> Result<Response, Problem> {
    given.may(Scope::Approve)?;
    said.only(&TERMS)?;
    let (to, percent) = (said.amount("to")?, said.number("percent")?);
    let terms = match (&to, percent) {
        (None, None) => None,
        _ => Some(change(to.as_deref(), percent)?),
    };
    let act = Act::Decide { approve, reason: said.text("reason")?, terms };
    follow(app, given, &said, id, act).await
}

/// Does something to a request that the key sees.
async fn follow(app: &App, given: &Given, said: &Said, id: &str, act: Act) -> Result<Response, Problem> {
    given.nothing_else()?;
    visible(app, given, id).await?;
    let (actor, id) = (actor(given, said), id.to_owned());
    let every = app.again.context().config.quota.period;
    let lake = app.shelf.lake().clone();
    let _turn = app.desk.acquire().await.map_err(|error| Problem::of_lake(&error))?;
    let event = beside(async move { negotiate::act(&lake, every, &id, &act, &actor).await }).await??;
    Ok(done(StatusCode::OK, &event))
}

fn change(to: Option<&str>, percent: Option<f64>) -> Result<adjust::Change, Problem> {
    if to.is_none() && percent.is_none() {
        return Err(Problem::parameter("to", "to is missing: say which amount, or percent"));
    }
    Ok(negotiate::change(to, percent)?)
}

/// Whoever holds the key acts; the key's name also keeps idempotency keys of two clients apart.
fn actor(given: &Given, said: &Said) -> Actor {
    let name = given.who.id().to_owned();
    let hash = |key: &String| blake3::hash(format!("{name}\0{key}").as_bytes()).to_hex().to_string();
    let idempotency = said.idempotency.as_ref().map(hash);
    Actor { name, now: now(), idempotency }
}

fn may_read(given: &Given) -> Result<(), Problem> {
    if given.who.may(Scope::Request) || given.who.may(Scope::Approve) {
        return Ok(());
    }
    given.may(Scope::ReadQuotas)
}

fn may_talk(given: &Given) -> Result<(), Problem> {
    if given.who.may(Scope::Approve) { Ok(()) } else { given.may(Scope::Request) }
}

async fn all(app: &App) -> Result<std::collections::BTreeMap<String, Request>, Problem> {
    let lake = app.shelf.lake().clone();
    beside(async move { adjust::load(&lake).await }).await?.map_err(|error| Problem::of_lake(&error))
}

/// The request of that id, where the key sees its rep; otherwise it isn't told whether there is one.
async fn visible(app: &App, given: &Given, id: &str) -> Result<Request, Problem> {
    let board = app.shelf.board()?;
    let found = all(app).await?.remove(id);
    let sees =
        found.as_ref().map_or(given.who.sees_all(), |request| given.who.sees_rep(&board, &request.rep_id));
    may_see(given, sees)?;
    found.ok_or_else(|| Problem::not_found(format!("there is no request {id}")))
}

fn done(status: StatusCode, event: &Event) -> Response {
    answer(status, &json!({ "request_id": event.request_id, "event": event_json(event) }))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
