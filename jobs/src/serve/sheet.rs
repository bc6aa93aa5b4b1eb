//! The rows of one mart of one run, in memory: ordered by an id, found by it, turned into JSON or Arrow.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::WriterBuilder;
use arrow::json::writer::{JsonArray, LineDelimited};
use engine::EngineError;
use engine::lake::Run;
use engine::time::Day;

/// Rows ordered by an id.
#[derive(Debug, Clone)]
pub(crate) struct Sheet {
    batch: RecordBatch,
    ids: StringArray,
}

impl Sheet {
    /// Reads files of one schema, ordered by the text column `id`; rows of one id keep their order. Columns that the files
    /// don't have, because no model filled them, are null.
    pub(super) fn read(schema: &SchemaRef, files: &[PathBuf], id: &str) -> Result<Self, EngineError> {
        let mut batches = Vec::new();
        for file in files {
            batches.extend(engine::lake::read(file, &[])?);
        }
        let own = batches.first().map_or_else(|| SchemaRef::clone(schema), RecordBatch::schema);
        let batch = concat_batches(&own, &batches).map_err(arrow_error)?;
        Self::new(filled(&batch, schema)?, id)
    }

    pub(super) fn new(batch: RecordBatch, id: &str) -> Result<Self, EngineError> {
        let ids = ids(&batch, id)?;
        let in_order = (1..ids.len()).all(|row| ids.value(row - 1) <= ids.value(row));
        if in_order {
            return Ok(Self { batch, ids });
        }
        let mut order: Vec<usize> = (0..ids.len()).collect();
        order.sort_by_key(|&row| ids.value(row));
        let batch = take(&batch, &order)?;
        let ids = self::ids(&batch, id)?;
        Ok(Self { batch, ids })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    pub(super) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// A row's id.
    pub(super) fn id(&self, row: usize) -> &str {
        self.ids.value(row)
    }

    /// The rows of an id.
    pub(super) fn find(&self, id: &str) -> Range<usize> {
        self.first_after(|found| found < id)..self.after(id)
    }

    /// The first row after those of an id.
    pub(super) fn after(&self, id: &str) -> usize {
        self.first_after(|found| found <= id)
    }

    fn first_after(&self, before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.ids.len());
        while low < high {
            let middle = low.midpoint(high);
            if before(self.ids.value(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// A text column; none where there isn't one of that name.
    pub(super) fn texts(&self, column: &str) -> Option<&StringArray> {
        self.batch.column_by_name(column)?.as_string_opt::<i32>()
    }

    /// A cell of a text column.
    pub(super) fn text(&self, column: &str, row: usize) -> Option<&str> {
        let texts = self.texts(column)?;
        texts.is_valid(row).then(|| texts.value(row))
    }

    pub(super) fn slice(&self, rows: Range<usize>) -> RecordBatch {
        self.batch.slice(rows.start, rows.len())
    }

    pub(super) fn take(&self, rows: &[usize]) -> Result<RecordBatch, EngineError> {
        take(&self.batch, rows)
    }
}

/// A batch with all columns of a schema.
fn filled(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, EngineError> {
    let rows = batch.num_rows();
    let column = |field: &Arc<Field>| {
        let own = batch.column_by_name(field.name()).cloned();
        own.unwrap_or_else(|| new_null_array(field.data_type(), rows))
    };
    let columns = schema.fields().iter().map(column).collect();
    RecordBatch::try_new(SchemaRef::clone(schema), columns).map_err(arrow_error)
}

/// Some rows of a batch, in the order given.
pub(super) fn take(batch: &RecordBatch, rows: &[usize]) -> Result<RecordBatch, EngineError> {
    let rows = rows.iter().map(|&row| u64::try_from(row).unwrap_or(u64::MAX));
    take_record_batch(batch, &UInt64Array::from_iter_values(rows)).map_err(arrow_error)
}

fn ids(batch: &RecordBatch, id: &str) -> Result<StringArray, EngineError> {
    batch
        .column_by_name(id)
        .and_then(|column| column.as_string_opt::<i32>())
        .cloned()
        .ok_or_else(|| EngineError::Lake(format!("a published file has no text column {id}")))
}

/// The rows as one JSON array of objects; nulls are written, money as exact decimals.
pub(super) fn json_array(batch: &RecordBatch) -> Result<Vec<u8>, EngineError> {
    if batch.num_rows() == 0 {
        return Ok(b"[]".to_vec());
    }
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    writer.write(batch).and_then(|()| writer.finish()).map_err(arrow_error)?;
    Ok(writer.into_inner())
}

/// Each row as a JSON object.
pub(super) fn json_rows(batch: &RecordBatch) -> Result<Vec<Vec<u8>>, EngineError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(batch).and_then(|()| writer.finish()).map_err(arrow_error)?;
    let lines = writer.into_inner();
    // Line ends within texts are escaped.
    Ok(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
}

/// What rows are of: a day and, if there is one, a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Labelled<'a> {
    pub(super) as_of: Day,
    pub(super) run_id: Option<&'a str>,
}

impl<'a> Labelled<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        Self { as_of: run.as_of, run_id: Some(&run.run_id) }
    }
}

/// The rows as an Arrow IPC stream; where they are labelled, with day and run in two more columns.
pub(super) fn arrow_stream(batch: &RecordBatch, label: Option<Labelled<'_>>) -> Result<Vec<u8>, EngineError> {
    let batch = match label {
        Some(label) => with_label(batch, label).map_err(arrow_error)?,
        None => batch.clone(),
    };
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).map_err(arrow_error)?;
    writer.write(&batch).and_then(|()| writer.finish()).map_err(arrow_error)?;
    writer.into_inner().map_err(arrow_error)
}

fn with_label(batch: &RecordBatch, label: Labelled<'_>) -> Result<RecordBatch, ArrowError> {
    let mut fields: Vec<Field> = batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    fields.push(Field::new("as_of", DataType::Date32, false));
    fields.push(Field::new("run_id", DataType::Utf8, label.run_id.is_none()));
    let rows = batch.num_rows();
    let mut columns: Vec<ArrayRef> = batch.columns().to_vec();
    columns.push(Arc::new(Date32Array::from(vec![label.as_of; rows])));
    columns.push(Arc::new(StringArray::from(vec![label.run_id; rows])));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

pub(super) fn arrow_error(source: ArrowError) -> EngineError {
    EngineError::Arrow { doing: "turning published rows into an answer", source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(ids: &[&str]) -> Sheet {
        let place: Vec<String> = (0..ids.len()).map(|place| place.to_string()).collect();
        let schema = Schema::new(vec![
            Field::new("rep_id", DataType::Utf8, false),
            Field::new("place", DataType::Utf8, false),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(ids)),
            Arc::new(StringArray::from_iter_values(&place)),
        ];
        Sheet::new(RecordBatch::try_new(Arc::new(schema), columns).unwrap(), "rep_id").unwrap()
    }

    #[test]
    fn rows_are_found_by_id_whatever_order_they_came_in() {
        let sheet = sheet(&["b", "c", "a", "c", "b"]);
        let places =
            |id: &str| -> Vec<&str> { sheet.find(id).map(|row| sheet.text("place", row).unwrap()).collect() };
        assert_eq!(places("a"), ["2"]);
        assert_eq!(places("b"), ["0", "4"]);
        assert_eq!(places("c"), ["1", "3"]);
        assert_eq!((places("").len(), places("bb").len(), places("d").len()), (0, 0, 0));
        assert_eq!((sheet.after("b"), sheet.after(""), sheet.after("z")), (3, 0, 5));
    }

    #[test]
    fn what_no_model_filled_is_null() {
        let sheet = sheet(&["a", "b"]);
        let mut fields: Vec<Field> =
            sheet.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
        fields.push(Field::new("p", DataType::Float64, true));
        let filled = filled(sheet.batch(), &Arc::new(Schema::new(fields))).unwrap();
        let rows = json_rows(&filled).unwrap();
        assert_eq!(rows[1], br#"{"rep_id":"b","place":"1","p":null}"#);
    }

    #[test]
    fn a_line_end_within_a_text_stays_in_its_row() {
        let rows = json_rows(sheet(&["a\nb", "c"]).batch()).unwrap();
        assert_eq!(
            rows,
            [br#"{"rep_id":"a\nb","place":"0"}"#.to_vec(), br#"{"rep_id":"c","place":"1"}"#.to_vec()]
        );
    }
}
