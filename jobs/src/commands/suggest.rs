//! `tideline adjust suggest`: rules that would do what keeps being approved, backtested, for a person to accept.

mod accept;
mod evidence;

use std::collections::BTreeSet;

use engine::EngineError;
use engine::lake::{Lake, Run, published};
use engine::pipeline::find_run;
use engine::quota::Span;
use engine::rule::Book;
use engine::suggest::{Approval, Inquiry, Proposal, suggest};
use engine::time::Day;

use self::evidence::Evidence;
use super::rules::{DAYS_BACK, try_on};
use crate::cli::AdjustSuggestArgs;
use crate::context::Context;
use crate::negotiate::{self, Cost};
use crate::output;
use crate::past::past;
use crate::report::rep_measures;
use crate::report::rules::Tried;
use crate::report::suggest::{self as report, Group, Outcome, Told};

/// Days that are looked back on unless told otherwise.
const SINCE_DAYS: Day = 365;

/// Runs the subcommand.
///
/// # Errors
/// [`EngineError::Input`] for a number that no proposal has, or a file of rules that is wrong; as the lake.
pub(crate) async fn run(args: AdjustSuggestArgs, lake: &Lake, context: &Context) -> anyhow::Result<()> {
    let runs = Run::load(&lake.table("ops.run").await?)?;
    let days: Vec<Day> = published(&runs).into_keys().collect();
    let Some(&newest) = days.last() else {
        let message = "no day is published yet; `tideline daily` publishes one".to_owned();
        return Err(EngineError::Input(message).into());
    };
    let since = args.since.map_or(Ok(newest - SINCE_DAYS), |since| context.day(since))?;
    let session = sql::session_over(lake, &context.catalogue()?, |table| table.starts_with("mart.")).await?;
    let evidence = Evidence::gather(lake, (&session, context), (&runs, newest), since).await?;
    evidence.note_left_out();
    let (book, min) = (context.rules()?, usize::from(args.min));
    let inquiry = Inquiry { approvals: &evidence.approvals, looks: &evidence.looks, book: &book, min };
    let proposals = match suggest(&inquiry) {
        Ok(proposals) => proposals,
        Err(whys) if args.accept.is_none() => return output::print(&report::nothing(&whys, min)),
        Err(whys) => return Err(EngineError::Input(report::nothing(&whys, min)).into()),
    };
    if let (Some(number), Some(by)) = (args.accept, &args.by) {
        let found = usize::from(number).checked_sub(1).and_then(|place| proposals.get(place));
        let Some(proposal) = found else {
            let n = proposals.len();
            let message = format!("--accept {number}: there is no such proposal; there are {n}, from 1 on");
            return Err(EngineError::Input(message).into());
        };
        let to = args.to.as_deref().or(context.config.rules.as_deref());
        return accept::accept(proposal, &evidence.approvals, (to, by), newest + 1);
    }
    let rules = proposals.iter().map(|proposal| proposal.rule.clone()).collect();
    let trial = Book { rules, ..Book::default() };
    let mut tried = Vec::new();
    for &day in days.iter().filter(|day| **day >= newest - DAYS_BACK) {
        if let Some(known) = rep_measures(&session, day, context.config.quota.period).await? {
            tried.push(try_on(&trial, day, &known));
        }
    }
    let costs = costs(lake, context, (&book, &proposals), &evidence.approvals, tried.last()).await?;
    let ended = evidence::ended(&session, context, &evidence, &days).await?;
    let told = |(place, proposal): (usize, &Proposal)| {
        let text = Told {
            proposal,
            approvals: &evidence.approvals,
            outcomes: outcomes(proposal, &evidence, &ended),
            cost: costs.get(place).copied(),
        };
        report::proposal(place, &text, &tried)
    };
    let texts: Vec<String> = proposals.iter().enumerate().map(told).collect();
    output::print(&texts.join("\n\n"))?;
    output::print(&format!("\n{}", report::HOW_TO_ACCEPT))
}

/// What each rule would cost on the newest published day; nothing where that can't be computed again.
async fn costs(
    lake: &Lake,
    context: &Context,
    (book, proposals): (&Book, &[Proposal]),
    approvals: &[Approval],
    newest: Option<&Tried>,
) -> anyhow::Result<Vec<Cost>> {
    let Some(newest) = newest else { return Ok(Vec::new()) };
    let past = match past(lake, find_run(lake, None, None).await?, context).await? {
        Ok(past) if past.run.as_of == newest.day => past,
        Ok(_) => return Ok(Vec::new()),
        Err(missing) => {
            output::note(&format!("what a rule would cost the others can't be said: {}", missing.join("; ")));
            return Ok(Vec::new());
        }
    };
    let of = |(place, proposal): (usize, &Proposal)| {
        let touches = newest.touches.get(place).and_then(Option::as_ref);
        let hits = touches.into_iter().flat_map(|touches| newest.reps.iter().zip(touches));
        let reps: BTreeSet<&str> = hits.filter(|(_, hit)| **hit).map(|(rep, _)| rep.as_str()).collect();
        let covered = proposal.covers.iter().filter_map(|&place| approvals.get(place));
        let requests: Vec<&str> = covered.map(|approval| approval.request_id.as_str()).collect();
        negotiate::cost(&past, (book, &proposal.rule), &requests, |rep| reps.contains(rep))
    };
    Ok(proposals.iter().enumerate().map(of).collect::<Result<_, _>>()?)
}

/// By period: what became of those approved, and of the others that the rule would have touched.
fn outcomes(proposal: &Proposal, evidence: &Evidence, ended: &[evidence::Ended]) -> Vec<Outcome> {
    let direction = |percent: f64| percent > 0.0;
    let covered: Vec<_> = proposal.covers.iter().filter_map(|&place| evidence.approvals.get(place)).collect();
    let Some(raised) = covered.first().map(|approval| direction(approval.percent)) else { return Vec::new() };
    let periods: BTreeSet<&str> = covered.iter().map(|approval| approval.period.as_str()).collect();
    let of = |period: &str| {
        let Some(end) = ended.iter().find(|end| end.period == period) else {
            return Outcome { period: period.to_owned(), groups: None };
        };
        let own = evidence.approvals.iter();
        let own = own.filter(|approval| approval.period == period && direction(approval.percent) == raised);
        let (reps, looks): (BTreeSet<&str>, BTreeSet<usize>) =
            own.map(|approval| (approval.rep_id.as_str(), approval.look)).unzip();
        let mut others: BTreeSet<String> = BTreeSet::new();
        for look in looks.into_iter().filter_map(|look| evidence.looks.get(look)) {
            let touched = proposal.rule.touches(&look.columns, &(0..look.columns.rows()));
            let names = evidence::reps(&look.columns).into_iter().zip(touched);
            others.extend(
                names.filter(|(rep, touched)| *touched && !reps.contains(rep.as_str())).map(|it| it.0),
            );
        }
        let here = covered.iter().filter(|approval| approval.period == period);
        let approved = Group::of(here.map(|approval| approval.rep_id.as_str()), &end.results);
        let others = Group::of(others.iter().map(String::as_str), &end.results);
        Outcome { period: period.to_owned(), groups: Some((approved, others)) }
    };
    periods.into_iter().map(of).collect()
}

/// The period of a day, by its name.
fn period_of(day: Day, context: &Context) -> Span {
    Span::of(day, context.config.quota.period)
}
