//! All versions of an entity stream, and which of them is in force.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use arrow::array::{
    Array, Date32Array, Decimal128Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, SortField};
use rayon::prelude::*;

use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Table, read};
use crate::time::{Day, Micros};

/// No version time: in force since ever.
pub(super) const SINCE_EVER: Micros = Micros::MIN;

/// All versions of a `crm.*` stream.
#[derive(Debug)]
pub struct Versions {
    stream: Stream,
    pub(super) batches: Vec<RecordBatch>,
}

/// A version: its batch and row.
pub(super) type Place = (usize, usize);

impl Versions {
    /// Reads every version.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn load(stream: Stream, table: &Table) -> Result<Self> {
        let batches: Vec<Vec<RecordBatch>> = table
            .files()
            .par_iter()
            .map(|file| read(&table.dir().join(&file.path), &[]))
            .collect::<Result<_>>()?;
        Ok(Self { stream, batches: batches.concat() })
    }

    pub(super) fn column<T: Array + 'static>(&self, batch: usize, name: &str) -> Option<&T> {
        self.batches.get(batch)?.column_by_name(name)?.as_any().downcast_ref::<T>()
    }

    pub(super) fn text(&self, (batch, row): Place, name: &str) -> Option<&str> {
        let array = self.column::<StringArray>(batch, name)?;
        array.is_valid(row).then(|| array.value(row)).filter(|text| !text.is_empty())
    }

    pub(super) fn day(&self, (batch, row): Place, name: &str) -> Option<Day> {
        let array = self.column::<Date32Array>(batch, name)?;
        array.is_valid(row).then(|| array.value(row))
    }

    pub(super) fn amount(&self, (batch, row): Place, name: &str) -> Option<i64> {
        let array = self.column::<Decimal128Array>(batch, name)?;
        array.is_valid(row).then(|| i64::try_from(array.value(row)).unwrap_or(i64::MAX))
    }

    /// The ids of the first key column, version by version.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        let name = self.stream.key().first().copied().unwrap_or_default();
        (0..self.batches.len())
            .filter_map(move |batch| self.column::<StringArray>(batch, name))
            .flat_map(|array| array.iter().flatten())
    }

    pub(super) fn updated_at(&self, batch: usize) -> Option<&TimestampMicrosecondArray> {
        self.column(batch, "updated_at")
    }

    /// Whether the version at `new` replaces the one at `old`, both known at `end`.
    pub(super) fn newer(&self, new: (Micros, Place), old: (Micros, Place)) -> Result<bool> {
        match new.0.cmp(&old.0) {
            Ordering::Less => Ok(false),
            Ordering::Greater => Ok(true),
            Ordering::Equal => Ok(self.content(new.1)? > self.content(old.1)?),
        }
    }

    /// Bytes that order versions by content: columns in schema order, nulls first.
    fn content(&self, (batch, row): Place) -> Result<Vec<u8>> {
        let slice = self.batches[batch].slice(row, 1);
        let schema: &Schema = slice.schema_ref();
        let fields = schema.fields().iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = RowConverter::new(fields).map_err(EngineError::arrow("ordering versions"))?;
        let rows =
            converter.convert_columns(slice.columns()).map_err(EngineError::arrow("ordering versions"))?;
        Ok(rows.row(0).as_ref().to_vec())
    }

    /// A text column of the versions in force at `end`, by id; entities without a value are left out.
    pub(crate) fn texts_in_force(&self, name: &str, end: Micros) -> Result<BTreeMap<String, String>> {
        let rows = self.in_force(end)?.into_iter();
        Ok(rows.filter_map(|(key, place)| Some((key.concat(), self.text(place, name)?.to_owned()))).collect())
    }

    /// The version in force at `end` of every entity, by its key columns.
    pub(super) fn in_force(&self, end: Micros) -> Result<BTreeMap<Vec<String>, Place>> {
        let mut chosen: BTreeMap<Vec<String>, (Micros, Place)> = BTreeMap::new();
        for (batch, data) in self.batches.iter().enumerate() {
            let updated = self.updated_at(batch);
            for row in 0..data.num_rows() {
                let at =
                    updated.filter(|array| array.is_valid(row)).map_or(SINCE_EVER, |array| array.value(row));
                if at >= end {
                    continue;
                }
                let place = (batch, row);
                let key: Vec<String> = self
                    .stream
                    .key()
                    .iter()
                    .map(|name| match self.day(place, name) {
                        Some(day) => day.to_string(),
                        None => self.text(place, name).unwrap_or_default().to_owned(),
                    })
                    .collect();
                let replace = match chosen.get(&key) {
                    Some(old) => self.newer((at, place), *old)?,
                    None => true,
                };
                if replace {
                    chosen.insert(key, (at, place));
                }
            }
        }
        Ok(chosen.into_iter().map(|(key, (_, place))| (key, place)).collect())
    }
}
