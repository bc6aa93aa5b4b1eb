//! `tideline adjust`: ask for another quota, talk about it, see who would pay, and decide.

use std::io::{IsTerminal, Write};

use engine::EngineError;
use engine::adjust::{self, Adjustment, Ask, Change, Event, EventKind, Request, Status};
use engine::lake::Lake;
use engine::pipeline::{Past, Variation, find_run};
use engine::quota::Span;
use engine::time::{Day, date};

use super::past::past;
use crate::cli::{
    AdjustCommand, AdjustCommentArgs, AdjustCounterArgs, AdjustDecideArgs, AdjustListArgs, AdjustRequestArgs,
    AdjustStatus, AdjustTerms,
};
use crate::config::nearest;
use crate::context::Context;
use crate::output;
use crate::predictor::PanelPredictor;
use crate::report::adjust as report;

/// The most that a percentage may be; one above is a slip.
const PERCENT_MAX: f64 = 500.0;

/// Runs a subcommand about adjustments.
///
/// # Errors
/// [`EngineError::Input`] for a request that isn't there or can't be decided; as the lake.
pub(crate) async fn run(command: AdjustCommand, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    match command {
        AdjustCommand::Request(args) => request(args, &lake, context).await,
        AdjustCommand::Comment(args) => comment(args, &lake, context).await,
        AdjustCommand::Approve(args) => decide(EventKind::Approve, args, &lake, context).await,
        AdjustCommand::Counter(args) => counter(args, &lake, context).await,
        AdjustCommand::Reject(args) => decide(EventKind::Reject, args, &lake, context).await,
        AdjustCommand::List(args) => list(&args, &lake).await,
        AdjustCommand::Show(args) => show(&args.id, &lake, context).await,
    }
}

async fn request(args: AdjustRequestArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let newest = find_run(lake, None, None).await?.as_of;
    let every = context.config.quota.period;
    let now = Span::of(newest, every);
    let period = args.period.clone().unwrap_or_else(|| now.name.clone());
    let span = span(&period, &now)?;
    let day = |given: chrono::NaiveDate, name: &str| {
        let day = engine::time::day_number(given);
        if (span.first..=span.last).contains(&day) {
            return Ok(day);
        }
        let (first, last) = (date(span.first), date(span.last));
        Err(EngineError::Input(format!(
            "{name} {given} is not in {period}, which goes from {first} to {last}"
        )))
    };
    let ask = Ask {
        change: change(&args.terms)?,
        beyond_plan: args.beyond_plan,
        from: args.from.map(|from| day(from, "--from")).transpose()?,
        until: args.until.map(|until| day(until, "--until")).transpose()?,
    };
    if let (Some(from), Some(until)) = (ask.from, ask.until)
        && from > until
    {
        return Err(
            EngineError::Input(format!("--from {} is after --until {}", date(from), date(until))).into()
        );
    }
    known_rep(lake, context, &args.rep).await?;
    let (actor, reason) = (said("--by", &args.by)?, said("--reason", &args.reason)?);
    let id = adjust::request_id(&args.rep, &period, &actor, context.now);
    let event = Event {
        request_id: id.clone(),
        sequence: 1,
        kind: EventKind::Request,
        actor,
        at: context.now,
        rep_id: args.rep,
        period,
        ask: Some(ask),
        reason: Some(reason),
        evidence: args.evidence,
    };
    let event = adjust::add(lake, &id, &|_| Ok(event.clone())).await?;
    output::print(&format!("asked: request {id}, {}", report::terms(&ask, &event.rep_id, &event.period)))?;
    output::print(&format!("`tideline adjust show {id}` says who would pay for it"))
}

async fn comment(args: AdjustCommentArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let (actor, text) = (said("--by", &args.by)?, said("the comment", &args.text)?);
    let id = full_id(lake, &args.id).await?;
    let make = |request: Option<&Request>| {
        let request = found(request, &id)?;
        request.check(EventKind::Comment, &actor)?;
        Ok(following(request, EventKind::Comment, &actor, Some(text.clone()), None, context))
    };
    adjust::add(lake, &id, &make).await?;
    output::print(&format!("noted on request {id}"))
}

async fn counter(args: AdjustCounterArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let (actor, change) = (said("--by", &args.by)?, change(&args.terms)?);
    let id = full_id(lake, &args.id).await?;
    let make = |request: Option<&Request>| {
        let request = found(request, &id)?;
        request.check(EventKind::Counter, &actor)?;
        let ask = Ask { change, ..request.ask };
        Ok(following(request, EventKind::Counter, &actor, args.reason.clone(), Some(ask), context))
    };
    let event = adjust::add(lake, &id, &make).await?;
    let terms = event.ask.map(|ask| report::terms(&ask, &event.rep_id, &event.period)).unwrap_or_default();
    output::print(&format!("proposed on request {id}: {terms}"))?;
    output::print(&format!("whoever asked agrees with `tideline adjust approve {id} --by NAME`"))
}

async fn decide(
    kind: EventKind,
    args: AdjustDecideArgs,
    lake: &Lake,
    context: &Context,
) -> anyhow::Result<()> {
    let actor = said("--by", &args.by)?;
    let id = full_id(lake, &args.id).await?;
    let requests = adjust::load(lake).await?;
    let request = found(requests.get(&id), &id)?;
    request.check(kind, &actor)?;
    let mut from = request.ask.from;
    if kind == EventKind::Approve {
        let newest = find_run(lake, None, None).await?.as_of;
        not_over(request, newest, context)?;
        let first = Span::of(newest, context.config.quota.period);
        // It acts from the newest published day on, so that what was published before stays what it is.
        from = from.or_else(|| (first.name == request.period).then_some(newest));
        output::print(&report::request(request))?;
        output::print(&format!("\n{}", effect(lake, request, context).await?))?;
        confirm(args.yes, &format!("Approve request {id}?"))?;
    }
    let terms = request.ask;
    let make = |request: Option<&Request>| {
        let request = found(request, &id)?;
        request.check(kind, &actor)?;
        if request.ask != terms {
            let message = format!("the terms of request {id} have changed; see `tideline adjust show {id}`");
            return Err(EngineError::Input(message));
        }
        let ask = (kind == EventKind::Approve).then_some(Ask { from, ..request.ask });
        Ok(following(request, kind, &actor, args.reason.clone(), ask, context))
    };
    let event = adjust::add(lake, &id, &make).await?;
    let told = match event.ask {
        Some(ask) => format!("approved: request {id} acts on runs of {}", report::days(&ask, &event.period)),
        None => format!("rejected: request {id}"),
    };
    output::print(&told)
}

async fn list(args: &AdjustListArgs, lake: &Lake) -> anyhow::Result<()> {
    let requests = adjust::load(lake).await?;
    let wanted = |request: &&Request| {
        let status = match args.status {
            None => true,
            Some(AdjustStatus::Open) => !request.status.is_decided(),
            Some(AdjustStatus::Approved) => request.status == Status::Approved,
            Some(AdjustStatus::Rejected) => request.status == Status::Rejected,
        };
        status && args.rep.as_ref().is_none_or(|rep| *rep == request.rep_id)
    };
    let mut wanted: Vec<&Request> = requests.values().filter(wanted).collect();
    wanted.sort_by_key(|request| (request.events.first().map(|event| event.at), &request.id));
    output::print(&report::list(&wanted))
}

async fn show(id: &str, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let id = full_id(lake, id).await?;
    let requests = adjust::load(lake).await?;
    let request = found(requests.get(&id), &id)?;
    output::print(&report::request(request))?;
    if !request.status.is_decided() {
        output::print(&format!("\n{}", effect(lake, request, context).await?))?;
    }
    Ok(())
}

/// Who would pay for a request, by the real frame on the newest published day of its period.
async fn effect(lake: &Lake, request: &Request, context: &Context) -> anyhow::Result<String> {
    let run = find_run(lake, None, None).await?;
    let past: Past = match past(lake, run, context).await? {
        Ok(past) => past,
        Err(missing) => {
            return Ok(format!(
                "Who would pay can't be said, because the newest published day can't be computed again:\n  {}\n\
                 `tideline daily` publishes a day whose inputs are there.",
                missing.join("\n  ")
            ));
        }
    };
    let cast = past.cast(&engine::pipeline::Staff::default(), &PanelPredictor)?;
    let without = cast.quotas(&Variation::default())?;
    let mut adjustments = cast.adjustments().to_vec();
    adjustments.push(Adjustment::of(request));
    let with = cast.quotas(&Variation { adjustments: Some(adjustments), ..Variation::default() })?;
    Ok(report::effect(request, past.run.as_of, &cast, (&without, &with)))
}

/// Refuses to approve what can't act any more.
fn not_over(request: &Request, newest: Day, context: &Context) -> Result<(), EngineError> {
    let now = Span::of(newest, context.config.quota.period);
    let last = match request.ask.until {
        Some(until) => until,
        None => span(&request.period, &now)?.last,
    };
    if newest <= last {
        return Ok(());
    }
    Err(EngineError::Input(format!(
        "request {} was to act until {}, and {} is published already: it would change nothing",
        request.id,
        date(last),
        date(newest)
    )))
}

/// The days of a period by its name; `now` is one of the same length.
fn span(name: &str, now: &Span) -> Result<Span, EngineError> {
    let wrong = || {
        let like = &now.name;
        EngineError::Input(format!(
            "there is no period {name}; with the configured length it is written like {like}"
        ))
    };
    let every = if now.name.contains('Q') {
        engine::settings::Period::Quarter
    } else {
        engine::settings::Period::Month
    };
    let (year, part) = name.split_once('-').ok_or_else(wrong)?;
    let year: i32 = year.parse().map_err(|_| wrong())?;
    let part: u32 = part.trim_start_matches('Q').parse().map_err(|_| wrong())?;
    let month = if every == engine::settings::Period::Quarter { (part.max(1) - 1) * 3 + 1 } else { part };
    let first = chrono::NaiveDate::from_ymd_opt(year, month, 1).ok_or_else(wrong)?;
    let span = Span::of(engine::time::day_number(first), every);
    if span.name == name { Ok(span) } else { Err(wrong()) }
}

/// An amount or a share, within reason.
fn change(terms: &AdjustTerms) -> Result<Change, EngineError> {
    if let Some(text) = &terms.to {
        let amount = crate::report::words::read_money(text).filter(|amount| *amount > 0);
        let wrong = || {
            EngineError::Input(format!("--to {text} is no amount above 0; write it like 120000 or 120000.50"))
        };
        return amount.map(Change::Pin).ok_or_else(wrong);
    }
    let percent = terms.percent.unwrap_or(0.0);
    let sane = percent > -100.0 && percent <= PERCENT_MAX && percent.abs() >= 0.01;
    if sane {
        return Ok(Change::Percent(percent));
    }
    let message = format!("--percent {percent} is not between -100 and {PERCENT_MAX}, or changes nothing");
    Err(EngineError::Input(message))
}

/// A text that says something.
fn said(what: &str, text: &str) -> Result<String, EngineError> {
    let text = text.trim();
    if text.is_empty() { Err(EngineError::Input(format!("{what} is empty"))) } else { Ok(text.to_owned()) }
}

fn found<'a>(request: Option<&'a Request>, id: &str) -> Result<&'a Request, EngineError> {
    request.ok_or_else(|| {
        EngineError::Input(format!("there is no request {id}; `tideline adjust list` shows them"))
    })
}

/// The id that begins so.
async fn full_id(lake: &Lake, id: &str) -> Result<String, EngineError> {
    let requests = adjust::load(lake).await?;
    let mut begin = requests.keys().filter(|known| !id.is_empty() && known.starts_with(id));
    match (begin.next(), begin.next()) {
        (Some(known), None) => Ok(known.clone()),
        (Some(_), Some(_)) => {
            Err(EngineError::Input(format!("several requests begin with {id}; give more of the id")))
        }
        _ => found(None, id).map(|request| request.id.clone()),
    }
}

/// The event after the last one of a request.
fn following(
    request: &Request,
    kind: EventKind,
    actor: &str,
    reason: Option<String>,
    ask: Option<Ask>,
    context: &Context,
) -> Event {
    Event {
        request_id: request.id.clone(),
        sequence: request.next_sequence(),
        kind,
        actor: actor.to_owned(),
        at: context.now,
        rep_id: request.rep_id.clone(),
        period: request.period.clone(),
        ask,
        reason,
        evidence: None,
    }
}

/// Refuses a rep without a quota on the newest day.
async fn known_rep(lake: &Lake, context: &Context, rep: &str) -> anyhow::Result<()> {
    let reps = crate::report::quota_reps(lake, &context.catalogue()?).await?;
    if reps.iter().any(|known| known == rep) {
        return Ok(());
    }
    let hint = nearest(rep, reps.iter().map(String::as_str)).map_or_else(
        || "adjustments are for reps on duty".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    Err(EngineError::Input(format!("{rep} has no quota on the newest published day; {hint}")).into())
}

/// Asks a person; a program has to say --yes.
fn confirm(yes: bool, question: &str) -> anyhow::Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        let message = "nobody is there to be asked: say --yes to approve without a question".to_owned();
        return Err(EngineError::Input(message).into());
    }
    let mut out = output::stdout();
    write!(out, "\n{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") {
        return Ok(());
    }
    Err(EngineError::Input("not approved".to_owned()).into())
}
