//! Facts as Arrow columns, with dictionaries for what repeats, and the numbers of their names.

use std::iter::repeat_n;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, DictionaryArray, Int32Array, MapArray,
    RecordBatch, StringArray, UInt32Array,
};
use arrow::compute::{SortColumn, cast, concat_batches, lexsort_to_indices};
use arrow::datatypes::{DataType, FieldRef, Int32Type, Schema, SchemaRef};

use super::NONE;
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::measure::at;
use crate::tile::keys::{Keys, NO_KEY, column};
use crate::tile::read_halves;
use crate::time::Day;

/// Names that occur, numbered.
#[derive(Debug, Default)]
pub(crate) struct Names(Keys);

impl Names {
    /// Gives the rows of a column the numbers from 0 on: it holds every name once, and no other is numbered yet.
    pub(crate) fn number_all(&mut self, column: &StringArray) {
        self.0.reserve(column.len());
        for name in column {
            self.0.append(name.unwrap_or_default());
        }
    }

    /// The numbers of a column's rows.
    pub(crate) fn numbers(&mut self, column: &DictionaryArray<Int32Type>) -> Vec<u32> {
        self.0.reserve(column.values().len());
        let mut numbers = self.0.get_all(values(column).map(Option::unwrap_or_default));
        for (number, name) in numbers.iter_mut().zip(values(column)) {
            *number = match name {
                None => NONE,
                Some(name) if *number == NO_KEY => self.0.insert(name),
                Some(_) => *number,
            };
        }
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

    /// The names, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.0.len()).map(|number| self.0.id(number))
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Attributes of rows.
#[derive(Debug)]
pub(crate) struct Attributes {
    maps: MapArray,
    /// Of all rows.
    keys: StringArray,
    values: StringArray,
}

impl Attributes {
    pub(crate) fn new(maps: &MapArray) -> Result<Self> {
        let texts = |array: &ArrayRef| {
            let texts = array.as_string_opt::<i32>().cloned();
            texts.ok_or_else(|| EngineError::Lake("attributes of facts are not texts".to_owned()))
        };
        Ok(Self { keys: texts(maps.keys())?, values: texts(maps.values())?, maps: maps.clone() })
    }

    /// Those of a row.
    pub(crate) fn of(&self, row: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        let offsets = self.maps.value_offsets();
        let place = |row: usize| usize::try_from(offsets[row]).unwrap_or(0);
        let range = if self.maps.is_null(row) { 0..0 } else { place(row)..place(row + 1) };
        let value = |entry: usize| self.values.is_valid(entry).then(|| self.values.value(entry));
        range.map(move |entry| (self.keys.value(entry), value(entry)))
    }
}

/// Rows of facts, and their columns that are looked up row by row.
#[derive(Debug)]
pub(super) struct Batch {
    /// In the schema of `tile.fact_life`, with dictionaries.
    pub(super) rows: RecordBatch,
    event_ids: StringArray,
    /// Of a day's facts; a life keeps none beside `tile.lead_life`.
    attributes: Option<Attributes>,
}

impl Batch {
    pub(super) fn new(rows: RecordBatch, maps: Option<&MapArray>) -> Result<Self> {
        let event_ids = column::<StringArray>(&rows, 1)?.clone();
        let attributes = maps.map(Attributes::new).transpose()?;
        Ok(Self { rows, event_ids, attributes })
    }

    pub(super) fn maps(&self) -> Option<&MapArray> {
        self.attributes.as_ref().map(|attributes| &attributes.maps)
    }

    pub(super) fn event_id(&self, row: usize) -> &str {
        self.event_ids.value(row)
    }

    /// The attributes of a row.
    pub(super) fn attributes(&self, row: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.attributes.iter().flat_map(move |attributes| attributes.of(row))
    }
}

/// A day's facts.
pub(super) struct DayFacts {
    pub(super) batch: Batch,
    pub(super) amounts: Decimal128Array,
    /// The stages that they name.
    pub(super) stages: DictionaryArray<Int32Type>,
}

impl DayFacts {
    /// From rows of `tile.fact_day`, with dictionaries.
    pub(super) fn new(rows: &RecordBatch, day: Day) -> Result<Self> {
        let mut columns = rows.columns()[..7].to_vec();
        columns.push(Arc::new(Date32Array::from_iter_values(repeat_n(day, rows.num_rows()))));
        let purposes = Int32Array::from_iter_values(repeat_n(0, rows.num_rows()));
        columns.push(Arc::new(DictionaryArray::new(purposes, Arc::new(StringArray::from(vec![""])))));
        let schema = dictionaries_of(&tables::spec("tile.fact_life")?.file_schema());
        let of_life = RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("reading facts"))?;
        let batch = Batch::new(of_life, Some(column::<MapArray>(rows, 8)?))?;
        let stage =
            |row| batch.attributes(row).find(|(name, _)| *name == "stage").and_then(|(_, value)| value);
        let stages = (0..rows.num_rows()).map(stage).collect();
        Ok(Self { amounts: column::<Decimal128Array>(rows, 7)?.clone(), stages, batch })
    }
}

/// Columns of texts that repeat.
const REPEATING: [&str; 11] = [
    "event_type",
    "rep_id",
    "customer_id",
    "lead_id",
    "opportunity_id",
    "kept_for",
    "opened_in",
    "owner_rep_id",
    "assignee_rep_id",
    "closed_by",
    "stage",
];
/// More than a life has, so that each file has one dictionary per column.
const ROWS_AT_ONCE: usize = 1 << 24;

/// The schema with dictionaries for the columns that repeat; what comes first names the row.
fn dictionaries_of(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().enumerate();
    let fields = fields.map(|(place, field)| if place > 0 { repeating(field) } else { Arc::clone(field) });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn repeating(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Utf8 if REPEATING.contains(&field.name().as_str()) => {
            DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
        }
        DataType::List(element) => DataType::List(repeating(element)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(repeating).collect()),
        _ => return Arc::clone(field),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

/// A column of dictionary keys.
pub(crate) fn dictionary(column: &ArrayRef) -> Result<&DictionaryArray<Int32Type>> {
    let wrong = || EngineError::Lake("a column of facts that repeats has no dictionary".to_owned());
    column.as_dictionary_opt::<Int32Type>().ok_or_else(wrong)
}

/// Reads a file of a table of facts, with dictionaries, the columns before `middle` beside the others.
pub(super) fn read_file(path: &Path, table: &str, middle: usize) -> Result<Vec<RecordBatch>> {
    let schema = dictionaries_of(&tables::spec(table)?.file_schema());
    read_halves(path, &schema, middle, ROWS_AT_ONCE)
}

/// The same as one batch.
pub(super) fn read_whole(path: &Path, table: &str, middle: usize) -> Result<RecordBatch> {
    let batches = read_file(path, table, middle)?;
    if let [one] = &batches[..] {
        return Ok(one.clone());
    }
    let schema = dictionaries_of(&tables::spec(table)?.file_schema());
    concat_batches(&schema, &batches).map_err(EngineError::arrow("joining facts"))
}

/// The rows with dictionaries for the columns that repeat.
pub(super) fn with_dictionaries(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = dictionaries_of(batch.schema_ref());
    if batch.schema_ref() == &schema { Ok(batch.clone()) } else { cast_to(batch, &schema) }
}

/// Rows that a life keeps for a purpose, without event ids: they stand in order, and come before those of later days.
pub(super) fn kept_for(purpose: &str, rows: &RecordBatch) -> Result<RecordBatch> {
    let schema = tables::spec("tile.fact_life")?.file_schema();
    let rows = cast_to(rows, &schema)?;
    let repeated = |text: &str| Arc::new(StringArray::from_iter_values(repeat_n(text, rows.num_rows())));
    let mut columns = rows.columns().to_vec();
    columns[1] = repeated("");
    columns[8] = repeated(purpose);
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

/// Rows in (`event_time`, `kept_for`) order; of the same, as they stood.
pub(super) fn in_order(batch: &RecordBatch) -> Result<RecordBatch> {
    let by = |position: usize| SortColumn { values: Arc::clone(batch.column(position)), options: None };
    let places = UInt32Array::from_iter_values((0_u32..).take(batch.num_rows()));
    let stood = SortColumn { values: Arc::new(places), options: None };
    let order =
        lexsort_to_indices(&[by(0), by(8), stood], None).map_err(EngineError::arrow("sorting facts"))?;
    arrow::compute::take_record_batch(batch, &order).map_err(EngineError::arrow("sorting facts"))
}
