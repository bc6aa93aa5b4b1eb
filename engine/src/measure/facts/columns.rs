//! Facts as Arrow columns, with dictionaries for what repeats, and the numbers of their names.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Date32Array, DictionaryArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};
use rustc_hash::FxHashMap;

use super::NONE;
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::tile::read_halves;
use crate::time::Day;

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

    /// The numbers of a column's rows.
    pub(super) fn numbers(&mut self, column: &DictionaryArray<Int32Type>) -> Vec<u32> {
        let numbers: Vec<u32> = values(column).map(|name| self.number(name)).collect();
        column
            .keys()
            .iter()
            .map(|key| key.and_then(|key| usize::try_from(key).ok()).map_or(NONE, |key| numbers[key]))
            .collect()
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

/// A day's facts in the schema of a life: with their day, kept for everything.
pub(super) fn with_day(batch: &RecordBatch, day: Day) -> Result<RecordBatch> {
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(Date32Array::from_iter_values(std::iter::repeat_n(day, batch.num_rows()))));
    let purposes = Int32Array::from_iter_values(std::iter::repeat_n(0, batch.num_rows()));
    columns.push(Arc::new(DictionaryArray::new(purposes, Arc::new(StringArray::from(vec![""])))));
    let schema = dictionaries_of(&tables::spec("tile.fact_life")?.file_schema());
    RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("reading facts"))
}

/// Columns of texts that repeat.
const REPEATING: [&str; 6] = ["event_type", "rep_id", "customer_id", "lead_id", "opportunity_id", "kept_for"];
/// The first columns of a fact take about as long to read as the rest.
const FIRST_HALF: usize = 5;
/// More than a life has, so that each file has one dictionary per column.
const ROWS_AT_ONCE: usize = 1 << 24;

/// The schema with dictionaries for the columns that repeat.
pub(super) fn dictionaries_of(schema: &Schema) -> SchemaRef {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let fields = schema.fields().iter().map(|field| {
        let repeats = REPEATING.contains(&field.name().as_str());
        let field = field.as_ref().clone();
        if repeats { field.with_data_type(dictionary.clone()) } else { field }
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Reads a file of facts, with dictionaries.
pub(crate) fn read_facts(path: &Path) -> Result<Vec<RecordBatch>> {
    let table = if path.to_string_lossy().contains("fact_life") { "tile.fact_life" } else { "tile.fact_day" };
    let schema = dictionaries_of(&tables::spec(table)?.file_schema());
    read_halves(path, &schema, FIRST_HALF, ROWS_AT_ONCE)
}

/// The rows with dictionaries for the columns that repeat.
pub(super) fn with_dictionaries(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = dictionaries_of(batch.schema_ref());
    if batch.schema_ref() == &schema { Ok(batch.clone()) } else { cast_to(batch, &schema) }
}

pub(super) fn cast_to(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns: Vec<ArrayRef> = columns
        .map(|(column, field)| cast(column, field.data_type()))
        .collect::<std::result::Result<_, _>>()
        .map_err(EngineError::arrow("reading facts"))?;
    RecordBatch::try_new(SchemaRef::clone(schema), columns).map_err(EngineError::arrow("reading facts"))
}

/// The values of a dictionary.
pub(super) fn values(column: &DictionaryArray<Int32Type>) -> impl Iterator<Item = Option<&str>> {
    column.values().as_string_opt::<i32>().into_iter().flat_map(|texts| texts.iter())
}

/// Rows in (`event_time`, `event_id`, `kept_for`) order.
pub(super) fn in_order(batch: &RecordBatch) -> Result<RecordBatch> {
    let by = |position: usize| arrow::compute::SortColumn {
        values: Arc::clone(batch.column(position)),
        options: None,
    };
    let order = arrow::compute::lexsort_to_indices(&[by(0), by(1), by(10)], None)
        .map_err(EngineError::arrow("sorting facts"))?;
    arrow::compute::take_record_batch(batch, &order).map_err(EngineError::arrow("sorting facts"))
}
