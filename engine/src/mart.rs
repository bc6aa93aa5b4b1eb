//! Rows of marts as batches: one small builder, so that a table's columns stand in one place each.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, MapBuilder, MapFieldNames, RecordBatch,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{FieldRef, Schema, SchemaRef};

use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::tile::{dates, decimals};
use crate::time::{Day, Micros};

/// A mart's rows, ready to be written under a run's id.
#[derive(Debug)]
pub struct Mart {
    /// The table, e.g. `mart.quota`.
    pub table: &'static str,
    /// Its rows, without the partition columns, one part after the other; at least one part.
    pub parts: Vec<RecordBatch>,
}

impl Mart {
    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.parts.iter().map(RecordBatch::num_rows).sum()
    }

    /// All its rows in one batch.
    pub(crate) fn whole(&self) -> Result<RecordBatch> {
        let wrong = || EngineError::Lake(format!("{} has no part", self.table));
        let schema = self.parts.first().ok_or_else(wrong)?.schema();
        concat_batches(&schema, &self.parts).map_err(EngineError::arrow("joining the parts of a mart"))
    }
}

/// Columns of a mart, in schema order.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<ArrayRef>);

impl Columns {
    pub(crate) fn text<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.0.push(Arc::new(StringArray::from_iter_values(values)));
        self
    }

    pub(crate) fn maybe_text<'a>(mut self, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        self.0.push(Arc::new(values.into_iter().collect::<StringArray>()));
        self
    }

    pub(crate) fn long(mut self, values: impl IntoIterator<Item = i64>) -> Self {
        self.0.push(Arc::new(Int64Array::from_iter_values(values)));
        self
    }

    pub(crate) fn maybe_long(mut self, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        self.0.push(Arc::new(values.into_iter().collect::<Int64Array>()));
        self
    }

    pub(crate) fn int(mut self, values: impl IntoIterator<Item = i32>) -> Self {
        self.0.push(Arc::new(Int32Array::from_iter_values(values)));
        self
    }

    pub(crate) fn ratio(mut self, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.0.push(Arc::new(values.into_iter().collect::<Float64Array>()));
        self
    }

    pub(crate) fn flag(mut self, values: impl IntoIterator<Item = bool>) -> Self {
        self.0.push(Arc::new(values.into_iter().map(Some).collect::<BooleanArray>()));
        self
    }

    pub(crate) fn maybe_flag(mut self, values: impl IntoIterator<Item = Option<bool>>) -> Self {
        self.0.push(Arc::new(values.into_iter().collect::<BooleanArray>()));
        self
    }

    pub(crate) fn time(mut self, values: impl IntoIterator<Item = Option<Micros>>) -> Self {
        let array: TimestampMicrosecondArray = values.into_iter().collect();
        self.0.push(Arc::new(array.with_timezone("UTC")));
        self
    }

    pub(crate) fn date(mut self, values: impl IntoIterator<Item = Option<Day>>) -> Self {
        self.0.push(dates(values));
        self
    }

    pub(crate) fn cash(mut self, values: impl IntoIterator<Item = i64>) -> Self {
        self.0.push(decimals(values));
        self
    }

    pub(crate) fn maybe_cash(mut self, values: impl IntoIterator<Item = Option<i64>>) -> Self {
        let array: arrow::array::Decimal128Array =
            values.into_iter().map(|value| value.map(i128::from)).collect();
        self.0.push(Arc::new(array.with_data_type(crate::contract::money())));
        self
    }

    /// Attributes of each row, null where there are none.
    pub(crate) fn attributes<'a, P>(mut self, rows: impl IntoIterator<Item = Option<P>>) -> Result<Self>
    where
        P: Iterator<Item = (&'a str, Option<&'a str>)>,
    {
        let names =
            MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
        let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
        for pairs in rows {
            let known = pairs.is_some();
            for (key, value) in pairs.into_iter().flatten() {
                maps.keys().append_value(key);
                maps.values().append_option(value);
            }
            maps.append(known).map_err(EngineError::arrow("building a mart"))?;
        }
        self.0.push(Arc::new(maps.finish()));
        Ok(self)
    }

    pub(crate) fn array(mut self, values: ArrayRef) -> Self {
        self.0.push(values);
        self
    }

    /// The rows of `table`.
    pub(crate) fn of(self, table: &'static str) -> Result<Mart> {
        self.with(table, tables::spec(table)?.file_schema())
    }

    /// The rows of `table` without its last columns, which are then null.
    pub(crate) fn of_first(self, table: &'static str) -> Result<Mart> {
        let schema = tables::spec(table)?.file_schema();
        let first: Vec<FieldRef> = schema.fields().iter().take(self.0.len()).cloned().collect();
        self.with(table, Arc::new(Schema::new(first)))
    }

    fn with(self, table: &'static str, schema: SchemaRef) -> Result<Mart> {
        Ok(Mart { table, parts: vec![self.batch(schema)?] })
    }

    /// The rows as a batch of that schema.
    pub(crate) fn batch(self, schema: SchemaRef) -> Result<RecordBatch> {
        RecordBatch::try_new(schema, self.0).map_err(EngineError::arrow("building a mart"))
    }
}
