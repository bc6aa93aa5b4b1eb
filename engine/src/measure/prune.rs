//! Which facts a life must keep so that later days see the same leads and opportunities.

use super::at;
use super::facts::{Facts, KEEP_DAYS, NONE};
use super::lead::leads;
use super::opportunity::{Stages, opportunities};
use crate::catalogue::Catalogue;
use crate::settings::Pipeline;
use crate::time::Day;

/// For every fact whether it is still needed after `base`.
pub(super) fn states_to_keep(facts: &Facts, catalogue: &Catalogue, base: Day) -> Vec<bool> {
    // Stages decide nothing about closing, so the configured ones don't matter here.
    let stages = Stages::new(&Pipeline::default());
    let deals = opportunities(facts, catalogue, &stages);
    let leads = leads(facts, catalogue, base);
    let keep_deal = |number: u32| {
        deals.get(at(number)).is_some_and(|deal| deal.closed_at.is_none() || deal.closed_day > base - KEEP_DAYS)
    };
    let keep_lead = |number: u32| {
        leads.get(at(number)).is_some_and(|lead| match lead.created {
            Some(_) => lead.created_day > base - KEEP_DAYS || lead.is_open(base),
            // Not created yet: its creation may come late.
            None => lead.last_day > base - KEEP_DAYS,
        })
    };
    let kept = |fact: &super::facts::Fact| {
        (fact.opportunity != NONE && keep_deal(fact.opportunity)) || (fact.lead != NONE && keep_lead(fact.lead))
    };
    facts.rows.iter().map(kept).collect()
}
