//! The facts of leads and opportunities as columns: what a run folds into their states.
//!
//! Read from the newest `tile.fact_life` before the day, and the days since. A life keeps
//!
//! | facts of | while |
//! |---|---|
//! | an opportunity | it is open, and for [`KEEP_DAYS`] after it closed |
//! | a lead | for [`KEEP_DAYS`] after it was created, and while it is open and had an event in [`OPEN_LEAD_DAYS`] |
//! | a sequence | its derived model needs them (see [`crate::derive::still_needed`]) |

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, MapArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::filter_record_batch;
use rustc_hash::FxHashMap;

use crate::catalogue::{Catalogue, EventCode};
use crate::derive::{SequenceEvent, still_needed};
use crate::error::{EngineError, Result};
use crate::lake::{Lake, read, tables};
use crate::tile::keys::column;
use crate::tile::{FactFiles, Tiles};
use crate::time::{Day, Micros};

/// Days for which the facts of a lead since its creation, or an opportunity since its end, are kept.
pub(crate) const KEEP_DAYS: Day = 100;
/// A lead without an event for longer no longer counts as open.
pub(crate) const OPEN_LEAD_DAYS: Day = 180;
/// `kept_for` of a fact that states are folded from.
const STATE: &str = "state";
/// No id.
pub(crate) const NONE: u32 = u32::MAX;

/// Names that occur, numbered.
#[derive(Debug, Default)]
pub(crate) struct Names {
    numbers: FxHashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn number(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NONE };
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }

    /// The name of a number.
    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        usize::try_from(number).ok().and_then(|number| self.names.get(number)).map(String::as_str)
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

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
    only_for: Option<EventCode>,
    batch: usize,
    row: usize,
}

/// Facts in (day, time, event id) order.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) rows: Vec<Fact>,
    pub(crate) reps: Names,
    pub(crate) customers: Names,
    pub(crate) leads: Names,
    pub(crate) opportunities: Names,
    /// In the schema of `tile.fact_life`.
    batches: Vec<RecordBatch>,
}

impl Facts {
    /// The facts that matter for a run as of `as_of`.
    pub(crate) async fn load(lake: &Lake, tiles: &Tiles, catalogue: &Catalogue, as_of: Day) -> Result<Self> {
        let files: FactFiles = tiles.fact_files(lake, catalogue, as_of).await?;
        Self::read(&files, catalogue)
    }

    pub(crate) fn read(files: &FactFiles, catalogue: &Catalogue) -> Result<Self> {
        let mut facts = Self::default();
        if let Some(path) = &files.life {
            for batch in read(path, &[])? {
                facts.add(batch, catalogue)?;
            }
        }
        for (day, path) in &files.days {
            for batch in read(path, &[])? {
                facts.add(with_day(&batch, *day)?, catalogue)?;
            }
        }
        Ok(facts)
    }

    fn add(&mut self, batch: RecordBatch, catalogue: &Catalogue) -> Result<()> {
        let times = column::<TimestampMicrosecondArray>(&batch, 0)?;
        let codes = column::<StringArray>(&batch, 2)?;
        let [reps, customers, leads, opportunities] =
            [3, 4, 5, 6].map(|position| column::<StringArray>(&batch, position));
        let (reps, customers, leads, opportunities) = (reps?, customers?, leads?, opportunities?);
        let amounts = column::<Decimal128Array>(&batch, 7)?;
        let days = column::<Date32Array>(&batch, 9)?;
        let kept_for = column::<StringArray>(&batch, 10)?;
        self.rows.reserve(batch.num_rows());
        for row in 0..batch.num_rows() {
            let Some((code, _)) = catalogue.get(codes.value(row)) else { continue };
            let id = |array: &'_ StringArray| array.is_valid(row).then(|| array.value(row).to_owned());
            let purpose = kept_for.value(row);
            let only_for = catalogue.get(purpose).map(|(code, _)| code);
            self.rows.push(Fact {
                time: times.value(row),
                day: days.value(row),
                code,
                rep: self.reps.number(id(reps).as_deref()),
                customer: self.customers.number(id(customers).as_deref()),
                lead: self.leads.number(id(leads).as_deref()),
                opportunity: self.opportunities.number(id(opportunities).as_deref()),
                amount: amounts.is_valid(row).then(|| i64::try_from(amounts.value(row)).unwrap_or(i64::MAX)),
                state: purpose.is_empty() || purpose == STATE,
                only_for,
                batch: self.batches.len(),
                row,
            });
        }
        self.batches.push(batch);
        Ok(())
    }

    /// An attribute of a fact.
    pub(crate) fn attribute(&self, fact: &Fact, name: &str) -> Option<&str> {
        let array = self.batches.get(fact.batch)?.column(8).as_any().downcast_ref::<MapArray>()?;
        if array.is_null(fact.row) {
            return None;
        }
        let offsets = array.value_offsets();
        let keys = array.keys().as_any().downcast_ref::<StringArray>()?;
        let values = array.values().as_any().downcast_ref::<StringArray>()?;
        let range = usize::try_from(offsets[fact.row]).ok()?..usize::try_from(offsets[fact.row + 1]).ok()?;
        range
            .into_iter()
            .find(|&entry| keys.value(entry) == name)
            .and_then(|entry| values.is_valid(entry).then(|| values.value(entry)))
    }

    fn event_id(&self, fact: &Fact) -> &str {
        let ids = self
            .batches
            .get(fact.batch)
            .and_then(|batch| batch.column(1).as_any().downcast_ref::<StringArray>());
        ids.map_or("", |ids| ids.value(fact.row))
    }

    /// The facts as the recogniser of derived models wants them, with the row of each.
    pub(crate) fn sequence(&self) -> Vec<SequenceEvent<'_>> {
        let whole = |fact: &&Fact| fact.only_for.is_some() || self.unpruned(fact);
        self.rows.iter().filter(whole).map(|fact| self.sequence_event(fact)).collect()
    }

    /// Whether the fact comes from a day's tile, not from a life.
    fn unpruned(&self, fact: &Fact) -> bool {
        let purpose = self
            .batches
            .get(fact.batch)
            .and_then(|batch| batch.column(10).as_any().downcast_ref::<StringArray>());
        purpose.is_some_and(|purpose| purpose.value(fact.row).is_empty())
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
    pub(crate) fn pruned(&self, catalogue: &Catalogue, base: Day, end: Micros) -> Result<RecordBatch> {
        let states = super::prune::states_to_keep(self, catalogue, base);
        let mut parts: Vec<RecordBatch> = Vec::new();
        let schema = tables::spec("tile.fact_life")?.file_schema();
        let mut push = |batch: &RecordBatch, keep: Vec<bool>, purpose: &str| -> Result<()> {
            let kept = filter_record_batch(batch, &BooleanArray::from(keep))
                .map_err(EngineError::arrow("keeping facts"))?;
            let mut columns: Vec<ArrayRef> = kept.columns()[..10].to_vec();
            columns
                .push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(purpose, kept.num_rows()))));
            parts.push(
                RecordBatch::try_new(Arc::clone(&schema), columns)
                    .map_err(EngineError::arrow("keeping facts"))?,
            );
            Ok(())
        };
        let mut by_batch: Vec<Vec<bool>> =
            self.batches.iter().map(|batch| vec![false; batch.num_rows()]).collect();
        for (fact, keep) in self.rows.iter().zip(&states) {
            by_batch[fact.batch][fact.row] = *keep && fact.state;
        }
        for (batch, keep) in self.batches.iter().zip(by_batch) {
            push(batch, keep, STATE)?;
        }
        for (code, rows) in self.needed_by_models(catalogue, end) {
            let mut by_batch: Vec<Vec<bool>> =
                self.batches.iter().map(|batch| vec![false; batch.num_rows()]).collect();
            for (batch, row) in rows {
                by_batch[batch][row] = true;
            }
            for (batch, keep) in self.batches.iter().zip(by_batch) {
                if keep.contains(&true) {
                    push(batch, keep, &code)?;
                }
            }
        }
        let whole =
            arrow::compute::concat_batches(&schema, &parts).map_err(EngineError::arrow("keeping facts"))?;
        in_order(&whole)
    }

    /// Per derived model, the rows (batch, row) that it still needs.
    fn needed_by_models(&self, catalogue: &Catalogue, end: Micros) -> Vec<(String, Vec<(usize, usize)>)> {
        let whole: Vec<&Fact> =
            self.rows.iter().filter(|fact| fact.only_for.is_some() || self.unpruned(fact)).collect();
        let events: Vec<SequenceEvent<'_>> = whole.iter().map(|fact| self.sequence_event(fact)).collect();
        let mut place: FxHashMap<(&str, Option<EventCode>), (usize, usize)> = FxHashMap::default();
        for (fact, event) in whole.iter().zip(&events) {
            place.insert((event.event_id, event.only_for), (fact.batch, fact.row));
        }
        let mut by_model: FxHashMap<EventCode, Vec<(usize, usize)>> = FxHashMap::default();
        for kept in still_needed(catalogue.definitions(), &events, end) {
            let Some(code) = kept.only_for else { continue };
            let found = place.get(&(kept.event_id, Some(code))).or_else(|| place.get(&(kept.event_id, None)));
            if let Some(&row) = found {
                by_model.entry(code).or_default().push(row);
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

/// A day's facts in the schema of a life: with their day, kept for everything.
fn with_day(batch: &RecordBatch, day: Day) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(Date32Array::from_iter_values(std::iter::repeat_n(day, batch.num_rows()))));
    columns.push(Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", batch.num_rows()))));
    RecordBatch::try_new(tables::spec("tile.fact_life")?.file_schema(), columns)
        .map_err(EngineError::arrow("reading facts"))
}

/// Rows in (`event_time`, `event_id`, `kept_for`) order.
fn in_order(batch: &RecordBatch) -> Result<RecordBatch> {
    let by = |position: usize| arrow::compute::SortColumn {
        values: Arc::clone(batch.column(position)),
        options: None,
    };
    let order = arrow::compute::lexsort_to_indices(&[by(0), by(1), by(10)], None)
        .map_err(EngineError::arrow("sorting facts"))?;
    arrow::compute::take_record_batch(batch, &order).map_err(EngineError::arrow("sorting facts"))
}
