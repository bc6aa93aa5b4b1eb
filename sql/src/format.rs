//! Answers in the form asked for: a table for a person, CSV, JSON, Arrow or Parquet for a program.

mod table;

use std::io::Write;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::parquet::arrow::ArrowWriter;
use std::sync::Arc;

use crate::error::{Result, SqlError};
pub use table::{Style, width};

/// The form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Columns side by side, for a person.
    Table,
    /// Comma-separated, with a header; nested values as text.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// The Arrow IPC streaming format.
    Arrow,
    /// The Arrow IPC file format.
    ArrowFile,
    /// Parquet, Snappy.
    Parquet,
}

impl Format {
    /// The format that a file's ending stands for.
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "arrow" | "feather" | "ipc" => Some(Self::ArrowFile),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Table => "a table",
            Self::Csv => "CSV",
            Self::Json | Self::Ndjson => "JSON",
            Self::Arrow | Self::ArrowFile => "Arrow",
            Self::Parquet => "Parquet",
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Rows of the answer that were written.
    pub rows: usize,
    /// Whether rows were left out because the style's limit was reached.
    pub cut: bool,
}

/// Writes batches of one schema; see [`Format`].
pub struct Writer<W: Write + Send> {
    format: Format,
    schema: SchemaRef,
    rows: usize,
    inner: Inner<W>,
}

impl<W: Write + Send> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("format", &self.format)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

enum Inner<W: Write + Send> {
    Table(table::TableWriter<W>),
    Csv(Box<arrow::csv::Writer<W>>),
    Json(arrow::json::Writer<W, JsonArray>),
    Ndjson(arrow::json::Writer<W, LineDelimited>),
    Arrow(StreamWriter<W>),
    ArrowFile(FileWriter<W>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> Writer<W> {
    /// Begins an answer; `style` is for [`Format::Table`].
    ///
    /// # Errors
    /// [`SqlError::Encode`] where the format has no place for a column's type.
    pub fn new(out: W, schema: &SchemaRef, format: Format, style: Style) -> Result<Self> {
        let schema = if format == Format::Csv { flat_schema(schema) } else { SchemaRef::clone(schema) };
        let json = || WriterBuilder::new().with_explicit_nulls(true);
        let inner = match format {
            Format::Table => Inner::Table(table::TableWriter::new(out, &schema, style)),
            Format::Csv => Inner::Csv(Box::new(arrow::csv::Writer::new(out))),
            Format::Json => Inner::Json(json().build(out)),
            Format::Ndjson => Inner::Ndjson(json().build(out)),
            Format::Arrow => Inner::Arrow(StreamWriter::try_new(out, &schema).map_err(encode(format))?),
            Format::ArrowFile => Inner::ArrowFile(FileWriter::try_new(out, &schema).map_err(encode(format))?),
            Format::Parquet => {
                let writer = ArrowWriter::try_new(out, SchemaRef::clone(&schema), Some(properties()));
                Inner::Parquet(Box::new(writer.map_err(encode(format))?))
            }
        };
        let mut writer = Self { format, schema, rows: 0, inner };
        if format == Format::Csv {
            // The header, also of an answer without rows.
            let empty = RecordBatch::new_empty(SchemaRef::clone(&writer.schema));
            writer.write_flat(&empty)?;
        }
        Ok(writer)
    }

    /// Appends a batch; false once the style's limit is reached and no more rows are wanted.
    ///
    /// # Errors
    /// [`SqlError::Write`], [`SqlError::Encode`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<bool> {
        self.rows += batch.num_rows();
        let format = self.format;
        match &mut self.inner {
            Inner::Table(writer) => return writer.write(batch).map_err(SqlError::Write),
            Inner::Csv(_) => {
                let flat = flat(batch, &self.schema).map_err(encode(format))?;
                self.write_flat(&flat)?;
            }
            Inner::Json(writer) => writer.write(batch).map_err(encode(format))?,
            Inner::Ndjson(writer) => writer.write(batch).map_err(encode(format))?,
            Inner::Arrow(writer) => writer.write(batch).map_err(encode(format))?,
            Inner::ArrowFile(writer) => writer.write(batch).map_err(encode(format))?,
            Inner::Parquet(writer) => writer.write(batch).map_err(encode(format))?,
        }
        Ok(true)
    }

    fn write_flat(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.inner {
            Inner::Csv(writer) => writer.write(batch).map_err(encode(self.format)),
            _ => Ok(()),
        }
    }

    /// Ends the answer and gives back what it was written to.
    ///
    /// # Errors
    /// [`SqlError::Write`], [`SqlError::Encode`].
    pub fn finish(self) -> Result<(W, Written)> {
        let format = self.format;
        let mut written = Written { rows: self.rows, cut: false };
        let out = match self.inner {
            Inner::Table(writer) => {
                let (out, rows, cut) = writer.finish().map_err(SqlError::Write)?;
                written = Written { rows, cut };
                out
            }
            Inner::Csv(writer) => writer.into_inner(),
            Inner::Json(mut writer) => {
                writer.finish().map_err(encode(format))?;
                let mut out = writer.into_inner();
                out.write_all(b"\n").map_err(SqlError::Write)?;
                out
            }
            Inner::Ndjson(mut writer) => {
                writer.finish().map_err(encode(format))?;
                writer.into_inner()
            }
            Inner::Arrow(mut writer) => {
                writer.finish().map_err(encode(format))?;
                writer.into_inner().map_err(encode(format))?
            }
            Inner::ArrowFile(mut writer) => {
                writer.finish().map_err(encode(format))?;
                writer.into_inner().map_err(encode(format))?
            }
            Inner::Parquet(writer) => writer.into_inner().map_err(encode(format))?,
        };
        Ok((out, written))
    }
}

fn encode<E: std::error::Error + Send + Sync + 'static>(format: Format) -> impl Fn(E) -> SqlError {
    move |source| SqlError::Encode { format: format.name(), source: Box::new(source) }
}

fn properties() -> datafusion::parquet::file::properties::WriterProperties {
    datafusion::parquet::file::properties::WriterProperties::builder()
        .set_compression(datafusion::parquet::basic::Compression::SNAPPY)
        .set_created_by("tideline".to_owned())
        .build()
}

/// The schema with nested and binary columns as text: CSV has no place for them.
fn flat_schema(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| match field.data_type() {
            other if is_flat(other) => field.as_ref().clone(),
            _ => Field::new(field.name(), DataType::Utf8, true),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn is_flat(data_type: &DataType) -> bool {
    !data_type.is_nested()
        && !matches!(data_type, DataType::Binary | DataType::LargeBinary | DataType::BinaryView)
}

fn flat(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let options = FormatOptions::default();
    let columns = batch
        .columns()
        .iter()
        .map(|column| -> Result<ArrayRef, ArrowError> {
            if is_flat(column.data_type()) {
                return Ok(Arc::clone(column));
            }
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options)?;
            let text = |row| column.is_valid(row).then(|| formatter.value(row).to_string());
            Ok(Arc::new((0..column.len()).map(text).collect::<StringArray>()))
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    RecordBatch::try_new(SchemaRef::clone(schema), columns)
}

#[cfg(test)]
mod tests;
