//! Which rule would do what people keep approving: conditions that tell the reps approved from those of the same days
//! that had nothing approved.
//!
//! ```text
//! approvals, raising and lowering apart ─► rows of the days they looked at (`rows`)
//!   ─► conditions that half of them satisfy (`question`, `round`), one or two with `and`
//!   ─► the chance of reaching so many of them by accident (`chance`), times all conditions tried
//!   ─► the best that recurs ─► again, without the reps that it covers
//! ```
//!
//! Nothing here decides anything: a [`Proposal`] is a rule that a person may write down.

mod chance;
mod question;
mod round;
mod rows;
mod search;

use std::collections::BTreeSet;

use crate::rule::{Action, Amount, Book, Columns, Condition, PRIORITY_DEFAULT, Rule, Scope, Subject};
use crate::time::Day;

use rows::{Evidence, Ground, Rows};
use search::{Found, Search};

/// What was published of every rep on a day that a request looked at.
#[derive(Debug, Clone)]
pub struct Look {
    /// The day.
    pub day: Day,
    /// What rules could ask about, a row per rep on duty.
    pub columns: Columns,
}

/// An approved request, at most one a rep, period and direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The request.
    pub request_id: String,
    /// Whose quota.
    pub rep_id: String,
    /// Of which period.
    pub period: String,
    /// Position of the day that the request looked at.
    pub look: usize,
    /// By how much the proposal was moved, in percent; never 0.
    pub percent: f64,
    /// Whether the siblings paid nothing.
    pub beyond_plan: bool,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Quotas were raised.
    Raise,
    /// Quotas were lowered.
    Lower,
}

impl Direction {
    /// What a rule does.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Lower => "lower",
        }
    }

    fn is_of(self, approval: &Approval) -> bool {
        (approval.percent > 0.0) == (self == Self::Raise)
    }

    fn does(self, rule: &Rule) -> bool {
        rule.actions.iter().any(|action| match self {
            Self::Raise => matches!(action, Action::Raise(_)),
            Self::Lower => matches!(action, Action::Lower(_)),
        })
    }
}

/// A rule that would do what was approved.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The rule, valid always and nobody's.
    pub rule: Rule,
    /// The approvals that it covers, by position.
    pub covers: Vec<usize>,
    /// How many there are of its direction.
    pub of: usize,
    /// On the days of the approvals, how many of the reps without one it touches, and of how many (a rep counts on each
    /// day).
    pub others: (usize, usize),
    /// The chance that chance alone would bring one such condition, of all that were tried.
    pub chance: f64,
    /// Conditions that hold for the very same reps on these days.
    pub alike: Vec<Condition>,
}

/// Why there is nothing to propose in a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Nothing was approved.
    None,
    /// So many approvals are fewer than a pattern takes.
    Few(usize),
    /// All so many are of this one period.
    OnePeriod(usize, String),
    /// Rules do it already, such as this one.
    Done(String),
    /// No condition tells so many from the others.
    Alike(usize),
}

/// What may become a rule.
#[derive(Debug, Clone, Copy)]
pub struct Inquiry<'a> {
    /// Approved requests.
    pub approvals: &'a [Approval],
    /// The days that they looked at and, last, the newest published one, by rising day.
    pub looks: &'a [Look],
    /// The rules that there are.
    pub book: &'a Book,
    /// Approvals that a pattern takes at least.
    pub min: usize,
}

/// The rules to propose, the least accidental first.
///
/// # Errors
/// Where there are none: why, by direction.
pub fn suggest(inquiry: &Inquiry<'_>) -> Result<Vec<Proposal>, Vec<(Direction, Why)>> {
    let (mut proposals, mut whys) = (Vec::new(), Vec::new());
    for direction in [Direction::Lower, Direction::Raise] {
        match of_direction(direction, inquiry) {
            Ok(found) => proposals.extend(found),
            Err(why) => whys.push((direction, why)),
        }
    }
    proposals.sort_by(|a: &Proposal, b| a.chance.total_cmp(&b.chance));
    if proposals.is_empty() { Err(whys) } else { Ok(proposals) }
}

fn of_direction(direction: Direction, inquiry: &Inquiry<'_>) -> Result<Vec<Proposal>, Why> {
    let Inquiry { approvals, looks, book, min } = *inquiry;
    let own: Vec<(usize, &Approval)> =
        approvals.iter().enumerate().filter(|(_, approval)| direction.is_of(approval)).collect();
    let periods: BTreeSet<&str> = own.iter().map(|(_, approval)| approval.period.as_str()).collect();
    match (own.len(), periods.first()) {
        (0, _) => return Err(Why::None),
        (n, _) if n < min => return Err(Why::Few(n)),
        (n, Some(only)) if periods.len() == 1 => return Err(Why::OnePeriod(n, (*only).to_owned())),
        _ => {}
    }
    let ground = Ground::of(&own, looks);
    let existing = existing(direction, book, &ground, looks);
    let mut evidence = ground.evidence.clone();
    for (name, reach) in &existing {
        evidence = evidence.without(reach);
        if evidence.approved.count() < min {
            return Err(Why::Done(name.clone()));
        }
    }
    let search = Search { ground: &ground, looks, min, existing: &existing };
    let mut taken = Rows::none(ground.words);
    let mut proposals = Vec::new();
    let make = |found: &Found| proposal(direction, found, &ground, approvals, own.len());
    while let Some((found, proposal)) = search.best(&evidence, &taken, make) {
        proposals.push(proposal);
        taken = taken.or(&found.reach);
        evidence = evidence.without(&found.reach);
    }
    if proposals.is_empty() { Err(Why::Alike(own.len())) } else { Ok(proposals) }
}

/// Rules of the same direction that are about some reps and not over: names, and whom they touch.
fn existing(direction: Direction, book: &Book, ground: &Ground, looks: &[Look]) -> Vec<(String, Rows)> {
    let newest = looks.iter().map(|look| look.day).max().unwrap_or(0);
    let counts = |rule: &&Rule| {
        let of_everybody = rule.condition == Condition::Always && rule.scope == Scope::Company;
        direction.does(rule) && !of_everybody && rule.to.is_none_or(|to| newest <= to)
    };
    let of = |rule: &Rule| (rule.name.clone(), reach_of(rule, ground, looks));
    book.rules.iter().filter(counts).map(of).collect()
}

fn reach_of(rule: &Rule, ground: &Ground, looks: &[Look]) -> Rows {
    ground.rows_where(|look| match looks.get(look) {
        Some(look) => rule.touches(&look.columns, &(0..look.columns.rows())),
        None => Vec::new(),
    })
}

/// The rule of a condition; `None` where it moves quotas by nothing or more than a rule can, or isn't read as written.
fn proposal(
    direction: Direction,
    found: &Found,
    ground: &Ground,
    approvals: &[Approval],
    of: usize,
) -> Option<Proposal> {
    let covers = ground.approvals_in(&found.reach);
    let covered: Vec<&Approval> = covers.iter().filter_map(|&place| approvals.get(place)).collect();
    let share = format!("{:.0}e-2", median(covered.iter().map(|approval| approval.percent.abs()))?);
    let amount = Amount::Share(share.parse().ok().filter(|share| *share > 0.0)?);
    let action = match direction {
        Direction::Raise => Action::Raise(amount),
        Direction::Lower => Action::Lower(amount),
    };
    let keys: Vec<String> = found.subjects.iter().map(|subject| subject.key().replace('_', "-")).collect();
    let rule = Rule {
        name: format!("{}-by-{}", direction.verb(), keys.join("-and-")),
        line: 0,
        owner: None,
        from: None,
        to: None,
        priority: PRIORITY_DEFAULT,
        scope: Scope::Company,
        condition: found.condition.clone(),
        actions: vec![action],
        beyond_plan: covered.iter().filter(|approval| approval.beyond_plan).count() * 2 > covered.len(),
    };
    let others = (ground.evidence.others.shared(&found.reach), ground.evidence.others.count());
    reads_back(&rule).then(|| Proposal {
        others,
        chance: found.chance,
        alike: found.alike.clone(),
        rule,
        covers,
        of,
    })
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high).round())
}

/// Whether the rule, written in either language, is read as itself: what a rule can't say isn't proposed.
fn reads_back(rule: &Rule) -> bool {
    [rule.english(), rule.chinese()].iter().all(|text| {
        let book = crate::rule::read(text);
        book.is_ok_and(|book| book.rules.iter().all(|read| Rule { line: rule.line, ..read.clone() } == *rule))
    })
}
