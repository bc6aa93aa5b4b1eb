//! What approvals looked at, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::prelude::SessionContext;
use engine::adjust::{self, Change, Request, Status};
use engine::lake::{Lake, Run};
use engine::rule::{Columns, Subject};
use engine::suggest::{Approval, Look};
use engine::time::{Day, Micros, date};

use super::period_of;
use crate::context::Context;
use crate::output;
use crate::report::rows::ask;
use crate::report::{RepMeasures, rep_measures};

/// Approvals, and the days that they looked at.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    pub(super) approvals: Vec<Approval>,
    /// By rising day; the last is the newest published one.
    pub(super) looks: Vec<Look>,
    /// Requests of which nobody knows what they looked at.
    left_out: Vec<String>,
}

/// How a period ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) period: String,
    /// By rep what was signed in it, and its last quota, in minor units.
    pub(super) results: BTreeMap<String, (i64, i64)>,
}

impl Evidence {
    /// The approved requests that looked at a day from `since` on: at the newest one published when they were made.
    pub(super) async fn gather(
        lake: &Lake,
        (session, context): (&SessionContext, &Context),
        (runs, newest): (&[Run], Day),
        since: Day,
    ) -> anyhow::Result<Self> {
        let requests = adjust::load(lake).await?;
        let mut approved: Vec<&Request> =
            requests.values().filter(|request| request.status == Status::Approved).collect();
        approved.sort_by_key(|request| (request.decided.as_ref().map(|(_, at)| *at), &request.id));
        let seen: Vec<(&Request, Option<Day>)> = (approved.into_iter())
            .map(|request| (request, request.events.first().and_then(|event| seen_at(runs, event.at))))
            .filter(|(_, day)| day.is_none_or(|day| day >= since))
            .collect();
        let mut days: BTreeSet<Day> = seen.iter().filter_map(|(_, day)| *day).collect();
        days.insert(newest);
        let mut known: BTreeMap<Day, RepMeasures> = BTreeMap::new();
        for day in days {
            if let Some(measures) = rep_measures(session, day, context.config.quota.period).await? {
                known.insert(day, measures);
            }
        }
        let mut evidence = Self::default();
        // Of several that move one rep's quota of a period in the same direction, the last one counts.
        let mut latest: BTreeMap<(String, String, bool), Approval> = BTreeMap::new();
        for (request, day) in seen {
            let found = day.and_then(|day| approval(request, day, &known));
            match found {
                Some(approval) if approval.percent == 0.0 => {}
                Some(approval) => {
                    let key = (approval.period.clone(), approval.rep_id.clone(), approval.percent > 0.0);
                    latest.insert(key, approval);
                }
                None => evidence.left_out.push(request.id.clone()),
            }
        }
        evidence.approvals = latest.into_values().collect();
        evidence.looks =
            known.into_iter().map(|(day, measures)| Look { day, columns: measures.columns }).collect();
        Ok(evidence)
    }

    /// Says which approvals told nothing.
    pub(super) fn note_left_out(&self) {
        if !self.left_out.is_empty() {
            output::note(&format!(
                "left out {}: the day that they looked at was published without what rules ask about, or the rep was \
                 not on duty",
                self.left_out.join(", ")
            ));
        }
    }
}

/// The newest day that was published by then.
fn seen_at(runs: &[Run], at: Micros) -> Option<Day> {
    let known = runs.iter().filter(|run| run.is_published() && run.finished_at <= at);
    known.map(|run| run.as_of).max()
}

fn approval(request: &Request, day: Day, known: &BTreeMap<Day, RepMeasures>) -> Option<Approval> {
    let look = known.keys().position(|known| *known == day)?;
    let measures = known.get(&day)?;
    let row = reps(&measures.columns).iter().position(|rep| *rep == request.rep_id)?;
    let percent = match request.ask.change {
        Change::Percent(percent) => percent,
        // What the proposal would have had to be moved by.
        Change::Pin(amount) => {
            let proposal = measures.proposals.get(row).copied().filter(|proposal| *proposal > 0)?;
            100.0 * crate::report::words::share_of_money(amount - proposal, proposal)?
        }
    };
    Some(Approval {
        request_id: request.id.clone(),
        rep_id: request.rep_id.clone(),
        period: request.period.clone(),
        look,
        percent,
        beyond_plan: request.ask.beyond_plan,
    })
}

/// The ids of the rows.
pub(super) fn reps(columns: &Columns) -> Vec<String> {
    let reps = Subject::find("rep_id").and_then(|subject| columns.texts(subject));
    let name = |row: usize| reps.and_then(|reps| reps.names(row).first().cloned()).unwrap_or_default();
    (0..columns.rows()).map(name).collect()
}

/// The periods of approvals that are over and were published to their last day.
pub(super) async fn ended(
    session: &SessionContext,
    context: &Context,
    evidence: &Evidence,
    days: &[Day],
) -> anyhow::Result<Vec<Ended>> {
    let periods: BTreeSet<&str> =
        evidence.approvals.iter().map(|approval| approval.period.as_str()).collect();
    let mut all = Vec::new();
    for &day in days {
        let span = period_of(day, context);
        if day != span.last || !periods.contains(span.name.as_str()) {
            continue;
        }
        let Some(known) = rep_measures(session, day, context.config.quota.period).await? else { continue };
        let query = format!("SELECT rep_id, quota FROM mart.quota WHERE as_of = DATE '{}'", date(day));
        let quotas: BTreeMap<String, i64> = (ask(session, &query).await?.iter())
            .filter_map(|row| Some((row.text(0).to_owned(), row.money(1)?)))
            .collect();
        let results = known.reps().into_iter().zip(known.attained());
        let results =
            results.filter_map(|(rep, attained)| Some((rep.clone(), (attained, *quotas.get(&rep)?))));
        all.push(Ended { period: span.name, results: results.collect() });
    }
    Ok(all)
}
