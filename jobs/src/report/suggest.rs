//! Rules that approvals suggest, as people read them: the sentence, what it rests on, and what it would have done.

use std::collections::BTreeMap;

use engine::rule::Language;
use engine::suggest::{Approval, Direction, Proposal, Why};
use engine::time::date;

use super::rules::{Tried, months};
use super::words::{columns, count, money, percent, share_of_money, signed};
use crate::negotiate::Cost;

/// What a person does with a proposal.
pub(crate) const HOW_TO_ACCEPT: &str = "Nothing acts before a person has accepted it: `tideline adjust suggest \
    --accept N --to FILE --by NAME`";

/// Conditions that hold for the same reps, which are named.
const ALIKE_MAX: usize = 3;

/// What became of some reps in a period. Money in minor units.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Group {
    reps: usize,
    reached: usize,
    attained: i64,
    quota: i64,
}

impl Group {
    /// Of these reps, by what each signed and its quota.
    pub(crate) fn of<'a>(
        reps: impl Iterator<Item = &'a str>,
        results: &BTreeMap<String, (i64, i64)>,
    ) -> Self {
        reps.filter_map(|rep| results.get(rep)).fold(Self::default(), |sum, (attained, quota)| Self {
            reps: sum.reps + 1,
            reached: sum.reached + usize::from(attained >= quota),
            attained: sum.attained + attained,
            quota: sum.quota + quota,
        })
    }

    fn told(&self) -> String {
        match share_of_money(self.attained, self.quota) {
            Some(share) => {
                format!("{} of quota, {} of {} reached it", percent(share), self.reached, self.reps)
            }
            None => "none".to_owned(),
        }
    }
}

/// What became of a period.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) period: String,
    /// Those approved, and the others that the rule touches; none where the period isn't over, or its last day wasn't
    /// published.
    pub(crate) groups: Option<(Group, Group)>,
}

/// A proposal with what is known of it.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    pub(crate) proposal: &'a Proposal,
    pub(crate) approvals: &'a [Approval],
    pub(crate) outcomes: Vec<Outcome>,
    /// What it would do on the newest published day.
    pub(crate) cost: Option<Cost>,
}

/// The proposal of that place, from 0.
pub(crate) fn proposal(place: usize, told: &Told<'_>, tried: &[Tried]) -> String {
    let Proposal { rule, covers, of, others, chance, alike } = told.proposal;
    let mut by_period: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let raised =
        covers.first().and_then(|&place| told.approvals.get(place)).is_some_and(|one| one.percent > 0.0);
    for (place, approval) in told.approvals.iter().enumerate() {
        if (approval.percent > 0.0) == raised {
            let counts = by_period.entry(&approval.period).or_default();
            counts.0 += usize::from(covers.contains(&place));
            counts.1 += 1;
        }
    }
    let periods: Vec<String> =
        by_period.iter().map(|(period, (covered, all))| format!("{period}: {covered} of {all}")).collect();
    let mut text = format!(
        "{}. {}\n   {}",
        place + 1,
        rule.sentence(Language::English),
        rule.sentence(Language::Chinese)
    );
    let mut say = |line: String| text.extend(["\n   ", &line]);
    say(format!(
        "It covers {} of {of} approvals ({}), and {} of {} other reps on their days.",
        covers.len(),
        periods.join(", "),
        others.0,
        others.1
    ));
    say(format!("By chance alone one so good would be found {}.", how_often(*chance)));
    let same: Vec<String> =
        alike.iter().take(ALIKE_MAX).map(|condition| condition.written(Language::English)).collect();
    if !same.is_empty() {
        let more = if alike.len() > ALIKE_MAX { ", …" } else { "" };
        say(format!("For the same reps: {}{more}.", same.join("; ")));
    }
    say("From:".to_owned());
    let rows: Vec<Vec<String>> = from(told.proposal, told.approvals).collect();
    text.extend(["\n", &columns(&[false, false, false, true], &rows)]);
    text.push_str("\n   Whom it would have touched:\n");
    text.push_str(&months(place, tried));
    text.push_str("\n   Attained against quota, those approved and the others that it touches:\n");
    text.push_str(&columns(&[false; 3], &told.outcomes.iter().map(outcome).collect::<Vec<_>>()));
    text.extend(told.cost.map(|cost| format!("\n   {}", cost_of(&cost))));
    text
}

fn outcome(outcome: &Outcome) -> Vec<String> {
    let (approved, others) = match &outcome.groups {
        Some((approved, others)) => (approved.told(), others.told()),
        None => ("not over, or its last day isn't published".to_owned(), String::new()),
    };
    vec![outcome.period.clone(), approved, others]
}

fn cost_of(cost: &Cost) -> String {
    let ((touched, change), (others, paid)) = (cost.touched, cost.others);
    format!(
        "In place of these approvals, on the state of {}: quotas of {touched} reps {}, of {others} others {}.",
        date(cost.as_of),
        signed(&money(change)),
        signed(&money(paid))
    )
}

fn how_often(chance: f64) -> String {
    if chance < 1e-6 {
        return "less than once in a million times".to_owned();
    }
    let times = format!("{:.0}", 1.0 / chance).parse().unwrap_or(u64::MAX);
    format!("once in {} times", count(times))
}

/// Request, rep, period and what was approved.
fn from<'a>(proposal: &'a Proposal, approvals: &'a [Approval]) -> impl Iterator<Item = Vec<String>> + 'a {
    proposal.covers.iter().filter_map(|&place| approvals.get(place)).map(|approval| {
        vec![
            approval.request_id.clone(),
            approval.rep_id.clone(),
            approval.period.clone(),
            format!("{} %", signed(&format!("{:.1}", approval.percent))),
        ]
    })
}

/// The same as lines of comment.
pub(crate) fn came_from(proposal: &Proposal, approvals: &[Approval]) -> String {
    let lines: Vec<String> =
        from(proposal, approvals).map(|cells| format!("# {}", cells.join(" "))).collect();
    lines.join("\n") + "\n"
}

/// Why there is nothing to propose, in a line.
pub(crate) fn nothing(whys: &[(Direction, Why)], min: usize) -> String {
    let known: Vec<&(Direction, Why)> = whys.iter().filter(|(_, why)| *why != Why::None).collect();
    if known.is_empty() {
        return "nothing to propose: no request was approved".to_owned();
    }
    let reason = |(direction, why): &&(Direction, Why)| {
        let verb = direction.verb();
        match why {
            Why::None => String::new(),
            Why::Few(1) => format!("to {verb}, there is 1 approval, and a pattern takes {min}"),
            Why::Few(n) => format!("to {verb}, there are {n} approvals, and a pattern takes {min}"),
            Why::OnePeriod(n, period) => {
                format!(
                    "to {verb}, all {n} approvals are of {period}, and a pattern recurs in another period"
                )
            }
            Why::Done(rule) => format!("to {verb}, the rule {rule} does it already"),
            Why::Alike(n) => format!("to {verb}, no condition tells the {n} approvals from the other reps"),
        }
    };
    format!("nothing to propose: {}", known.iter().map(reason).collect::<Vec<_>>().join("; "))
}
