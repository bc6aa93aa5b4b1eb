//! Opportunities as of a day: owner, stage, age, outcome, and the stages that they entered.

mod life;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::at;
pub(crate) use life::{DealLife, Numbers, deal_rows};

use super::facts::{Fact, Facts, NONE};
use crate::catalogue::{Catalogue, EventCode};
use crate::settings::Pipeline;
use crate::time::{DAY, Day, Micros};

/// An opportunity's state at the end of a day. Numbers refer to the names of [`Facts`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Opportunity {
    pub(crate) opened_at: Option<Micros>,
    pub(crate) opened_day: Day,
    has_opened: bool,
    /// The rep of its last event that names one.
    pub(crate) owner: Option<u32>,
    pub(crate) customer: Option<u32>,
    pub(crate) lead: Option<u32>,
    pub(crate) stage: Option<Arc<str>>,
    /// The number of the stage that it was opened in.
    opened_in: Option<u32>,
    /// The rank of the stage that it was opened in.
    opened_rank: Option<i64>,
    pub(crate) rank: Option<i64>,
    pub(crate) stage_changed_at: Micros,
    pub(crate) closed_at: Option<Micros>,
    pub(crate) closed_day: Day,
    pub(crate) won: bool,
    pub(crate) amount: Option<i64>,
    closed_by: Option<u32>,
    /// The changes of stage before the closing, in order.
    changes: Vec<Change>,
}

/// A change of stage.
#[derive(Debug, Clone)]
struct Change {
    day: Day,
    rep: Option<u32>,
    /// Its number among the facts' stages.
    stage: u32,
    /// The stage's rank.
    rank: Option<i64>,
}

/// Name and rank of stages that events name, each looked up once.
struct Met<'a> {
    facts: &'a Facts,
    stages: &'a Stages,
    known: Vec<Option<(Arc<str>, Option<i64>)>>,
}

impl<'a> Met<'a> {
    fn new(facts: &'a Facts, stages: &'a Stages) -> Self {
        Self { facts, stages, known: vec![None; facts.stages.len()] }
    }

    /// Of a stage's number among the facts.
    fn stage(&mut self, number: u32) -> &(Arc<str>, Option<i64>) {
        let Self { facts, stages, known } = self;
        known[at(number)].get_or_insert_with(|| {
            let name = facts.stages.get(number).unwrap_or_default();
            (Arc::from(name), stages.rank(name))
        })
    }
}

impl Opportunity {
    /// Whether its opening was told, rather than guessed from what came later.
    pub(crate) fn has_opened(&self) -> bool {
        self.has_opened
    }

    /// Whether the opportunity was open at some time from `start` until the end of the run's day.
    pub(crate) fn open_since(&self, start: Micros) -> bool {
        self.opened_at.is_some() && self.closed_at.is_none_or(|closed| closed >= start)
    }

    /// Whether it is open at the end of the run's day.
    pub(crate) fn is_open(&self) -> bool {
        self.opened_at.is_some() && self.closed_at.is_none()
    }

    /// Forward moves: day, and the event's rep.
    pub(crate) fn moves(&self) -> impl Iterator<Item = (Day, Option<u32>)> {
        let before = std::iter::once(self.opened_rank).chain(self.changes.iter().map(|change| change.rank));
        let forward = |(before, change): &(Option<i64>, &Change)| before.is_some() && change.rank > *before;
        let changes = before.zip(&self.changes).filter(forward).map(|(_, change)| (change.day, change.rep));
        changes.chain(self.won.then_some((self.closed_day, self.closed_by)))
    }

    /// Every stage entered, in order: rank and day.
    pub(crate) fn entered(&self) -> impl Iterator<Item = (Option<i64>, Day)> {
        // A change may stand before the opening.
        let changes = self.changes.iter().map(|change| (change.rank, change.day.max(self.opened_day)));
        std::iter::once((self.opened_rank, self.opened_day)).chain(changes)
    }

    /// Whole days since the last stage change, for closed ones too.
    pub(crate) fn stage_age_days(&self, end: Micros) -> i64 {
        (end - self.stage_changed_at).div_euclid(DAY)
    }
}

/// The configured stages, by name.
#[derive(Debug)]
pub(crate) struct Stages {
    ranks: FxHashMap<String, i64>,
    first: Option<Arc<str>>,
    stuck_days: i64,
    stuck_by_rank: FxHashMap<i64, i64>,
}

impl Stages {
    pub(crate) fn new(settings: &Pipeline) -> Self {
        let mut ranks = FxHashMap::default();
        for (group, rank) in settings.stages.iter().zip(0_i64..) {
            for name in group {
                ranks.insert(normal(name), rank);
            }
        }
        let stuck_by_rank = settings
            .stuck_days_by_stage
            .iter()
            .filter_map(|(name, days)| Some((*ranks.get(&normal(name))?, *days)))
            .collect();
        let first = settings.stages.first().and_then(|group| group.first());
        let first = first.map(|name| Arc::from(name.as_str()));
        Self { ranks, first, stuck_days: settings.stuck_days, stuck_by_rank }
    }

    /// The rank of a stage: its position in the configured list, else the number in its name.
    pub(crate) fn rank(&self, stage: &str) -> Option<i64> {
        let name = normal(stage);
        self.ranks.get(&name).copied().or_else(|| {
            let digits: String =
                name.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
    }

    /// Whether an open opportunity has been in its stage for too long.
    pub(crate) fn is_stuck(&self, opportunity: &Opportunity, end: Micros) -> bool {
        let limit =
            opportunity.rank.and_then(|rank| self.stuck_by_rank.get(&rank)).unwrap_or(&self.stuck_days);
        opportunity.is_open() && opportunity.stage_age_days(end) > *limit
    }
}

fn normal(stage: &str) -> String {
    stage.trim().to_lowercase().replace([' ', '-'], "_")
}

/// The codes of an opportunity's life.
struct Codes {
    opened: Option<EventCode>,
    changed: Option<EventCode>,
    won: Option<EventCode>,
    lost: Option<EventCode>,
}

/// Folds the facts into the state of every opportunity, by opportunity number.
pub(crate) fn opportunities(facts: &Facts, catalogue: &Catalogue, stages: &Stages) -> Vec<Opportunity> {
    opportunities_as_of(facts, catalogue, stages, Day::MAX)
}

/// The same from the facts up to the end of `as_of` alone.
pub(crate) fn opportunities_as_of(
    facts: &Facts,
    catalogue: &Catalogue,
    stages: &Stages,
    as_of: Day,
) -> Vec<Opportunity> {
    let mut all = folded(facts, catalogue, as_of);
    settle(&mut all, facts, stages);
    all
}

/// Folds one opportunity from the rows of its facts, in their order.
pub(crate) fn opportunity(
    facts: &Facts,
    number: usize,
    rows: &[usize],
    catalogue: &Catalogue,
    stages: &Stages,
) -> Opportunity {
    let mut deal = facts.deals_then.then(number);
    fold(facts, rows.iter().copied(), (std::slice::from_mut(&mut deal), |_| 0), catalogue);
    settle(std::slice::from_mut(&mut deal), facts, stages);
    deal
}

/// What the facts up to the end of `as_of` say of every opportunity, whatever stages are configured.
pub(crate) fn folded(facts: &Facts, catalogue: &Catalogue, as_of: Day) -> Vec<Opportunity> {
    let mut all: Vec<Opportunity> =
        (0..facts.opportunities.len()).map(|number| facts.deals_then.then(number)).collect();
    let of_deals = |row: &usize| facts.rows[*row].opportunity != NONE && facts.rows[*row].day <= as_of;
    let rows = (0..facts.rows.len()).filter(of_deals);
    fold(facts, rows, (&mut all, at), catalogue);
    all
}

/// Folds facts that name opportunities into `all`, in which `place` says where an opportunity's number is.
fn fold(
    facts: &Facts,
    rows: impl Iterator<Item = usize>,
    (all, place): (&mut [Opportunity], impl Fn(u32) -> usize),
    catalogue: &Catalogue,
) {
    let code = |name: &str| catalogue.get(name).map(|(code, _)| code);
    let codes = Codes {
        opened: code("opportunity.opened"),
        changed: code("opportunity.stage_changed"),
        won: code("opportunity.won"),
        lost: code("opportunity.lost"),
    };
    let of_life =
        |fact: &Fact| catalogue.model(fact.code).is_some_and(|model| model.code.starts_with("opportunity."));
    for fact in rows.map(|row| &facts.rows[row]).filter(|fact| fact.fresh && of_life(fact)) {
        step(&mut all[place(fact.opportunity)], fact, &codes);
    }
}

/// What one event does to an opportunity.
fn step(state: &mut Opportunity, fact: &Fact, codes: &Codes) {
    let code = Some(fact.code);
    let opened = code == codes.opened && !state.has_opened;
    if opened || state.opened_at.is_none() {
        // The earliest `opportunity.opened`; without one, the earliest event of any kind.
        state.opened_at = Some(fact.time);
        state.opened_day = fact.day;
    }
    if opened {
        state.has_opened = true;
        state.opened_in = fact.stage();
    }
    let keep = |old: Option<u32>, new: u32| if new == NONE { old } else { Some(new) };
    state.owner = keep(state.owner, fact.rep);
    state.customer = keep(state.customer, fact.customer);
    state.lead = keep(state.lead, fact.lead);
    state.amount = fact.amount.or(state.amount);
    if state.closed_at.is_some() {
        return;
    }
    let rep = (fact.rep != NONE).then_some(fact.rep);
    if code == codes.changed {
        if let Some(stage) = fact.stage() {
            state.changes.push(Change { day: fact.day, rep, stage, rank: None });
            state.stage_changed_at = fact.time;
        }
    } else if code == codes.won || code == codes.lost {
        state.closed_at = Some(fact.time);
        state.closed_day = fact.day;
        state.closed_by = rep;
        state.won = code == codes.won;
    }
}

/// Ranks the stages from the one that an opportunity was opened in, wherever among its events that stood.
fn settle(all: &mut [Opportunity], facts: &Facts, stages: &Stages) {
    let mut met = Met::new(facts, stages);
    for state in all {
        let (stage, rank) = match state.opened_in {
            Some(stage) => {
                let (name, rank) = met.stage(stage);
                (Some(Arc::clone(name)), *rank)
            }
            None => (stages.first.clone(), stages.first.as_deref().and_then(|stage| stages.rank(stage))),
        };
        state.opened_rank = rank;
        for change in &mut state.changes {
            change.rank = met.stage(change.stage).1;
        }
        if let Some(last) = state.changes.last() {
            (state.stage, state.rank) = (Some(Arc::clone(&met.stage(last.stage).0)), last.rank);
        } else {
            (state.stage, state.rank) = (stage, rank);
            state.stage_changed_at = state.opened_at.unwrap_or_default();
        }
    }
}
