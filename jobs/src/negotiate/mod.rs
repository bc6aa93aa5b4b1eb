//! Negotiation, as the command and the HTTP API do it: what may be asked, said and decided, and who would pay.
//!
//! Every function adds one event to `ops.adjustment` or refuses with a [`Refusal`]. An act that comes with the hash of
//! an idempotency key is done once: the event keeps the hash, and whoever comes again is given the event that there is.

mod effect;
mod refusal;
mod terms;

use std::sync::{Mutex, PoisonError};

use chrono::NaiveDate;
use engine::EngineError;
use engine::adjust::{self, Ask, Change, Event, EventKind, Request};
use engine::lake::Lake;
use engine::pipeline::find_run;
use engine::quota::Span;
use engine::settings::Period;
use engine::time::{Day, Micros, date};

pub(crate) use self::effect::{Cost, Effect, Known, Line, cost, effect};
pub(crate) use self::refusal::Refusal;
pub(crate) use self::terms::{change, known_rep, said};

/// Digits of the id of a request that was asked for under an idempotency key.
const KEYED_ID_DIGITS: usize = 16;

type Result<T> = std::result::Result<T, Refusal>;

/// Who acts, and when.
#[derive(Debug, Clone)]
pub(crate) struct Actor {
    /// The name that the event is to have.
    pub(crate) name: String,
    /// The present.
    pub(crate) now: Micros,
    /// A hash that the same act has when it is sent again.
    pub(crate) idempotency: Option<String>,
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) rep: String,
    pub(crate) change: Change,
    pub(crate) beyond_plan: bool,
    /// None for the period of the newest published day.
    pub(crate) period: Option<String>,
    pub(crate) from: Option<NaiveDate>,
    pub(crate) until: Option<NaiveDate>,
    pub(crate) reason: String,
    pub(crate) evidence: Option<String>,
}

/// What somebody does to a request.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Comment(String),
    Counter(Change, Option<String>),
    /// Approves or rejects: these terms, where whoever decides says which he has seen.
    Decide {
        approve: bool,
        reason: Option<String>,
        terms: Option<Change>,
    },
}

impl Act {
    fn kind(&self) -> EventKind {
        match self {
            Self::Comment(_) => EventKind::Comment,
            Self::Counter(..) => EventKind::Counter,
            Self::Decide { approve: true, .. } => EventKind::Approve,
            Self::Decide { approve: false, .. } => EventKind::Reject,
        }
    }

    fn reason(&self) -> Option<&str> {
        match self {
            Self::Comment(text) => Some(text),
            Self::Counter(_, reason) | Self::Decide { reason, .. } => reason.as_deref(),
        }
    }

    /// Whether the event is what this act made.
    fn made(&self, event: &Event) -> bool {
        let same_terms = match self {
            Self::Counter(change, _) => event.ask.is_some_and(|ask| ask.change == *change),
            _ => true,
        };
        event.kind == self.kind() && event.reason.as_deref() == self.reason() && same_terms
    }
}

impl Wish {
    /// Whether the event is what this wish made.
    fn made(&self, event: &Event) -> bool {
        let day = |given: Option<NaiveDate>| given.map(engine::time::day_number);
        let same = |ask: Ask| {
            (ask.change, ask.beyond_plan, ask.from, ask.until)
                == (self.change, self.beyond_plan, day(self.from), day(self.until))
        };
        event.kind == EventKind::Request
            && event.rep_id == self.rep
            && self.period.as_ref().is_none_or(|period| *period == event.period)
            && event.ask.is_some_and(same)
            && event.reason.as_deref() == Some(&self.reason)
            && event.evidence == self.evidence
    }
}

/// Asks for another quota. The rep must have been found by [`known_rep`], or the event be there already.
///
/// # Errors
/// A [`Refusal`]; nothing is added then.
pub(crate) async fn ask(lake: &Lake, every: Period, wish: &Wish, actor: &Actor) -> Result<Event> {
    let newest = find_run(lake, None, None).await?.as_of;
    let now = Span::of(newest, every);
    let period = wish.period.clone().unwrap_or_else(|| now.name.clone());
    let span = span(&period, &now)?;
    let day = |given: NaiveDate, field: &'static str| {
        let day = engine::time::day_number(given);
        if (span.first..=span.last).contains(&day) {
            return Ok(day);
        }
        let (first, last) = (date(span.first), date(span.last));
        let what = format!("{given} is not in {period}, which goes from {first} to {last}");
        Err(Refusal::Value { field, what })
    };
    let ask = Ask {
        change: wish.change,
        beyond_plan: wish.beyond_plan,
        from: wish.from.map(|from| day(from, "from")).transpose()?,
        until: wish.until.map(|until| day(until, "until")).transpose()?,
    };
    if let (Some(from), Some(until)) = (ask.from, ask.until)
        && from > until
    {
        let what = format!("{} is after {}, the last day on which it acts", date(from), date(until));
        return Err(Refusal::Value { field: "from", what });
    }
    let id = match &actor.idempotency {
        Some(hash) => hash.chars().take(KEYED_ID_DIGITS).collect(),
        None => adjust::request_id(&wish.rep, &period, &actor.name, actor.now),
    };
    let event = Event {
        request_id: id.clone(),
        sequence: 1,
        kind: EventKind::Request,
        actor: actor.name.clone(),
        at: actor.now,
        rep_id: wish.rep.clone(),
        period: period.clone(),
        ask: Some(ask),
        reason: Some(wish.reason.clone()),
        evidence: wish.evidence.clone(),
        idempotency: actor.idempotency.clone(),
    };
    once(lake, &id, actor, &|event| wish.made(event), &|_| Ok(event.clone())).await
}

/// Does something to the request of that id.
///
/// # Errors
/// A [`Refusal`]; nothing is added then.
pub(crate) async fn act(lake: &Lake, every: Period, id: &str, act: &Act, actor: &Actor) -> Result<Event> {
    let requests = adjust::load(lake).await?;
    let request = found(requests.get(id), id)?;
    let same = |event: &Event| event.request_id == id && act.made(event);
    // Whoever comes again is answered what he was answered, whatever came after.
    let from = match done(request, actor) {
        Some(_) => None,
        None => check(lake, every, request, act, actor).await?,
    };
    let (terms, kind) = (request.ask, act.kind());
    let make = |request: Option<&Request>| {
        let request = request.ok_or_else(|| EngineError::Input(missing(id)))?;
        request.check(kind, &actor.name)?;
        let is_decision = matches!(act, Act::Decide { .. });
        if is_decision && request.ask != terms {
            return Err(EngineError::Input(other_terms(id)));
        }
        let ask = match act {
            Act::Counter(change, _) => Some(Ask { change: *change, ..request.ask }),
            Act::Decide { approve: true, .. } => Some(Ask { from, ..request.ask }),
            _ => None,
        };
        Ok(Event {
            request_id: request.id.clone(),
            sequence: request.next_sequence(),
            kind,
            actor: actor.name.clone(),
            at: actor.now,
            rep_id: request.rep_id.clone(),
            period: request.period.clone(),
            ask,
            reason: act.reason().map(str::to_owned),
            evidence: None,
            idempotency: actor.idempotency.clone(),
        })
    };
    once(lake, id, actor, &same, &make).await
}

/// The id that begins so.
///
/// # Errors
/// [`Refusal::Missing`] where there is none, or several begin so.
pub(crate) async fn full_id(lake: &Lake, id: &str) -> Result<String> {
    let requests = adjust::load(lake).await?;
    let mut begin = requests.keys().filter(|known| !id.is_empty() && known.starts_with(id));
    match (begin.next(), begin.next()) {
        (Some(known), None) => Ok(known.clone()),
        (Some(_), Some(_)) => {
            Err(Refusal::Missing(format!("several requests begin with {id}; give more of the id")))
        }
        _ => Err(Refusal::Missing(missing(id))),
    }
}

/// The request, where it is there.
///
/// # Errors
/// [`Refusal::Missing`].
pub(crate) fn found<'a>(request: Option<&'a Request>, id: &str) -> Result<&'a Request> {
    request.ok_or_else(|| Refusal::Missing(missing(id)))
}

fn missing(id: &str) -> String {
    format!("there is no request {id}; `tideline adjust list` shows them")
}

/// The event that this very act has left already.
fn done<'a>(request: &'a Request, actor: &Actor) -> Option<&'a Event> {
    let key = actor.idempotency.as_ref()?;
    request.events.iter().find(|event| event.idempotency.as_ref() == Some(key))
}

/// Refuses what can't follow; for an approval, the first day on which it will act.
///
/// # Errors
/// A [`Refusal`] that says what kind of refusal it is.
pub(crate) async fn check(
    lake: &Lake,
    every: Period,
    request: &Request,
    act: &Act,
    actor: &Actor,
) -> Result<Option<Day>> {
    let own = act.kind() == EventKind::Approve && actor.name == request.proposed_by;
    request.check(act.kind(), &actor.name).map_err(|error| match error {
        EngineError::Input(message) if own && request.decided.is_none() => Refusal::Forbidden(message),
        other => Refusal::of_adding(other),
    })?;
    if let Act::Decide { terms: Some(terms), .. } = act
        && *terms != request.ask.change
    {
        return Err(Refusal::Conflict(other_terms(&request.id)));
    }
    if act.kind() != EventKind::Approve {
        return Ok(None);
    }
    let newest = find_run(lake, None, None).await?.as_of;
    let now = Span::of(newest, every);
    not_over(request, newest, &now)?;
    // It acts from the newest published day on, so that what was published before stays what it is.
    Ok(request.ask.from.or_else(|| (now.name == request.period).then_some(newest)))
}

fn other_terms(id: &str) -> String {
    format!("the terms of request {id} have changed; see `tideline adjust show {id}`")
}

/// Adds an event, unless the same act has left one already: then that one is the answer.
async fn once(
    lake: &Lake,
    id: &str,
    actor: &Actor,
    same: &(dyn Fn(&Event) -> bool + Sync),
    make: &(dyn Fn(Option<&Request>) -> engine::Result<Event> + Sync),
) -> Result<Event> {
    if let Some(key) = &actor.idempotency {
        let requests = adjust::load(lake).await?;
        let mut events = requests.values().flat_map(|request| &request.events);
        if let Some(event) = events.find(|event| event.idempotency.as_ref() == Some(key)) {
            return again(event, same);
        }
    }
    // Somebody may do the same at the same time.
    let earlier = Mutex::new(None);
    let make = |request: Option<&Request>| {
        if let Some(event) = request.and_then(|request| done(request, actor)) {
            *earlier.lock().unwrap_or_else(PoisonError::into_inner) = Some(event.clone());
            return Err(EngineError::Input("it is done already".to_owned()));
        }
        make(request)
    };
    let added = adjust::add(lake, id, &make).await;
    let earlier = earlier.into_inner().unwrap_or_else(PoisonError::into_inner);
    match (added, earlier) {
        (Ok(event), _) => Ok(event),
        (Err(_), Some(event)) => again(&event, same),
        (Err(error), None) => Err(Refusal::of_adding(error)),
    }
}

fn again(event: &Event, same: &dyn Fn(&Event) -> bool) -> Result<Event> {
    if same(event) {
        return Ok(event.clone());
    }
    Err(Refusal::Reused)
}

/// Refuses to approve what can't act any more.
fn not_over(request: &Request, newest: Day, now: &Span) -> Result<()> {
    let last = match request.ask.until {
        Some(until) => until,
        None => span(&request.period, now)?.last,
    };
    if newest <= last {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "request {} was to act until {}, and {} is published already: it would change nothing",
        request.id,
        date(last),
        date(newest)
    )))
}

/// The days of a period by its name; `now` is one of the same length.
fn span(name: &str, now: &Span) -> Result<Span> {
    let wrong = || {
        let like = &now.name;
        let message =
            format!("there is no period {name}; with the configured length it is written like {like}");
        Refusal::Unknown { field: "period", message }
    };
    let every = if now.name.contains('Q') { Period::Quarter } else { Period::Month };
    let (year, part) = name.split_once('-').ok_or_else(wrong)?;
    let year: i32 = year.parse().map_err(|_| wrong())?;
    let part: u32 = part.trim_start_matches('Q').parse().map_err(|_| wrong())?;
    let month = match every {
        Period::Quarter => part.max(1).saturating_sub(1).saturating_mul(3).saturating_add(1),
        Period::Month => part,
    };
    let first = NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(wrong)?;
    let span = Span::of(engine::time::day_number(first), every);
    if span.name == name { Ok(span) } else { Err(wrong()) }
}
