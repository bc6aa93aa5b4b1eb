//! One day's raw events as the tile kernel wants them: small dictionaries where values repeat, duplicates marked.

use std::cmp::Ordering;
use std::hash::Hasher;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, Decimal128Array, DictionaryArray, Int32Array, MapArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;
use rustc_hash::FxHasher;

use super::keys::column;
use crate::error::{EngineError, Result};
use crate::lake::{Source, tables};

/// Columns of `raw.behaviour`, by position.
pub(super) const EVENT_ID: usize = 0;
pub(super) const EVENT_TIME: usize = 1;
pub(super) const EVENT_TYPE: usize = 2;
pub(super) const CHANNEL: usize = 3;
pub(super) const REP: usize = 4;
pub(super) const CUSTOMER: usize = 5;
pub(super) const LEAD: usize = 6;
pub(super) const OPPORTUNITY: usize = 7;
pub(super) const AMOUNT: usize = 8;
pub(super) const EVIDENCE_COUNT: usize = 9;
const EVIDENCE: usize = 10;
const ATTRIBUTES: usize = 11;

/// Columns that are read as dictionaries.
const DICTIONARIES: [&str; 3] = ["event_type", "channel", "rep_id"];
/// The first columns, up to `customer_id`, take about as long to read as the rest.
const FIRST_HALF: usize = CUSTOMER;
pub(super) const BATCH_ROWS: usize = 65_536;
/// Small batches that are joined into one.
const COMPACT_BATCHES: usize = 256;
/// No row.
const NO_ROW: u32 = u32::MAX;

/// The day's rows, with `kept` false for duplicates that lost.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) batches: Vec<RecordBatch>,
    /// Rows before each batch.
    bases: Vec<usize>,
    /// Of the event ids.
    hashes: Vec<u64>,
    pub(super) kept: Vec<bool>,
    pub(super) duplicates: u64,
    /// Open addressing by the hash of an id: the row that is kept of it.
    slots: Vec<u32>,
    /// Batches joined, and their bytes.
    compacted: usize,
    bytes: usize,
}

/// The schema of `raw.behaviour` with dictionaries for the columns that repeat.
pub(super) fn schema() -> Result<SchemaRef> {
    let declared = tables::spec("raw.behaviour")?.file_schema();
    let fields: Vec<Field> = declared
        .fields()
        .iter()
        .map(|field| {
            if DICTIONARIES.contains(&field.name().as_str()) {
                let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                field.as_ref().clone().with_data_type(dictionary)
            } else {
                field.as_ref().clone()
            }
        })
        .collect();
    Ok(Arc::new(Schema::new(fields)))
}

impl Rows {
    /// Reads a day's files and marks its duplicates.
    pub(super) fn read(files: &[std::path::PathBuf]) -> Result<Self> {
        let schema = schema()?;
        let read: Vec<Vec<RecordBatch>> = files
            .par_iter()
            .map(|path| read_halves(path, &schema, FIRST_HALF, BATCH_ROWS))
            .collect::<Result<_>>()?;
        Self::of(read.concat())
    }

    /// Marks the duplicates among batches.
    pub(super) fn of(batches: Vec<RecordBatch>) -> Result<Self> {
        let mut day = Self::default();
        day.reserve(batches.iter().map(RecordBatch::num_rows).sum());
        for batch in batches {
            day.push(batch)?;
        }
        Ok(day)
    }

    /// The batches from the one that begins at row `first`, each with what is kept of it.
    pub(super) fn parts_from(&self, first: usize) -> impl Iterator<Item = (&RecordBatch, &[bool])> {
        let skipped = self.bases.partition_point(|base| *base < first);
        self.parts().skip(skipped)
    }

    /// Joins the batches since the last time, where they are many: small ones cost more than their rows.
    pub(super) fn compact(&mut self, schema: &SchemaRef) -> Result<()> {
        if self.batches.len() < self.compacted + COMPACT_BATCHES {
            return Ok(());
        }
        let tail = self.batches.split_off(self.compacted);
        let whole = concat_batches(schema, &tail).map_err(EngineError::arrow("joining rows"))?;
        self.bases.truncate(self.compacted + 1);
        self.bytes += whole.get_array_memory_size();
        self.batches.push(whole);
        self.compacted += 1;
        Ok(())
    }

    /// Bytes of the rows and of what finds copies of them, those not yet joined aside.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.slots.len() * size_of::<u32>() + self.len() * size_of::<(u64, bool)>()
    }

    /// Rows, kept or not.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    fn reserve(&mut self, more: usize) {
        let wanted = ((self.len() + more) * 2).next_power_of_two().max(2);
        if wanted <= self.slots.len() {
            return;
        }
        self.hashes.reserve(more);
        self.kept.reserve(more);
        self.slots = vec![NO_ROW; wanted];
        for row in (0..self.len()).filter(|row| self.kept[*row]) {
            let mut slot = self.slot(self.hashes[row]);
            while self.slots[slot] != NO_ROW {
                slot = (slot + 1) & (wanted - 1);
            }
            self.slots[slot] = u32::try_from(row).unwrap_or(NO_ROW);
        }
    }

    fn slot(&self, hash: u64) -> usize {
        usize::try_from(hash & 0xffff_ffff).unwrap_or(0) & (self.slots.len() - 1)
    }

    /// The batches, each with what is kept of it.
    pub(super) fn parts(&self) -> impl Iterator<Item = (&RecordBatch, &[bool])> {
        self.batches
            .iter()
            .zip(&self.bases)
            .map(|(batch, base)| (batch, &self.kept[*base..base + batch.num_rows()]))
    }

    /// The hashes of the ids of the rows that are kept, in ascending order.
    pub(super) fn id_hashes(&self) -> Vec<i64> {
        let kept = self.hashes.iter().zip(&self.kept).filter(|(_, kept)| **kept);
        let mut hashes: Vec<i64> = kept.map(|(hash, _)| hash.cast_signed()).collect();
        hashes.par_sort_unstable();
        hashes
    }

    /// Takes rows; of every event id the row that is smallest by content is kept. Says whether one of them took the
    /// place of a row that had come before.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<bool> {
        self.reserve(batch.num_rows());
        let first = self.len();
        let ids = column::<StringArray>(&batch, EVENT_ID)?.clone();
        self.bases.push(first);
        self.batches.push(batch);
        let mut displaced = false;
        for id in (0..ids.len()).map(|index| ids.value(index)) {
            let (row, hash) = (self.len(), hash_of(id));
            self.hashes.push(hash);
            self.kept.push(true);
            let number = u32::try_from(row).unwrap_or(NO_ROW);
            let mut slot = self.slot(hash);
            while self.slots[slot] != NO_ROW {
                let other = usize::try_from(self.slots[slot]).unwrap_or(0);
                if self.hashes[other] == hash && self.id(other)? == id {
                    break;
                }
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            let other = self.slots[slot];
            self.slots[slot] = number;
            if other != NO_ROW {
                let known = usize::try_from(other).unwrap_or(0);
                self.duplicates += 1;
                if self.compare(row, known)? == Ordering::Less {
                    self.kept[known] = false;
                    displaced |= known < first;
                } else {
                    self.kept[row] = false;
                    self.slots[slot] = other;
                }
            }
        }
        Ok(displaced)
    }

    fn locate(&self, row: usize) -> (&RecordBatch, usize) {
        let position = self.bases.partition_point(|&base| base <= row).saturating_sub(1);
        (&self.batches[position], row - self.bases[position])
    }

    fn id(&self, row: usize) -> Result<&str> {
        let (batch, index) = self.locate(row);
        Ok(column::<StringArray>(batch, EVENT_ID)?.value(index))
    }

    /// The content order that decides between copies: `event_time`, then every other column in schema order, nulls
    /// first, texts by bytes, attributes by their keys, then by their values.
    fn compare(&self, a: usize, b: usize) -> Result<Ordering> {
        let ((left, a), (right, b)) = (self.locate(a), self.locate(b));
        let time = |batch: &RecordBatch, row: usize| -> Result<i64> {
            Ok(column::<TimestampMicrosecondArray>(batch, EVENT_TIME)?.value(row))
        };
        let mut order = time(left, a)?.cmp(&time(right, b)?);
        for position in [EVENT_TYPE, CHANNEL, REP] {
            order = order
                .then_with(|| dictionary_text(left, position, a).cmp(&dictionary_text(right, position, b)));
        }
        for position in [CUSTOMER, LEAD, OPPORTUNITY] {
            order = order.then_with(|| text(left, position, a).cmp(&text(right, position, b)));
        }
        order = order.then_with(|| amount(left, a).cmp(&amount(right, b)));
        let count = |batch: &RecordBatch, row: usize| -> Result<i32> {
            Ok(column::<Int32Array>(batch, EVIDENCE_COUNT)?.value(row))
        };
        order = order.then(count(left, a)?.cmp(&count(right, b)?));
        Ok(order
            .then_with(|| text(left, EVIDENCE, a).cmp(&text(right, EVIDENCE, b)))
            .then_with(|| attributes(left, a).cmp(&attributes(right, b))))
    }
}

/// Reads a file, the columns before `middle` beside the others.
pub(crate) fn read_halves(
    path: &Path,
    schema: &SchemaRef,
    middle: usize,
    batch_rows: usize,
) -> Result<Vec<RecordBatch>> {
    let all = schema.fields().len();
    let (left, right) = rayon::join(
        || read_columns(path, schema, 0..middle, batch_rows),
        || read_columns(path, schema, middle..all, batch_rows),
    );
    left?
        .into_iter()
        .zip(right?)
        .map(|(left, right)| {
            let columns = [left.columns(), right.columns()].concat();
            RecordBatch::try_new(SchemaRef::clone(schema), columns)
                .map_err(EngineError::arrow("reading raw events"))
        })
        .collect()
}

fn read_columns(
    path: &Path,
    schema: &SchemaRef,
    columns: Range<usize>,
    batch_rows: usize,
) -> Result<Vec<RecordBatch>> {
    let options = ArrowReaderOptions::new().with_schema(SchemaRef::clone(schema));
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Source::open(path)?, options)
        .map_err(EngineError::parquet("reading", path))?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns);
    let reader = builder
        .with_projection(mask)
        .with_batch_size(batch_rows)
        .build()
        .map_err(EngineError::parquet("reading", path))?;
    reader.map(|batch| batch.map_err(|error| EngineError::parquet("reading", path)(error.into()))).collect()
}

pub(super) fn hash_of(id: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(id.as_bytes());
    let hash = hasher.finish();
    hash ^ (hash >> 29)
}

fn dictionary_text(batch: &RecordBatch, position: usize, row: usize) -> Option<&str> {
    let array = batch.column(position).as_any().downcast_ref::<DictionaryArray<Int32Type>>()?;
    let key = array.key(row)?;
    Some(array.values().as_string_opt::<i32>()?.value(key))
}

pub(super) fn text(batch: &RecordBatch, position: usize, row: usize) -> Option<&str> {
    let array = batch.column(position).as_any().downcast_ref::<StringArray>()?;
    array.is_valid(row).then(|| array.value(row))
}

pub(super) fn amount(batch: &RecordBatch, row: usize) -> Option<i64> {
    let array = batch.column(AMOUNT).as_any().downcast_ref::<Decimal128Array>()?;
    array.is_valid(row).then(|| i64::try_from(array.value(row)).unwrap_or(i64::MAX))
}

/// The joined keys and the joined values of a row's attributes.
fn attributes(batch: &RecordBatch, row: usize) -> Option<(String, String)> {
    let array = batch.column(ATTRIBUTES).as_any().downcast_ref::<MapArray>()?;
    if array.is_null(row) {
        return None;
    }
    let entries = array.value(row);
    let join = |position: usize| -> String {
        let texts = entries.column(position).as_string_opt::<i32>();
        let texts = texts.map(|texts| texts.iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        texts.unwrap_or_default().join(",")
    };
    Some((join(0), join(1)))
}
