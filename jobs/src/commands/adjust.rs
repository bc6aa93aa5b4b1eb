//! `tideline adjust`: ask for another quota, talk about it, see who would pay, and decide.

use std::io::{IsTerminal, Write};

use engine::EngineError;
use engine::adjust::{self, Event, Request, Status};
use engine::lake::Lake;
use engine::pipeline::find_run;

use crate::cli::{
    AdjustCommand, AdjustCommentArgs, AdjustCounterArgs, AdjustDecideArgs, AdjustListArgs, AdjustRequestArgs,
    AdjustStatus,
};
use crate::context::Context;
use crate::negotiate::{self, Act, Actor, Effect, Refusal, Wish};
use crate::output;
use crate::past::past;
use crate::report::adjust as report;

/// Runs a subcommand about adjustments.
///
/// # Errors
/// [`EngineError::Input`] for a request that isn't there or can't be decided; as the lake.
pub(crate) async fn run(command: AdjustCommand, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    match command {
        AdjustCommand::Request(args) => request(args, &lake, context).await,
        AdjustCommand::Comment(args) => comment(args, &lake, context).await,
        AdjustCommand::Approve(args) => decide(true, args, &lake, context).await,
        AdjustCommand::Counter(args) => counter(args, &lake, context).await,
        AdjustCommand::Reject(args) => decide(false, args, &lake, context).await,
        AdjustCommand::List(args) => list(&args, &lake).await,
        AdjustCommand::Show(args) => show(&args.id, &lake, context).await,
        AdjustCommand::Suggest(args) => Box::pin(super::suggest::run(args, &lake, context)).await,
    }
}

/// Who `--by` says acts.
fn actor(by: &str, context: &Context) -> anyhow::Result<Actor> {
    let name = negotiate::said("by", by).map_err(Refusal::of_command)?;
    Ok(Actor { name, now: context.now, idempotency: None })
}

async fn request(args: AdjustRequestArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let change =
        negotiate::change(args.terms.to.as_deref(), args.terms.percent).map_err(Refusal::of_command)?;
    let reps = crate::report::quota_reps(lake, &context.catalogue()?).await?;
    negotiate::known_rep(&args.rep, reps.iter().map(String::as_str)).map_err(Refusal::of_command)?;
    let wish = Wish {
        rep: args.rep,
        change,
        beyond_plan: args.beyond_plan,
        period: args.period,
        from: args.from,
        until: args.until,
        reason: negotiate::said("reason", &args.reason).map_err(Refusal::of_command)?,
        evidence: args.evidence,
    };
    let actor = actor(&args.by, context)?;
    let event = negotiate::ask(lake, context.config.quota.period, &wish, &actor);
    let event = event.await.map_err(Refusal::of_command)?;
    let id = &event.request_id;
    output::print(&format!("asked: request {id}, {}", report::terms_of(&event)))?;
    output::print(&format!("`tideline adjust show {id}` says who would pay for it"))
}

async fn comment(args: AdjustCommentArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let actor = actor(&args.by, context)?;
    let text = match args.text.trim() {
        "" => return Err(EngineError::Input("the comment is empty".to_owned()).into()),
        text => text.to_owned(),
    };
    let id = negotiate::full_id(lake, &args.id).await.map_err(Refusal::of_command)?;
    act(&id, &Act::Comment(text), &actor, lake, context).await?;
    output::print(&format!("noted on request {id}"))
}

async fn counter(args: AdjustCounterArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let actor = actor(&args.by, context)?;
    let change =
        negotiate::change(args.terms.to.as_deref(), args.terms.percent).map_err(Refusal::of_command)?;
    let id = negotiate::full_id(lake, &args.id).await.map_err(Refusal::of_command)?;
    let event = act(&id, &Act::Counter(change, args.reason), &actor, lake, context).await?;
    output::print(&format!("proposed on request {id}: {}", report::terms_of(&event)))?;
    output::print(&format!("whoever asked agrees with `tideline adjust approve {id} --by NAME`"))
}

async fn decide(approve: bool, args: AdjustDecideArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let actor = actor(&args.by, context)?;
    let id = negotiate::full_id(lake, &args.id).await.map_err(Refusal::of_command)?;
    let requests = adjust::load(lake).await?;
    let request = negotiate::found(requests.get(&id), &id).map_err(Refusal::of_command)?;
    let terms = Some(request.ask.change);
    let act = Act::Decide { approve, reason: args.reason, terms };
    let every = context.config.quota.period;
    negotiate::check(lake, every, request, &act, &actor).await.map_err(Refusal::of_command)?;
    if approve {
        output::print(&report::request(request))?;
        output::print(&format!("\n{}", effect(lake, request, context).await?))?;
        confirm(args.yes, &format!("Approve request {id}?"))?;
    }
    let event = self::act(&id, &act, &actor, lake, context).await?;
    let told = match event.ask {
        Some(ask) => format!("approved: request {id} acts on runs of {}", report::days(&ask, &event.period)),
        None => format!("rejected: request {id}"),
    };
    output::print(&told)
}

async fn act(id: &str, act: &Act, actor: &Actor, lake: &Lake, context: &Context) -> anyhow::Result<Event> {
    let done = negotiate::act(lake, context.config.quota.period, id, act, actor).await;
    done.map_err(Refusal::of_command)
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
    let id = negotiate::full_id(lake, id).await.map_err(Refusal::of_command)?;
    let requests = adjust::load(lake).await?;
    let request = negotiate::found(requests.get(&id), &id).map_err(Refusal::of_command)?;
    output::print(&report::request(request))?;
    if !request.status.is_decided() {
        output::print(&format!("\n{}", effect(lake, request, context).await?))?;
    }
    Ok(())
}

/// Who would pay for a request, by the real frame on the newest published day.
async fn effect(lake: &Lake, request: &Request, context: &Context) -> anyhow::Result<String> {
    let run = find_run(lake, None, None).await?;
    match past(lake, run, context).await? {
        Ok(past) => Ok(match negotiate::effect(&past, request)? {
            Effect::Known(known) => report::effect(&known),
            Effect::Unknown(why) => why,
        }),
        Err(missing) => Ok(format!(
            "Who would pay can't be said, because the newest published day can't be computed again:\n  {}\n\
             `tideline daily` publishes a day whose inputs are there.",
            missing.join("\n  ")
        )),
    }
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
