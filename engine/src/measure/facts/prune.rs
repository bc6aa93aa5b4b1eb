//! What a life must keep so that later days see the same leads and opportunities.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use rustc_hash::FxHashMap;

use super::columns::{in_order, kept_for};
use super::{Fact, Facts, KEEP_DAYS, Lives, NONE, Names, STATE};
use crate::catalogue::{Catalogue, Entity, EventCode};
use crate::derive::{Known, SequenceEvent, still_needed};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::measure::at;
use crate::measure::lead::{Lead, lead_rows, leads};
use crate::measure::opportunity::{Opportunity, deal_rows, folded};
use crate::time::{Day, Micros};

impl Facts {
    /// What still matters after `base`, which ends at `end`.
    pub(crate) fn pruned(
        &self,
        catalogue: &Catalogue,
        base: Day,
        end: Micros,
        known: Known<'_>,
    ) -> Result<Lives> {
        let kept = Kept::new(self, catalogue, base);
        let mut parts: Vec<RecordBatch> = Vec::new();
        let mut push = |batch: &RecordBatch, keep: Vec<bool>, purpose: &str| -> Result<()> {
            let kept = filter_record_batch(batch, &BooleanArray::from(keep));
            parts.push(kept_for(purpose, &kept.map_err(EngineError::arrow("keeping facts"))?)?);
            Ok(())
        };
        let nothing = || -> Vec<Vec<bool>> {
            self.batches.iter().map(|batch| vec![false; batch.rows.num_rows()]).collect()
        };
        let mut by_batch = nothing();
        for fact in kept.rows_of_leads().map(|row| &self.rows[row]) {
            by_batch[fact.batch][fact.row] = true;
        }
        for (batch, keep) in self.batches.iter().zip(by_batch) {
            push(&batch.rows, keep, STATE)?;
        }
        for (code, rows) in self.needed_by_models(catalogue, end, known, &kept) {
            let mut by_batch = nothing();
            for (batch, row) in rows {
                by_batch[batch][row] = true;
            }
            for (batch, keep) in self.batches.iter().zip(by_batch) {
                if keep.contains(&true) {
                    push(&batch.rows, keep, &code)?;
                }
            }
        }
        let schema = tables::spec("tile.fact_life")?.file_schema();
        let whole = concat_batches(&schema, &parts).map_err(EngineError::arrow("keeping facts"))?;
        Ok(Lives {
            facts: in_order(&whole)?,
            leads: lead_rows(self, by_id(kept.leads(), &self.leads))?,
            deals: deal_rows(self, by_id(kept.deals(), &self.opportunities))?,
        })
    }

    /// Per derived model, the rows (batch, row) that it still needs.
    fn needed_by_models(
        &self,
        catalogue: &Catalogue,
        end: Micros,
        known: Known<'_>,
        remembered: &Kept,
    ) -> Vec<(String, Vec<(usize, usize)>)> {
        let events: Vec<SequenceEvent> = self.sequence().collect();
        let entity_of: FxHashMap<EventCode, Entity> =
            catalogue.definitions().iter().map(|definition| (definition.code, definition.entity)).collect();
        let mut by_model: FxHashMap<EventCode, Vec<(usize, usize)>> = FxHashMap::default();
        for kept in still_needed(catalogue.definitions(), &events, end, known) {
            let Some(code) = kept.only_for else { continue };
            let fact = &self.rows[kept.place];
            if entity_of.get(&code).is_some_and(|entity| remembered.remembers(fact, *entity)) {
                by_model.entry(code).or_default().push((fact.batch, fact.row));
            }
        }
        let mut models: Vec<(String, Vec<(usize, usize)>)> = by_model
            .into_iter()
            .filter_map(|(code, rows)| Some((catalogue.model(code)?.code.clone(), rows)))
            .collect();
        models.sort();
        models
    }
}

/// In the order of their ids: that of the marts, which then need not look for every row in another place.
fn by_id<'a, T: 'a>(
    kept: impl Iterator<Item = (u32, &'a T)>,
    names: &Names,
) -> impl Iterator<Item = (u32, &'a T)> {
    let mut kept: Vec<(u32, &T)> = kept.collect();
    kept.sort_unstable_by_key(|(number, _)| names.get(*number));
    kept.into_iter()
}

/// The leads and opportunities that are not forgotten yet.
struct Kept {
    base: Day,
    deals: Vec<Opportunity>,
    leads: Vec<Lead>,
}

impl Kept {
    fn new(facts: &Facts, catalogue: &Catalogue, base: Day) -> Self {
        Self { base, deals: folded(facts, catalogue, base), leads: leads(facts, catalogue, base) }
    }

    fn deal(&self, number: u32) -> bool {
        let deal = self.deals.get(at(number));
        deal.is_some_and(|deal| deal.closed_at.is_none() || deal.closed_day > self.base - KEEP_DAYS)
    }

    fn lead(&self, number: u32) -> bool {
        self.leads.get(at(number)).is_some_and(|lead| match lead.created {
            Some(_) => lead.created_day > self.base - KEEP_DAYS || lead.is_open(self.base),
            // Not created yet: its creation may come late.
            None => lead.last_day > self.base.saturating_sub(KEEP_DAYS),
        })
    }

    /// The opportunities that are kept, of which anything is known.
    fn deals(&self) -> impl Iterator<Item = (u32, &Opportunity)> {
        let known = (0..).zip(&self.deals).filter(|(_, deal)| deal.opened_at.is_some());
        known.filter(|(number, _)| self.deal(*number))
    }

    /// The leads that are kept.
    fn leads(&self) -> impl Iterator<Item = (u32, &Lead)> {
        (0..).zip(&self.leads).filter(|(number, _)| self.lead(*number))
    }

    /// The rows of facts that their states rest on beside what a row of a life tells.
    fn rows_of_leads(&self) -> impl Iterator<Item = usize> {
        self.leads().flat_map(|(_, lead)| {
            lead.recent.iter().copied().chain(lead.touches.iter().map(|(row, ..)| *row))
        })
    }

    /// Whether a sequence of the fact's entity may go on: what happens to a lead or an opportunity that was forgotten
    /// begins anew.
    fn remembers(&self, fact: &Fact, entity: Entity) -> bool {
        match entity {
            Entity::Rep | Entity::Customer => true,
            Entity::Lead => fact.lead == NONE || self.lead(fact.lead),
            Entity::Opportunity => fact.opportunity == NONE || self.deal(fact.opportunity),
        }
    }
}
