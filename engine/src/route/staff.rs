//! Who may have which lead: reps on duty with the skills that it needs, of its region or the nearest one above that has any.

use super::RouteInputs;
use super::assign::Places;
use super::pool::{Cause, Pool, Waiting};
use crate::measure::facts::Facts;
use crate::settings::Skill;

/// What decides who may have a lead: leads that share it have the same candidates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Its region in the CRM; none where it has none, or territories don't matter.
    region: Option<usize>,
    /// The skills that it needs, as positions in the settings.
    skills: Vec<usize>,
    /// The rep who left it unanswered.
    without: Option<usize>,
}

/// Who may have a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidates {
    /// Positions in the CRM, ascending.
    pub(super) reps: Vec<usize>,
    /// The region whose reps they are; none where any region's are.
    pub(super) region: Option<usize>,
    /// In words, where there are none.
    pub(super) why_none: String,
}

impl Candidates {
    pub(super) fn has(&self, rep: usize) -> bool {
        self.reps.binary_search(&rep).is_ok()
    }
}

/// The reps of the CRM, and what each may have.
#[derive(Debug)]
pub(super) struct Staff<'a> {
    inputs: RouteInputs<'a>,
    /// By position in the CRM: open leads that stay, and how many there may be.
    pub(super) places: Vec<Places>,
    /// On duty, and may have leads.
    works: Vec<bool>,
    /// By skill: who has it.
    skilled: Vec<Vec<bool>>,
}

impl<'a> Staff<'a> {
    pub(super) fn new(inputs: &RouteInputs<'a>, pool: &Pool<'a>) -> Self {
        let RouteInputs { crm, portfolios, as_of, .. } = *inputs;
        let routing = &inputs.settings.routing;
        let waiting = pool.of_reps(crm.reps.len());
        let places: Vec<Places> = crm
            .reps
            .iter()
            .zip(portfolios.iter().zip(waiting))
            .map(|(rep, (portfolio, waiting))| Places {
                taken: u32::try_from(portfolio.open_leads - waiting).unwrap_or(0),
                capacity: routing.capacity_of(&rep.id, rep.team.as_deref(), rep.role.as_deref()),
            })
            .collect();
        let works = crm
            .reps
            .iter()
            .zip(&places)
            .map(|(rep, places)| rep.on_duty(as_of) && places.capacity > 0)
            .collect();
        let named = |names: &[String], name: Option<&str>| {
            name.is_some_and(|name| names.iter().any(|known| known == name))
        };
        let skilled = routing
            .skill
            .iter()
            .map(|skill| {
                let has = |rep: &crate::entity::Rep| {
                    named(&skill.reps, Some(&rep.id))
                        || named(&skill.teams, rep.team.as_deref())
                        || named(&skill.roles, rep.role.as_deref())
                };
                crm.reps.iter().map(has).collect()
            })
            .collect();
        Self { inputs: *inputs, places, works, skilled }
    }

    pub(super) fn key(&self, waiting: &Waiting<'_>) -> Key {
        let routing = &self.inputs.settings.routing;
        let region = waiting.region.filter(|_| routing.territory);
        let needed = |skill: &Skill| {
            let value = attribute(self.inputs.facts, waiting, &skill.attribute);
            value.is_some_and(|value| skill.values.iter().any(|wanted| wanted == value))
        };
        Key {
            region: region.and_then(|region| self.inputs.crm.regions.position(region)),
            skills: (0..routing.skill.len()).filter(|&place| needed(&routing.skill[place])).collect(),
            without: waiting.from.filter(|_| waiting.cause == Cause::Escalated),
        }
    }

    pub(super) fn candidates(&self, key: &Key) -> Candidates {
        let able =
            |rep: &usize| self.works[*rep] && key.skills.iter().all(|&skill| self.skilled[skill][*rep]);
        let able: Vec<usize> = (0..self.works.len()).filter(able).collect();
        let others: Vec<usize> = able.iter().copied().filter(|rep| Some(*rep) != key.without).collect();
        let regions = &self.inputs.crm.regions;
        let Some(own) = key.region else {
            return self.found(key, others, None, &able);
        };
        // The reps of a region are those of it and of the regions below it.
        let within = |rep: usize, region: usize| {
            self.inputs.crm.reps[rep].region.is_some_and(|of| regions.upward(of).any(|above| above == region))
        };
        for region in regions.upward(own) {
            let here: Vec<usize> = others.iter().copied().filter(|&rep| within(rep, region)).collect();
            if !here.is_empty() {
                return self.found(key, here, Some(region), &able);
            }
        }
        self.found(key, Vec::new(), None, &able)
    }

    fn found(&self, key: &Key, reps: Vec<usize>, region: Option<usize>, able: &[usize]) -> Candidates {
        let why_none = if reps.is_empty() { self.why_none(key, able) } else { String::new() };
        Candidates { reps, region, why_none }
    }

    fn why_none(&self, key: &Key, able: &[usize]) -> String {
        if !self.works.contains(&true) {
            return "nobody is on duty who may have leads".to_owned();
        }
        if able.is_empty() {
            let rules = &self.inputs.settings.routing.skill;
            let needs: Vec<String> = key.skills.iter().map(|&skill| needs(&rules[skill])).collect();
            return format!("nobody on duty has what it needs: {}", needs.join("; "));
        }
        let regions = &self.inputs.crm.regions;
        match key.region.and_then(|region| regions.ids.get(region)) {
            Some(region) => format!("no other rep who may have it is on duty in {region} or above it"),
            None => "nobody may have it but the rep who left it unanswered".to_owned(),
        }
    }
}

/// Who has a skill, in words.
fn needs(skill: &Skill) -> String {
    let kinds = [("team", &skill.teams), ("role", &skill.roles), ("rep", &skill.reps)];
    let named = kinds.iter().filter(|(_, names)| !names.is_empty());
    let who: Vec<String> = named.map(|(kind, names)| format!("{kind} {}", names.join(" or "))).collect();
    format!("{} {} is for {}", skill.attribute, skill.values.join(" or "), who.join(" or "))
}

/// An attribute of a lead's creation.
fn attribute<'f>(facts: &'f Facts, waiting: &Waiting<'_>, name: &str) -> Option<&'f str> {
    facts.attribute(waiting.lead.created?, name)
}
