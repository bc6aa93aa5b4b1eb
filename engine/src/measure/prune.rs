//! Which facts a life must keep so that later days see the same leads and opportunities.

use super::at;
use super::facts::{Fact, Facts, KEEP_DAYS, NONE};
use super::lead::{Lead, keeps_alive, leads};
use super::opportunity::{Opportunity, Stages, opportunities};
use crate::catalogue::{Catalogue, Entity};
use crate::settings::Pipeline;
use crate::time::Day;

/// Days for which everything that a lead did counts.
const RECENT_DAYS: Day = 31;

/// The leads and opportunities that are not forgotten yet.
pub(super) struct Kept<'a> {
    catalogue: &'a Catalogue,
    base: Day,
    deals: Vec<Opportunity>,
    leads: Vec<Lead>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(facts: &Facts, catalogue: &'a Catalogue, base: Day) -> Self {
        // Stages decide nothing about closing, so the configured ones don't matter here.
        let stages = Stages::new(&Pipeline::default());
        let deals = opportunities(facts, catalogue, &stages);
        Self { catalogue, base, deals, leads: leads(facts, catalogue, base) }
    }

    fn deal(&self, number: u32) -> bool {
        let deal = self.deals.get(at(number));
        deal.is_some_and(|deal| deal.closed_at.is_none() || deal.closed_day > self.base - KEEP_DAYS)
    }

    fn lead(&self, number: u32) -> bool {
        self.leads.get(at(number)).is_some_and(|lead| match lead.created {
            Some(_) => lead.created_day > self.base - KEEP_DAYS || lead.is_open(self.base),
            // Not created yet: its creation may come late.
            None => lead.last_day > self.base - KEEP_DAYS,
        })
    }

    /// Whether a state is folded from the fact.
    pub(super) fn needs(&self, fact: &Fact) -> bool {
        let Some(model) = self.catalogue.model(fact.code) else { return false };
        let of_deal = fact.opportunity != NONE && model.code.starts_with("opportunity.");
        let of_lead = fact.lead != NONE && (keeps_alive(model) || fact.day > self.base - RECENT_DAYS);
        (of_deal && self.deal(fact.opportunity)) || (of_lead && self.lead(fact.lead))
    }

    /// Whether a sequence of the fact's entity may go on: what happens to a lead or an opportunity that was forgotten
    /// begins anew.
    pub(super) fn remembers(&self, fact: &Fact, entity: Entity) -> bool {
        match entity {
            Entity::Rep | Entity::Customer => true,
            Entity::Lead => fact.lead == NONE || self.lead(fact.lead),
            Entity::Opportunity => fact.opportunity == NONE || self.deal(fact.opportunity),
        }
    }
}
