//! The rows of a day that become facts: the life of leads and opportunities, and what sequences need.
//!
//! While rows go by, all candidates are kept but those of which a rep's day matters by its ends only; the rest is cut
//! down once the day is whole and in order, so that the facts don't depend on how the rows were read.

use std::sync::Arc;

use super::keys::column;
use super::rule::{Rule, Rules};
use crate::catalogue::Entity;
use crate::derive::{SequenceEvent, reduce};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use arrow::array::{
    Array, ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::{cast, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch};
use arrow::datatypes::SchemaRef;

/// Whether an event may be a fact whatever else the day holds; `named`: the entities it names, by kind.
pub(super) fn is_fact(rule: Rule, named: [bool; Entity::ALL.len()]) -> bool {
    let watched = (0..named.len()).any(|kind| rule.watched[kind] && named[kind]);
    rule.life || watched || named[Entity::Lead.index()]
}

/// Whether a fact is kept without asking whether a sequence needs it: measures of leads and opportunities look at it.
fn stays(rule: Rule, lead: bool, opportunity: bool) -> bool {
    rule.life || lead || (opportunity && rule.watched.contains(&true))
}

/// An event's time, and where it stands.
type Place = (i64, usize, u32);

/// Rows of a part of the day that may become facts.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Per batch.
    rows: Vec<Vec<u32>>,
    /// Per definition (by its bit) and rep, the first and the last; ties stay in `rows`.
    ends: Vec<Vec<Option<(Place, Place)>>>,
}

impl Candidates {
    pub(super) fn next_batch(&mut self) {
        self.rows.push(Vec::new());
    }

    pub(super) fn keep(&mut self, row: usize) {
        if let Some(rows) = self.rows.last_mut() {
            rows.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
    }

    /// Takes a row into account that only counts if it is the first or the last of the rep's day.
    pub(super) fn weigh(&mut self, definitions: u32, rep: usize, time: i64, row: usize) {
        let place = (time, self.rows.len() - 1, u32::try_from(row).unwrap_or(u32::MAX));
        let mut tied = false;
        let mut bits = definitions;
        while bits != 0 {
            let bit = usize::try_from(bits.trailing_zeros()).unwrap_or(0);
            bits &= bits - 1;
            if self.ends.len() <= bit {
                self.ends.resize(bit + 1, Vec::new());
            }
            if self.ends[bit].len() <= rep {
                self.ends[bit].resize(2 * rep + 16, None);
            }
            let (first, last) = self.ends[bit][rep].get_or_insert((place, place));
            tied |= (time == first.0 || time == last.0) && *first != place && *last != place;
            *first = if time < first.0 { place } else { *first };
            *last = if time > last.0 { place } else { *last };
        }
        if tied {
            self.keep(row);
        }
    }

    /// The candidates as facts.
    pub(super) fn rows<'a>(
        mut self,
        batches: impl Iterator<Item = &'a RecordBatch>,
    ) -> Result<Vec<RecordBatch>> {
        for (_, batch, row) in self.ends.iter().flatten().flatten().flat_map(|(first, last)| [first, last]) {
            self.rows[*batch].push(*row);
        }
        let mut facts = Vec::new();
        for (mut rows, batch) in self.rows.into_iter().zip(batches) {
            rows.sort_unstable();
            rows.dedup();
            if !rows.is_empty() {
                facts.push(fact_rows(batch, rows)?);
            }
        }
        Ok(facts)
    }
}

/// The facts of a whole day, in (`event_time`, `event_id`) order.
pub(super) fn facts_of_day(candidates: &[RecordBatch], rules: &Rules) -> Result<RecordBatch> {
    let all = sort_facts(candidates)?;
    let texts = |position: usize| column::<StringArray>(&all, position);
    let times = column::<TimestampMicrosecondArray>(&all, 0)?;
    let codes = texts(2)?;
    let named @ [_, _, leads, opportunities] = [texts(3)?, texts(4)?, texts(5)?, texts(6)?];
    let mut events = Vec::with_capacity(all.num_rows());
    let mut keep = Vec::with_capacity(all.num_rows());
    for row in 0..all.num_rows() {
        keep.push(false);
        let Some((code, rule)) = rules.find(codes.value(row)) else { continue };
        keep[row] = stays(rule, leads.is_valid(row), opportunities.is_valid(row));
        events.push(SequenceEvent {
            time_us: times.value(row),
            place: row,
            code,
            ids: named.map(|ids| ids.is_valid(row).then(|| ids.value(row))),
            only_for: None,
        });
    }
    for (event, needed) in events.iter().zip(reduce(&rules.definitions, &events)) {
        keep[event.place] |= needed;
    }
    filter_record_batch(&all, &BooleanArray::from(keep)).map_err(EngineError::arrow("choosing facts"))
}

/// The chosen rows as facts.
fn fact_rows(batch: &RecordBatch, rows: Vec<u32>) -> Result<RecordBatch> {
    let schema = tables::spec("tile.fact_day")?.file_schema();
    let taken =
        take_record_batch(batch, &UInt32Array::from(rows)).map_err(EngineError::arrow("choosing facts"))?;
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let position =
                taken.schema().index_of(field.name()).map_err(EngineError::arrow("choosing facts"))?;
            cast(taken.column(position), field.data_type()).map_err(EngineError::arrow("choosing facts"))
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("choosing facts"))
}

/// Facts in (`event_time`, `event_id`) order.
fn sort_facts(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let schema: SchemaRef = tables::spec("tile.fact_day")?.file_schema();
    let whole = concat_batches(&schema, batches).map_err(EngineError::arrow("joining facts"))?;
    let by = |position: usize| arrow::compute::SortColumn {
        values: Arc::clone(whole.column(position)),
        options: None,
    };
    let order = lexsort_to_indices(&[by(0), by(1)], None).map_err(EngineError::arrow("sorting facts"))?;
    take_record_batch(&whole, &order).map_err(EngineError::arrow("sorting facts"))
}
