//! The facts of leads and opportunities as columns: what a run folds into their states.
//!
//! Read from the newest `tile.fact_life` before the day, and the days since. A life keeps
//!
//! | facts of | while |
//! |---|---|
//! | an opportunity | it is open, and for [`KEEP_DAYS`] after it closed |
//! | a lead | for [`KEEP_DAYS`] after it was created, and while it is open and was touched or moved in [`OPEN_LEAD_DAYS`] |
//! | a sequence | its derived model needs them (see [`crate::derive::still_needed`]), and its lead or opportunity is kept |

mod columns;

use std::path::PathBuf;

use arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, RecordBatch,
    TimestampMicrosecondArray,
};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::Int32Type;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use columns::{Batch, in_order, kept_for, read_facts, values, with_day, with_dictionaries};
pub(crate) use columns::{Names, read_life};

use super::prune::Kept;
use crate::catalogue::{Catalogue, Entity, EventCode};
use crate::derive::{Known, SequenceEvent, still_needed};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::tile::keys::column;
use crate::time::{Day, Micros};

/// Days for which the facts of a lead since its creation, or an opportunity since its end, are kept.
pub(crate) const KEEP_DAYS: Day = 100;
/// A lead without an event for longer no longer counts as open.
pub(crate) const OPEN_LEAD_DAYS: Day = 180;
/// `kept_for` of a fact that states are folded from.
const STATE: &str = "state";
/// No id.
pub(crate) const NONE: u32 = u32::MAX;

/// One fact.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fact {
    pub(crate) time: Micros,
    pub(crate) day: Day,
    pub(crate) code: EventCode,
    pub(crate) rep: u32,
    pub(crate) customer: u32,
    pub(crate) lead: u32,
    pub(crate) opportunity: u32,
    pub(crate) amount: Option<i64>,
    /// Whether states are folded from it (else it only serves a derived model).
    pub(crate) state: bool,
    /// The number of the stage that it names, or [`NONE`].
    stage: u32,
    /// Whether it comes from a day's tile, not from a life.
    fresh: bool,
    only_for: Option<EventCode>,
    batch: usize,
    row: usize,
}

impl Fact {
    /// The number of the stage that it names.
    pub(crate) fn stage(&self) -> Option<u32> {
        (self.stage != NONE).then_some(self.stage)
    }
}

/// Facts in (day, time, event id) order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rows: Vec<Fact>,
    pub(crate) reps: Names,
    pub(crate) customers: Names,
    pub(crate) leads: Names,
    pub(crate) opportunities: Names,
    pub(crate) stages: Names,
    batches: Vec<Batch>,
}

impl Facts {
    /// The facts that matter for a run: those of a life, and those of the days after it.
    pub(crate) fn read(
        life: Option<RecordBatch>,
        days: &[(Day, PathBuf)],
        catalogue: &Catalogue,
    ) -> Result<Self> {
        let mut facts = Self::default();
        if let Some(life) = life {
            facts.add(&life, catalogue)?;
        }
        facts.read_days(days, catalogue)?;
        Ok(facts)
    }

    /// Adds those of days that follow.
    pub(crate) fn read_days(&mut self, days: &[(Day, PathBuf)], catalogue: &Catalogue) -> Result<()> {
        let days: Vec<Vec<RecordBatch>> = days
            .par_iter()
            .map(|(day, path)| read_facts(path)?.iter().map(|batch| with_day(batch, *day)).collect())
            .collect::<Result<_>>()?;
        days.iter().flatten().try_for_each(|batch| self.add(batch, catalogue))
    }

    fn add(&mut self, batch: &RecordBatch, catalogue: &Catalogue) -> Result<()> {
        let batch = with_dictionaries(batch)?;
        let times = column::<TimestampMicrosecondArray>(&batch, 0)?;
        let amounts = column::<Decimal128Array>(&batch, 7)?;
        let days = column::<Date32Array>(&batch, 9)?;
        let texts = |position: usize| column::<DictionaryArray<Int32Type>>(&batch, position);
        let (types, purposes) = (texts(2)?, texts(10)?);
        let code_of: Vec<Option<EventCode>> =
            values(types).map(|name| catalogue.get(name?).map(|(code, _)| code)).collect();
        let purpose_of: Vec<(&str, Option<EventCode>)> = values(purposes)
            .map(Option::unwrap_or_default)
            .map(|name| (name, catalogue.get(name).map(|(code, _)| code)))
            .collect();
        let (rep_ids, customer_ids, lead_ids, opportunity_ids) = (texts(3)?, texts(4)?, texts(5)?, texts(6)?);
        let stages = self.stages.numbers(texts(11)?);
        let Self { reps, customers, leads, opportunities, .. } = self;
        let ((reps, customers), (leads, opportunities)) = rayon::join(
            || (reps.numbers(rep_ids), customers.numbers(customer_ids)),
            || (leads.numbers(lead_ids), opportunities.numbers(opportunity_ids)),
        );
        // Room for what follows as well: moving a million facts costs more than leaving pages untouched.
        self.rows.reserve(2 * batch.num_rows());
        for row in 0..batch.num_rows() {
            let Some(code) = types.key(row).and_then(|key| code_of[key]) else { continue };
            let Some((purpose, only_for)) = purposes.key(row).map(|key| purpose_of[key]) else { continue };
            self.rows.push(Fact {
                time: times.value(row),
                day: days.value(row),
                code,
                rep: reps[row],
                customer: customers[row],
                lead: leads[row],
                opportunity: opportunities[row],
                amount: amounts.is_valid(row).then(|| i64::try_from(amounts.value(row)).unwrap_or(i64::MAX)),
                state: purpose.is_empty() || purpose == STATE,
                fresh: purpose.is_empty(),
                only_for,
                stage: stages[row],
                batch: self.batches.len(),
                row,
            });
        }
        self.batches.push(Batch::new(batch)?);
        Ok(())
    }

    /// Adds facts of a day that goes on: of rows of `tile.fact_day`, those that name a lead or an opportunity. They
    /// stand after all others, in the order in which they come.
    pub(crate) fn add_running(&mut self, rows: &RecordBatch, day: Day, catalogue: &Catalogue) -> Result<()> {
        let named = |row: usize| [5, 6].iter().any(|&id: &usize| rows.column(id).is_valid(row));
        let keep: Vec<bool> = (0..rows.num_rows()).map(named).collect();
        if !keep.contains(&true) {
            return Ok(());
        }
        let kept = filter_record_batch(rows, &BooleanArray::from(keep))
            .map_err(EngineError::arrow("keeping facts of the running day"))?;
        self.add(&with_day(&with_dictionaries(&kept)?, day)?, catalogue)
    }

    /// How many rows and batches there are.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.rows.len(), self.batches.len())
    }

    /// Forgets what came after a mark.
    pub(crate) fn rewind(&mut self, (rows, batches): (usize, usize)) {
        self.rows.truncate(rows);
        self.batches.truncate(batches);
    }

    /// Joins the batches from `first` on into one.
    pub(crate) fn compact(&mut self, first: usize) -> Result<()> {
        let tail: Vec<RecordBatch> =
            self.batches.split_off(first).into_iter().map(|batch| batch.rows).collect();
        let Some(schema) = tail.first().map(RecordBatch::schema) else { return Ok(()) };
        let mut begins = vec![0];
        begins.extend(tail.iter().scan(0, |sum, batch| {
            *sum += batch.num_rows();
            Some(*sum)
        }));
        let whole = concat_batches(&schema, &tail);
        self.batches.push(Batch::new(whole.map_err(EngineError::arrow("joining facts"))?)?);
        for fact in self.rows.iter_mut().rev().take_while(|fact| fact.batch >= first) {
            fact.row += begins[fact.batch - first];
            fact.batch = first;
        }
        Ok(())
    }

    /// What orders facts of one day: time, then event id.
    pub(crate) fn place(&self, row: usize) -> (Micros, &str) {
        (self.rows[row].time, self.event_id(&self.rows[row]))
    }

    /// An attribute of a fact.
    pub(crate) fn attribute(&self, fact: &Fact, name: &str) -> Option<&str> {
        self.entries(fact).find(|(key, _)| *key == name).and_then(|(_, value)| value)
    }

    /// The attributes of a fact that have a value.
    pub(crate) fn attributes(&self, fact: &Fact) -> impl Iterator<Item = (&str, &str)> {
        self.entries(fact).filter_map(|(key, value)| Some((key, value?)))
    }

    fn entries(&self, fact: &Fact) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.batches.get(fact.batch).into_iter().flat_map(|batch| batch.attributes(fact.row))
    }

    fn event_id(&self, fact: &Fact) -> &str {
        self.batches.get(fact.batch).map_or("", |batch| batch.event_id(fact.row))
    }

    /// The facts as the recogniser of derived models wants them, with the row of each.
    pub(crate) fn sequence(&self) -> Vec<SequenceEvent<'_>> {
        let whole = |fact: &&Fact| fact.only_for.is_some() || fact.fresh;
        self.rows.iter().filter(whole).map(|fact| self.sequence_event(fact)).collect()
    }

    /// The events of customers that come from days' tiles.
    pub(crate) fn of_customers(&self) -> impl Iterator<Item = (EventCode, &str)> {
        let fresh = self.rows.iter().filter(|fact| fact.customer != NONE && fact.fresh);
        fresh.filter_map(|fact| Some((fact.code, self.customers.get(fact.customer)?)))
    }

    fn sequence_event(&self, fact: &Fact) -> SequenceEvent<'_> {
        SequenceEvent {
            time_us: fact.time,
            event_id: self.event_id(fact),
            code: fact.code,
            rep: self.reps.get(fact.rep),
            customer: self.customers.get(fact.customer),
            lead: self.leads.get(fact.lead),
            opportunity: self.opportunities.get(fact.opportunity),
            only_for: fact.only_for,
        }
    }

    /// The facts that still matter after `base`, which ends at `end`: a batch of `tile.fact_life`.
    pub(crate) fn pruned(
        &self,
        catalogue: &Catalogue,
        base: Day,
        end: Micros,
        known: Known<'_>,
    ) -> Result<RecordBatch> {
        let remembered = Kept::new(self, catalogue, base);
        let mut parts: Vec<RecordBatch> = Vec::new();
        let mut push = |batch: &RecordBatch, keep: Vec<bool>, purpose: &str| -> Result<()> {
            let kept = filter_record_batch(batch, &BooleanArray::from(keep));
            parts.push(kept_for(purpose, &kept.map_err(EngineError::arrow("keeping facts"))?)?);
            Ok(())
        };
        let mut by_batch: Vec<Vec<bool>> =
            self.batches.iter().map(|batch| vec![false; batch.rows.num_rows()]).collect();
        for fact in &self.rows {
            by_batch[fact.batch][fact.row] = fact.state && remembered.needs(fact);
        }
        for (batch, keep) in self.batches.iter().zip(by_batch) {
            push(&batch.rows, keep, STATE)?;
        }
        for (code, rows) in self.needed_by_models(catalogue, end, known, &remembered) {
            let mut by_batch: Vec<Vec<bool>> =
                self.batches.iter().map(|batch| vec![false; batch.rows.num_rows()]).collect();
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
        in_order(&whole)
    }

    /// Per derived model, the rows (batch, row) that it still needs.
    fn needed_by_models(
        &self,
        catalogue: &Catalogue,
        end: Micros,
        known: Known<'_>,
        remembered: &Kept<'_>,
    ) -> Vec<(String, Vec<(usize, usize)>)> {
        let whole: Vec<&Fact> =
            self.rows.iter().filter(|fact| fact.only_for.is_some() || fact.fresh).collect();
        let events: Vec<SequenceEvent<'_>> = whole.iter().map(|fact| self.sequence_event(fact)).collect();
        let mut place: FxHashMap<(&str, Option<EventCode>), &Fact> = FxHashMap::default();
        for (fact, event) in whole.iter().zip(&events) {
            place.insert((event.event_id, event.only_for), fact);
        }
        let entity_of: FxHashMap<EventCode, Entity> =
            catalogue.definitions().iter().map(|definition| (definition.code, definition.entity)).collect();
        let mut by_model: FxHashMap<EventCode, Vec<(usize, usize)>> = FxHashMap::default();
        for kept in still_needed(catalogue.definitions(), &events, end, known) {
            let Some(code) = kept.only_for else { continue };
            let found = place.get(&(kept.event_id, Some(code))).or_else(|| place.get(&(kept.event_id, None)));
            let remembered =
                |fact: &&&Fact| entity_of.get(&code).is_some_and(|e| remembered.remembers(fact, *e));
            if let Some(fact) = found.filter(remembered) {
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
