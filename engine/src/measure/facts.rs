//! The facts of leads and opportunities as columns: what a run folds into their states.
//!
//! Read from the newest life before the day, and the days since. A life keeps
//!
//! | of | what | while |
//! |---|---|---|
//! | an opportunity | a row of `tile.deal_life`: what its events come to | it is open, and for [`KEEP_DAYS`] after it closed |
//! | a lead | a row of `tile.lead_life`; in `tile.fact_life` its events of the last days and each rep's first touch | for [`KEEP_DAYS`] after it was created, and while it is open and was touched or moved in [`OPEN_LEAD_DAYS`] |
//! | a sequence | in `tile.fact_life`, what its derived model needs (see [`crate::derive::still_needed`]) | its lead or opportunity is kept |

mod columns;
mod lives;
mod prune;

use std::path::PathBuf;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, RecordBatch,
    TimestampMicrosecondArray,
};
use arrow::compute::{concat, concat_batches, filter_record_batch};
use arrow::datatypes::Int32Type;
use rayon::prelude::*;

pub(crate) use columns::{Attributes, Names, dictionary};
use columns::{Batch, DayFacts, read_file, values, with_dictionaries};
pub(crate) use lives::Lives;

use super::lead::LeadLife;
use super::opportunity::{DealLife, Numbers};
use crate::catalogue::{Catalogue, Entity, EventCode};
use crate::derive::SequenceEvent;
use crate::error::{EngineError, Result};
use crate::tile::keys::column;
use crate::time::{Day, Micros};

/// Days for which the facts of a lead since its creation, or an opportunity since its end, are kept.
pub(crate) const KEEP_DAYS: Day = 100;
/// A lead without an event for longer no longer counts as open.
pub(crate) const OPEN_LEAD_DAYS: Day = 180;
/// `kept_for` of a fact that the states of leads are folded from.
const STATE: &str = "state";
/// The first columns of a day's facts take about as long to read as the rest.
const FIRST_HALF: usize = 5;
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
    /// Whether it comes from a day's tile, so that no life's row knows of it yet.
    pub(crate) fresh: bool,
    /// The number of the stage that it names, or [`NONE`].
    stage: u32,
    only_for: Option<EventCode>,
    batch: usize,
    row: usize,
}

impl Fact {
    /// The number of the stage that it names.
    pub(crate) fn stage(&self) -> Option<u32> {
        (self.stage != NONE).then_some(self.stage)
    }

    /// The numbers of whom it names, by kind of entity.
    pub(crate) fn numbers(&self) -> [Option<u32>; Entity::ALL.len()] {
        [self.rep, self.customer, self.lead, self.opportunity]
            .map(|number| (number != NONE).then_some(number))
    }
}

/// Where a lead's creation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    /// In a fact, by its row.
    Fact(usize),
    /// In the life that facts begin with, by the lead's number.
    Before(usize),
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
    /// Leads and opportunities as the life left them.
    pub(crate) leads_then: LeadLife,
    pub(crate) deals_then: DealLife,
    batches: Vec<Batch>,
}

impl Facts {
    /// The facts that matter for a run: those of a life, and those of the days after it.
    pub(crate) fn read(life: Option<Lives>, days: &[(Day, PathBuf)], catalogue: &Catalogue) -> Result<Self> {
        let mut facts = Self::default();
        if let Some(life) = life {
            facts.begin(&life, catalogue)?;
        }
        facts.read_days(days, catalogue)?;
        Ok(facts)
    }

    /// Begins with what a life knows.
    fn begin(&mut self, life: &Lives, catalogue: &Catalogue) -> Result<()> {
        let Self { reps, customers, leads, opportunities, stages, .. } = self;
        // Their rows give the first numbers.
        self.leads_then = LeadLife::new(&with_dictionaries(&life.leads)?, leads, reps)?;
        let numbers = Numbers { reps, customers, leads, opportunities, stages };
        self.deals_then = DealLife::new(&with_dictionaries(&life.deals)?, numbers)?;
        self.add(Batch::new(with_dictionaries(&life.facts)?, None)?, None, catalogue)
    }

    /// Adds those of days that follow.
    pub(crate) fn read_days(&mut self, days: &[(Day, PathBuf)], catalogue: &Catalogue) -> Result<()> {
        let of_day = |(day, path): &(Day, PathBuf)| {
            let batches = read_file(path, "tile.fact_day", FIRST_HALF)?;
            batches.iter().map(|batch| DayFacts::new(batch, *day)).collect::<Result<Vec<_>>>()
        };
        let days: Vec<Vec<DayFacts>> = days.par_iter().map(of_day).collect::<Result<_>>()?;
        days.into_iter().flatten().try_for_each(|facts| self.add_day(facts, catalogue))
    }

    fn add_day(&mut self, facts: DayFacts, catalogue: &Catalogue) -> Result<()> {
        let stages = self.stages.numbers(&facts.stages);
        self.add(facts.batch, Some((&facts.amounts, &stages)), catalogue)
    }

    /// Adds rows; of a day's, their amounts and stages.
    fn add(
        &mut self,
        batch: Batch,
        of_day: Option<(&Decimal128Array, &[u32])>,
        catalogue: &Catalogue,
    ) -> Result<()> {
        let rows = &batch.rows;
        let times = column::<TimestampMicrosecondArray>(rows, 0)?;
        let days = column::<Date32Array>(rows, 7)?;
        let texts = |position: usize| column::<DictionaryArray<Int32Type>>(rows, position);
        let (types, purposes) = (texts(2)?, texts(8)?);
        let code_of: Vec<Option<EventCode>> =
            values(types).map(|name| catalogue.get(name?).map(|(code, _)| code)).collect();
        let purpose_of: Vec<(&str, Option<EventCode>)> = values(purposes)
            .map(Option::unwrap_or_default)
            .map(|name| (name, catalogue.get(name).map(|(code, _)| code)))
            .collect();
        let (rep_ids, customer_ids, lead_ids, opportunity_ids) = (texts(3)?, texts(4)?, texts(5)?, texts(6)?);
        let Self { reps, customers, leads, opportunities, .. } = self;
        let ((reps, customers), (leads, opportunities)) = rayon::join(
            || (reps.numbers(rep_ids), customers.numbers(customer_ids)),
            || (leads.numbers(lead_ids), opportunities.numbers(opportunity_ids)),
        );
        let amount = |row: usize| {
            let (amounts, _) = of_day.filter(|(amounts, _)| amounts.is_valid(row))?;
            Some(i64::try_from(amounts.value(row)).unwrap_or(i64::MAX))
        };
        // Room for what follows as well: moving a million facts costs more than leaving pages untouched.
        self.rows.reserve(2 * rows.num_rows());
        for row in 0..rows.num_rows() {
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
                amount: amount(row),
                state: purpose.is_empty() || purpose == STATE,
                fresh: purpose.is_empty(),
                only_for,
                stage: of_day.map_or(NONE, |(_, stages)| stages[row]),
                batch: self.batches.len(),
                row,
            });
        }
        self.batches.push(batch);
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
        self.add_day(DayFacts::new(&with_dictionaries(&kept)?, day)?, catalogue)
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
        let tail = self.batches.split_off(first);
        let Some(schema) = tail.first().map(|batch| batch.rows.schema()) else { return Ok(()) };
        let mut begins = vec![0];
        begins.extend(tail.iter().scan(0, |sum, batch| {
            *sum += batch.rows.num_rows();
            Some(*sum)
        }));
        let joining = || EngineError::arrow("joining facts");
        let rows = concat_batches(&schema, tail.iter().map(|batch| &batch.rows)).map_err(joining())?;
        let maps: Vec<&dyn Array> =
            tail.iter().filter_map(|batch| batch.maps().map(|maps| maps as &dyn Array)).collect();
        let maps = concat(&maps).map_err(joining())?;
        self.batches.push(Batch::new(rows, maps.as_map_opt())?);
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

    /// An attribute with which a lead was created.
    pub(crate) fn attribute(&self, created: Created, name: &str) -> Option<&str> {
        self.attributes(created).find(|(key, _)| *key == name).and_then(|(_, value)| value)
    }

    /// The attributes with which a lead was created.
    pub(crate) fn attributes(&self, created: Created) -> impl Iterator<Item = (&str, Option<&str>)> {
        let (fact, before) = match created {
            Created::Fact(row) => (self.rows.get(row), None),
            Created::Before(number) => (None, Some(number)),
        };
        let of_fact = fact.and_then(|fact| Some(self.batches.get(fact.batch)?.attributes(fact.row)));
        let before = before.map(|number| self.leads_then.attributes(number));
        of_fact.into_iter().flatten().chain(before.into_iter().flatten())
    }

    fn event_id(&self, fact: &Fact) -> &str {
        self.batches.get(fact.batch).map_or("", |batch| batch.event_id(fact.row))
    }

    /// The facts as the recogniser of derived models wants them, each with its row.
    pub(crate) fn sequence(&self) -> impl Iterator<Item = SequenceEvent> {
        let whole = |(_, fact): &(usize, &Fact)| fact.only_for.is_some() || fact.fresh;
        self.rows.iter().enumerate().filter(whole).map(|(place, fact)| SequenceEvent {
            time_us: fact.time,
            place,
            code: fact.code,
            ids: fact.numbers(),
            only_for: fact.only_for,
        })
    }

    /// The ids of whom a row names, by kind of entity.
    pub(crate) fn ids(&self, row: usize) -> [Option<&str>; Entity::ALL.len()] {
        let numbers = self.rows[row].numbers();
        Entity::ALL.map(|kind| self.names(kind).get(numbers[kind.index()]?))
    }

    /// The names of what facts number, by kind.
    pub(crate) fn names(&self, entity: Entity) -> &Names {
        match entity {
            Entity::Rep => &self.reps,
            Entity::Customer => &self.customers,
            Entity::Lead => &self.leads,
            Entity::Opportunity => &self.opportunities,
        }
    }

    /// The events of customers that come from days' tiles.
    pub(crate) fn of_customers(&self) -> impl Iterator<Item = (EventCode, &str)> {
        let fresh = self.rows.iter().filter(|fact| fact.customer != NONE && fact.fresh);
        fresh.filter_map(|fact| Some((fact.code, self.customers.get(fact.customer)?)))
    }
}
