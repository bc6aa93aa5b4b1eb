//! Facts as Arrow columns, with dictionaries for what repeats, and the numbers of their names.

use std::iter::repeat_n;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, Int32Array, MapArray, RecordBatch,
    StringArray, UInt32Array,
};
use arrow::compute::{SortColumn, cast, concat_batches, lexsort_to_indices, nullif};
use arrow::datatypes::{DataType, Int32Type, Schema, SchemaRef};

use super::{NONE, STATE};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::measure::at;
use crate::tile::keys::{Keys, column};
use crate::tile::read_halves;
use crate::time::Day;

/// Names that occur, numbered.
#[derive(Debug, Default)]
pub(crate) struct Names(Keys);

impl Names {
    /// The numbers of a column's rows.
    pub(super) fn numbers(&mut self, column: &DictionaryArray<Int32Type>) -> Vec<u32> {
        self.0.reserve(column.values().len());
        let numbers: Vec<u32> =
            values(column).map(|name| name.map_or(NONE, |name| self.0.insert(name))).collect();
        column
            .keys()
            .iter()
            .map(|key| key.and_then(|key| usize::try_from(key).ok()).map_or(NONE, |key| numbers[key]))
            .collect()
    }

    /// The name of a number.
    pub(crate) fn get(&self, number: u32) -> Option<&str> {
        (at(number) < self.0.len()).then(|| self.0.id(at(number)))
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Rows in the schema of `tile.fact_life`, and their columns that are looked up row by row.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rows: RecordBatch,
    event_ids: StringArray,
    attributes: MapArray,
    /// Of all attributes.
    keys: StringArray,
    values: StringArray,
}

impl Batch {
    pub(super) fn new(rows: RecordBatch) -> Result<Self> {
        let event_ids = column::<StringArray>(&rows, 1)?.clone();
        let attributes = column::<MapArray>(&rows, 8)?.clone();
        let texts = |array: &ArrayRef| {
            let texts = array.as_string_opt::<i32>().cloned();
            texts.ok_or_else(|| EngineError::Lake("attributes of facts are not texts".to_owned()))
        };
        let (keys, values) = (texts(attributes.keys())?, texts(attributes.values())?);
        Ok(Self { rows, event_ids, attributes, keys, values })
    }

    pub(super) fn event_id(&self, row: usize) -> &str {
        self.event_ids.value(row)
    }

    /// The attributes of a row.
    pub(super) fn attributes(&self, row: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        let offsets = self.attributes.value_offsets();
        let place = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
        let range = if self.attributes.is_null(row) { 0..0 } else { place(row)..place(row + 1) };
        let value = |entry: usize| self.values.is_valid(entry).then(|| self.values.value(entry));
        range.map(move |entry| (self.keys.value(entry), value(entry)))
    }
}

/// A day's facts in the schema of a life: with their day and stage, kept for everything.
pub(super) fn with_day(batch: &RecordBatch, day: Day) -> Result<RecordBatch> {
    let looked_up = Batch::new(batch.clone())?;
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(Date32Array::from_iter_values(repeat_n(day, batch.num_rows()))));
    let purposes = Int32Array::from_iter_values(repeat_n(0, batch.num_rows()));
    columns.push(Arc::new(DictionaryArray::new(purposes, Arc::new(StringArray::from(vec![""])))));
    let stage =
        |row| looked_up.attributes(row).find(|(name, _)| *name == "stage").and_then(|(_, value)| value);
    let stages: DictionaryArray<Int32Type> = (0..batch.num_rows()).map(stage).collect();
    columns.push(Arc::new(stages));
    let schema = dictionaries_of(&tables::spec("tile.fact_life")?.file_schema());
    RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("reading facts"))
}

/// Columns of texts that repeat.
const REPEATING: [&str; 7] =
    ["event_type", "rep_id", "customer_id", "lead_id", "opportunity_id", "kept_for", "stage"];
/// The event whose attributes are asked for as long as its lead is known.
const CREATED: &str = "lead.created";
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

/// Reads a file of `tile.fact_day`, with dictionaries.
pub(super) fn read_facts(path: &Path) -> Result<Vec<RecordBatch>> {
    read_file(path, "tile.fact_day")
}

/// Reads a file of `tile.fact_life`, with dictionaries, as one batch; none of an empty one.
pub(crate) fn read_life(path: &Path) -> Result<Option<RecordBatch>> {
    let batches = read_file(path, "tile.fact_life")?;
    match &batches[..] {
        [] => Ok(None),
        [one] => Ok(Some(one.clone())),
        [first, ..] => {
            let whole = concat_batches(first.schema_ref(), &batches);
            whole.map(Some).map_err(EngineError::arrow("joining facts"))
        }
    }
}

fn read_file(path: &Path, table: &str) -> Result<Vec<RecordBatch>> {
    let schema = dictionaries_of(&tables::spec(table)?.file_schema());
    read_halves(path, &schema, FIRST_HALF, ROWS_AT_ONCE)
}

/// The rows with dictionaries for the columns that repeat.
pub(super) fn with_dictionaries(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = dictionaries_of(batch.schema_ref());
    if batch.schema_ref() == &schema { Ok(batch.clone()) } else { cast_to(batch, &schema) }
}

/// Rows that a life keeps for a purpose, without what nobody asks them for: ids but of what goes by its id among the
/// sequences, attributes but of leads.
pub(super) fn kept_for(purpose: &str, rows: &RecordBatch) -> Result<RecordBatch> {
    let schema = tables::spec("tile.fact_life")?.file_schema();
    let rows = cast_to(rows, &schema)?;
    let repeated = |text: &str| Arc::new(StringArray::from_iter_values(repeat_n(text, rows.num_rows())));
    let mut columns = rows.columns().to_vec();
    if purpose == STATE {
        columns[1] = repeated("");
    }
    let types = column::<StringArray>(&rows, 2)?;
    let bare: BooleanArray =
        types.iter().map(|code| Some(purpose != STATE || code != Some(CREATED))).collect();
    columns[8] = nullif(rows.column(8), &bare).map_err(EngineError::arrow("keeping facts"))?;
    columns[10] = repeated(purpose);
    RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("keeping facts"))
}

fn cast_to(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
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

/// Rows in (`event_time`, `event_id`, `kept_for`) order; of the same, as they stood.
pub(super) fn in_order(batch: &RecordBatch) -> Result<RecordBatch> {
    let by = |position: usize| SortColumn { values: Arc::clone(batch.column(position)), options: None };
    let places = UInt32Array::from_iter_values((0_u32..).take(batch.num_rows()));
    let stood = SortColumn { values: Arc::new(places), options: None };
    let order = lexsort_to_indices(&[by(0), by(1), by(10), stood], None)
        .map_err(EngineError::arrow("sorting facts"))?;
    arrow::compute::take_record_batch(batch, &order).map_err(EngineError::arrow("sorting facts"))
}
