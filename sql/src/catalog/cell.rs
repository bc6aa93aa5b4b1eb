//! Small tables in memory, their columns declared in one line.
//!
//! ```text
//! "oid:oid relname relhasindex:flag=false relkind=r"
//! ```
//!
//! A column without a type is a text; one with a default takes no place in the rows.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, Int64Array, RecordBatch, StringArray,
    new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};

/// One value.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Text(String),
    Int(i64),
    Flag(bool),
    Null,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i32> for Cell {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A column of the declaration.
#[derive(Debug)]
struct Column<'a> {
    name: &'a str,
    word: &'a str,
    default: Option<&'a str>,
}

fn columns(declared: &str) -> impl Iterator<Item = Column<'_>> {
    declared.split_whitespace().map(|column| {
        let (declared, default) =
            column.split_once('=').map_or((column, None), |(declared, value)| (declared, Some(value)));
        let (name, word) = declared.split_once(':').unwrap_or((declared, "text"));
        Column { name, word, default }
    })
}

/// The schema of a declaration.
pub(super) fn schema(declared: &str) -> SchemaRef {
    let field = |column: Column<'_>| {
        let field = Field::new(column.name, data_type(column.word), true);
        if column.word == "oid" {
            return field.with_metadata(HashMap::from([("pg.oid_alias".to_owned(), "oid".to_owned())]));
        }
        field
    };
    Arc::new(Schema::new(columns(declared).map(field).collect::<Vec<_>>()))
}

/// The rows of a declaration; each has a cell for every column without a default.
///
/// # Errors
/// Where a row has another number of cells.
pub(super) fn table(declared: &str, rows: &[Vec<Cell>]) -> Result<RecordBatch> {
    let wanted = columns(declared).filter(|column| column.default.is_none()).count();
    if let Some(row) = rows.iter().find(|row| row.len() != wanted) {
        let message = format!("{} cells for {wanted} columns: {declared}", row.len());
        return Err(DataFusionError::Internal(message));
    }
    let mut place = 0;
    let mut arrays = Vec::new();
    for column in columns(declared) {
        let cells: Vec<Cell> = if let Some(default) = column.default {
            let cell = match default {
                "" => Cell::Text(String::new()),
                "null" => Cell::Null,
                "true" | "false" => Cell::Flag(default == "true"),
                _ => default.parse().map_or_else(|_| Cell::from(default), Cell::Int),
            };
            vec![cell; rows.len()]
        } else {
            place += 1;
            rows.iter().filter_map(|row| row.get(place - 1)).cloned().collect()
        };
        arrays.push(array(column.word, &cells));
    }
    Ok(RecordBatch::try_new(schema(declared), arrays)?)
}

fn data_type(word: &str) -> DataType {
    let list = |inner| DataType::List(Arc::new(Field::new("item", inner, true)));
    match word {
        "oid" | "int" => DataType::Int32,
        "small" => DataType::Int16,
        "long" => DataType::Int64,
        "real" => DataType::Float32,
        "flag" => DataType::Boolean,
        "texts" => list(DataType::Utf8),
        "smalls" => list(DataType::Int16),
        "oids" => list(DataType::Int32),
        _ => DataType::Utf8,
    }
}

fn array(word: &str, cells: &[Cell]) -> ArrayRef {
    let long = |cell: &Cell| match cell {
        Cell::Int(number) => Some(*number),
        Cell::Text(text) => text.parse().ok(),
        _ => None,
    };
    let int = |cell: &Cell| long(cell).and_then(|number| i32::try_from(number).ok());
    let small = |cell: &Cell| long(cell).and_then(|number| i16::try_from(number).ok());
    let flag = |cell: &Cell| match cell {
        Cell::Flag(flag) => Some(*flag),
        _ => None,
    };
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        Cell::Int(number) => Some(number.to_string()),
        Cell::Flag(flag) => Some(flag.to_string()),
        Cell::Null => None,
    };
    match word {
        "oid" | "int" => Arc::new(cells.iter().map(int).collect::<Int32Array>()),
        "small" => Arc::new(cells.iter().map(small).collect::<Int16Array>()),
        "long" => Arc::new(cells.iter().map(long).collect::<Int64Array>()),
        "real" => Arc::new(cells.iter().map(small).map(|n| n.map(f32::from)).collect::<Float32Array>()),
        "flag" => Arc::new(cells.iter().map(flag).collect::<BooleanArray>()),
        // Lists are null wherever they stand.
        "texts" | "smalls" | "oids" => new_null_array(&data_type(word), cells.len()),
        _ => Arc::new(cells.iter().map(text).collect::<StringArray>()),
    }
}
