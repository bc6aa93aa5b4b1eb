//! The tile of a day that isn't over: its rows in memory, counted as they come by the kernel of closed days.
//!
//! The rows stay, because a copy of an event that comes later may be the one that counts. Where that happens, the day is
//! counted anew from them.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{Int32Type, SchemaRef};
use rustc_hash::FxHashSet;

use super::build::Builder;
use super::fact::Candidates;
use super::keys::{Keys, NO_KEY, column};
use super::rep::RepCounts;
use super::rows::{CUSTOMER, REP, Rows, schema};
use super::rule::Rules;
use super::source::{Source, source_stamps};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::lake::Table;
use crate::time::Day;
use crate::window::{OrderDay, Touches};

/// A day that goes on.
#[derive(Debug)]
pub(crate) struct RunningDay {
    day: Day,
    rules: Rules,
    schema: SchemaRef,
    rows: Rows,
    builder: Builder,
}

/// What rows changed.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Whether the day was counted anew: facts told before no longer hold.
    pub(crate) anew: bool,
    /// Keys of customers that the CRM knows.
    pub(crate) customers: FxHashSet<u32>,
    /// Reps as named.
    pub(crate) reps: FxHashSet<String>,
    /// Rows of `tile.fact_day` that may tell of leads and opportunities, in no order.
    pub(crate) facts: Vec<RecordBatch>,
}

impl RunningDay {
    /// A day without rows.
    ///
    /// # Errors
    /// Where `raw.behaviour` isn't declared.
    pub(crate) fn new(day: Day, catalogue: &Catalogue, keys: &Keys) -> Result<Self> {
        Ok(Self {
            day,
            rules: Rules::new(catalogue),
            schema: schema()?,
            rows: Rows::default(),
            builder: Builder::new(day, keys.len()),
        })
    }

    /// The rows that the lake has of the day, as batches for [`RunningDay::add`].
    ///
    /// # Errors
    /// Where a file is missing or damaged.
    pub(crate) fn read(&self, raw: &Table, catalogue: &Catalogue) -> Result<Vec<RecordBatch>> {
        let sources = source_stamps(raw, catalogue, self.day)?;
        let files = sources.get(&self.day).map_or(&[][..], |source: &Source| &source.paths);
        Ok(Rows::read(files)?.batches)
    }

    /// Adds rows of the day, with the columns of `raw.behaviour`; says what they touched, and how many are no copies.
    ///
    /// # Errors
    /// Where the columns are others.
    pub(crate) fn add(&mut self, batch: &RecordBatch, keys: &Keys) -> Result<(Touched, u64)> {
        let batch = self.with_dictionaries(batch)?;
        let (from, copies) = (self.rows.len(), self.rows.duplicates);
        let displaced = self.rows.push(batch)?;
        let mut touched = Touched { anew: displaced, ..Touched::default() };
        if displaced {
            self.builder = Builder::new(self.day, keys.len());
        }
        let Self { rows, builder, rules, .. } = self;
        let first = if displaced { 0 } else { from };
        for (batch, kept) in rows.parts_from(first) {
            let mut candidates = Candidates::default();
            builder.add((batch, kept), (rules, keys), &mut candidates)?;
            touched.facts.extend(candidates.rows(std::iter::once(batch))?);
            // Of a day counted anew, those of rows that count no more as well.
            touched.note(batch, |row| displaced || kept[row], keys)?;
        }
        let new = u64::try_from(rows.len() - from).unwrap_or(0).saturating_sub(rows.duplicates - copies);
        rows.compact(&self.schema)?;
        Ok((touched, new))
    }

    /// Bytes of the rows held.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// The rows held, in batches.
    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.rows.batches
    }

    /// The touches of a customer on the day; none where it wasn't touched.
    pub(crate) fn touches(&self, key: u32) -> Option<Touches> {
        self.builder.touches(key)
    }

    /// The orders of a customer on the day.
    pub(crate) fn orders(&self, key: u32) -> Option<OrderDay> {
        self.builder.orders(key)
    }

    /// The tile of a rep.
    pub(crate) fn rep(&self, id: &str) -> RepCounts {
        self.builder.rep(id)
    }

    fn with_dictionaries(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.schema_ref() == &self.schema {
            return Ok(batch.clone());
        }
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            if column.data_type() == field.data_type() {
                Ok(Arc::clone(column))
            } else {
                cast(column, field.data_type())
            }
        });
        let columns = columns.collect::<std::result::Result<_, _>>();
        let batch = columns.and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns));
        batch.map_err(EngineError::arrow("taking rows of the running day"))
    }
}

impl Touched {
    fn note(&mut self, batch: &RecordBatch, counts: impl Fn(usize) -> bool, keys: &Keys) -> Result<()> {
        let customers = column::<StringArray>(batch, CUSTOMER)?;
        let reps = batch.column(REP).as_dictionary::<Int32Type>();
        let names = reps.values().as_string::<i32>();
        let mut met = vec![false; names.len()];
        for row in (0..batch.num_rows()).filter(|row| counts(*row)) {
            if customers.is_valid(row) {
                let key = keys.get(customers.value(row));
                if key != NO_KEY {
                    self.customers.insert(key);
                }
            }
            if let Some(rep) = reps.key(row) {
                met[rep] = true;
            }
        }
        let met = (0..names.len()).filter(|&name| met[name] && names.is_valid(name));
        self.reps.extend(met.map(|name| names.value(name).to_owned()));
        Ok(())
    }
}
