//! Routing: which rep each waiting lead should go to, as a proposal.
//!
//! ```text
//! open leads ─ pool: which wait, and their chances ─┐
//! CRM ──────── staff: who may have which ───────────┼─ strategy ─ reasons ─ mart.lead_route
//! past leads ─ record: who does better than others ─┘  (assign, turns)
//! ```
//!
//! The expected wins of a lead with a rep are the lead's chance times the rep's factor. Leads up for a proposal don't count
//! as anybody's load: all of them are given out anew.

mod assign;
mod group;
mod pool;
mod reason;
mod record;
mod staff;
mod turns;

pub use assign::{GAIN_MAX, Places, assign};

use std::collections::{BTreeMap, BTreeSet};

use self::group::groups;
use self::pool::{Pool, Waiting};
use self::reason::Chosen;
use self::record::Record;
use self::staff::{Candidates, Staff};
use crate::entity::Crm;
use crate::factor::capability_of;
use crate::measure::capability::Skill;
use crate::measure::count;
use crate::measure::facts::Facts;
use crate::measure::funnel::rep_positions;
use crate::measure::lead::Lead;
use crate::measure::portfolio::Portfolio;
use crate::score::lead::ScoredLeads;
use crate::settings::{Settings, Strategy};
use crate::time::{Day, Zone};

/// What proposals are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RouteInputs<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) facts: &'a Facts,
    pub(crate) leads: &'a [Lead],
    /// By position in the CRM, like `capability`.
    pub(crate) portfolios: &'a [Portfolio],
    pub(crate) capability: &'a [[Skill; 6]],
    /// What a model says of the open leads.
    pub(crate) scored: Option<&'a ScoredLeads>,
    pub(crate) settings: &'a Settings,
    pub(crate) zone: &'a Zone,
    pub(crate) as_of: Day,
}

/// A lead's proposal.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routed<'a> {
    pub(crate) lead_id: &'a str,
    pub(crate) region: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) cause: &'static str,
    pub(crate) from: Option<&'a str>,
    /// The chance of a conversion, and what says so.
    pub(crate) chance: Option<f64>,
    pub(crate) basis: &'static str,
    /// Reps who may have it.
    pub(crate) candidates: i64,
    /// None where it finds no place.
    pub(crate) to: Option<Taker<'a>>,
    pub(crate) reason: String,
}

impl<'a> Routed<'a> {
    fn new(waiting: &Waiting<'a>, to: Option<Taker<'a>>, reps: usize, reason: String) -> Self {
        Self {
            lead_id: waiting.id,
            region: waiting.region.map(str::to_owned),
            source: waiting.source.map(str::to_owned),
            cause: waiting.cause.as_str(),
            from: waiting.from_id,
            chance: waiting.chance,
            basis: waiting.basis,
            candidates: count(reps),
            to,
            reason,
        }
    }
}

/// The rep whom a lead is proposed to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taker<'a> {
    pub(crate) rep_id: &'a str,
    pub(crate) factor: f64,
    pub(crate) expected_wins: Option<f64>,
    /// Among the leads proposed to the rep, the most probable first.
    pub(crate) position: i64,
    pub(crate) load_before: i64,
    pub(crate) load_after: i64,
    pub(crate) capacity: i64,
}

/// A proposal for every lead that waits, by ascending id; none where routing is off.
pub(crate) fn route<'a>(inputs: &RouteInputs<'a>) -> Vec<Routed<'a>> {
    let routing = &inputs.settings.routing;
    if routing.is_off() {
        return Vec::new();
    }
    let positions = rep_positions(inputs.facts, inputs.crm);
    let record = Record::new(inputs.leads, inputs.facts, &positions, inputs.as_of);
    let pool = Pool::new(inputs, &positions, &record);
    let staff = Staff::new(inputs, &pool);
    let (class, candidates) = classes(&pool, &staff);
    let table = Table { inputs, pool: &pool, staff: &staff, record: &record, class, candidates };
    let chosen = match routing.strategy {
        Strategy::Off => vec![None; pool.waiting.len()],
        Strategy::ExpectedWins => table.most_wins(),
        Strategy::RoundRobin => turns::in_turn(&table, &positions),
        Strategy::Ability => turns::ablest(&table),
    };
    table.rows(&chosen)
}

/// The candidates of each lead, as a position, and those that there are.
fn classes(pool: &Pool<'_>, staff: &Staff<'_>) -> (Vec<usize>, Vec<Candidates>) {
    let mut known: BTreeMap<staff::Key, usize> = BTreeMap::new();
    let mut candidates = Vec::new();
    let class = pool.waiting.iter().map(|lead| {
        let key = staff.key(lead);
        known.get(&key).copied().unwrap_or_else(|| {
            candidates.push(staff.candidates(&key));
            known.insert(key, candidates.len() - 1);
            candidates.len() - 1
        })
    });
    (class.collect(), candidates)
}

/// Leads, reps, and who may have which.
struct Table<'t, 'a> {
    inputs: &'t RouteInputs<'a>,
    pool: &'t Pool<'a>,
    staff: &'t Staff<'a>,
    record: &'t Record,
    /// By lead of the pool: the position of its candidates.
    class: Vec<usize>,
    candidates: Vec<Candidates>,
}

impl<'a> Table<'_, 'a> {
    fn candidates(&self, lead: usize) -> &Candidates {
        &self.candidates[self.class[lead]]
    }

    fn factor(&self, lead: usize, rep: usize) -> f64 {
        self.record.factor(rep, self.pool.waiting[lead].source)
    }

    /// The mean score of a rep's skills.
    fn ability(&self, rep: usize) -> Option<f64> {
        capability_of(&self.inputs.capability[rep])
    }

    /// By lead, the rep with whom all leads together are won most often. Of leads without a known chance, the factor alone
    /// tells reps apart.
    fn most_wins(&self) -> Vec<Option<usize>> {
        let candidates: Vec<&[usize]> = self.candidates.iter().map(|all| all.reps.as_slice()).collect();
        let mut chosen = vec![None; self.class.len()];
        for leads in groups(&self.class, &candidates, self.staff.places.len()) {
            for (&lead, rep) in leads.iter().zip(self.most_wins_of(&leads)) {
                chosen[lead] = rep;
            }
        }
        chosen
    }

    /// The same of some leads, whose candidates are nobody else's.
    fn most_wins_of(&self, leads: &[usize]) -> Vec<Option<usize>> {
        // Reps whom no lead may go to would only be in the way.
        let classes: BTreeSet<usize> = leads.iter().map(|&lead| self.class[lead]).collect();
        let reps: BTreeSet<usize> =
            classes.iter().flat_map(|&class| self.candidates[class].reps.iter().copied()).collect();
        let reps: Vec<usize> = reps.into_iter().collect();
        let places: Vec<Places> = reps.iter().map(|&rep| self.staff.places[rep]).collect();
        // Factors differ by source only, and who may have a lead by its class.
        let mut sources: BTreeMap<Option<&str>, Vec<f64>> = BTreeMap::new();
        for &lead in leads {
            let source = self.pool.waiting[lead].source;
            sources.entry(source).or_insert_with(|| reps.iter().map(|&rep| self.factor(lead, rep)).collect());
        }
        let has = |class: usize| reps.iter().map(|&rep| self.candidates[class].has(rep)).collect();
        let may: BTreeMap<usize, Vec<bool>> = classes.iter().map(|&class| (class, has(class))).collect();
        let of: Vec<(&[f64], &[bool])> = (leads.iter())
            .map(|&lead| {
                let factors = &sources[&self.pool.waiting[lead].source];
                (factors.as_slice(), may[&self.class[lead]].as_slice())
            })
            .collect();
        let gain = |place: usize, rep: usize| {
            let (factors, may) = of[place];
            let chance = self.pool.waiting[leads[place]].chance;
            let worth = || chance.map_or(factors[rep], |chance| wins(chance, factors[rep]));
            may[rep].then(|| whole(worth()))
        };
        let found = assign(leads.len(), &places, gain);
        found.into_iter().map(|place| place.map(|place| reps[place])).collect()
    }

    fn rows(&self, chosen: &[Option<usize>]) -> Vec<Routed<'a>> {
        let mut more: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (lead, rep) in chosen.iter().enumerate() {
            if let Some(rep) = rep {
                more.entry(*rep).or_default().push(lead);
            }
        }
        let chance = |lead: usize| self.pool.waiting[lead].chance.unwrap_or(0.0);
        let mut position = vec![0; chosen.len()];
        for leads in more.values_mut() {
            leads.sort_by(|&a, &b| chance(b).total_cmp(&chance(a)).then(a.cmp(&b)));
            for (place, &lead) in leads.iter().enumerate() {
                position[lead] = count(place + 1);
            }
        }
        let taken = |rep: usize| more.get(&rep).map_or(0, Vec::len);
        let mut rows: Vec<Routed<'a>> = Vec::with_capacity(chosen.len());
        for (lead, waiting) in self.pool.waiting.iter().enumerate() {
            let to = chosen[lead].map(|rep| {
                let (places, factor) = (self.staff.places[rep], self.factor(lead, rep));
                Taker {
                    rep_id: &self.inputs.crm.reps[rep].id,
                    factor,
                    expected_wins: waiting.chance.map(|chance| wins(chance, factor)),
                    position: position[lead],
                    load_before: i64::from(places.taken),
                    load_after: i64::from(places.taken) + count(taken(rep)),
                    capacity: i64::from(places.capacity),
                }
            });
            let reason = match chosen[lead] {
                Some(rep) => {
                    reason::of(self, &Chosen { lead, rep, full: &|rep| self.is_full(rep, taken(rep)) })
                }
                None => reason::of_none(self, lead),
            };
            rows.push(Routed::new(waiting, to, self.candidates(lead).reps.len(), reason));
        }
        rows.sort_by_key(|row| row.lead_id);
        rows
    }

    fn is_full(&self, rep: usize, more: usize) -> bool {
        more >= self.staff.places[rep].free()
    }
}

/// The expected wins of a lead with a rep: a probability again.
fn wins(chance: f64, factor: f64) -> f64 {
    (chance * factor).min(1.0)
}

/// Expected wins in fifty-millionths, at least one of them: whole numbers add up in any order.
#[expect(clippy::cast_possible_truncation, reason = "some millions, and held at the ends of what fits")]
fn whole(wins: f64) -> i32 {
    (wins * 5e7).round() as i32
}
