//! The columns of a file encoded in parallel, slice by slice.

use std::fs::File;

use arrow::array::RecordBatch;
use arrow::datatypes::Field;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::Result;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;

/// Rows of a column encoded at once: so many stay in a core's cache from one step of it to the next. A multiple of the
/// encoder's own 1,024, so that pages end where they would without.
const SLICE_ROWS: usize = 8_192;

/// Writes all rows of a file, given in parts of one schema, and ends it.
pub(super) fn encode(
    mut file: SerializedFileWriter<File>,
    encoders: &ArrowRowGroupWriterFactory,
    parts: &[RecordBatch],
    group_rows: usize,
) -> Result<ParquetMetaData> {
    for (number, group) in groups(parts, group_rows).iter().enumerate() {
        let columns: Vec<Vec<ArrowColumnChunk>> = columns(encoders.create_column_writers(number)?, group)?
            .into_par_iter()
            .map(|column| column.encode(group))
            .collect::<Result<_>>()?;
        let mut row_group = file.next_row_group()?;
        for column in columns.into_iter().flatten() {
            column.append_to_row_group(&mut row_group)?;
        }
        row_group.close()?;
    }
    file.finish()
}

/// A column of a row group, and the encoders of its leaves.
struct Column<'a> {
    field: &'a Field,
    position: usize,
    encoders: Vec<ArrowColumnWriter>,
}

/// The columns of a row group, whose encoders are given in the order of their leaves.
fn columns(encoders: Vec<ArrowColumnWriter>, group: &[RecordBatch]) -> Result<Vec<Column<'_>>> {
    let Some(first) = group.first() else { return Ok(Vec::new()) };
    let mut encoders = encoders.into_iter();
    let fields = first.schema_ref().fields().iter().zip(first.columns()).enumerate();
    fields
        .map(|(position, (field, column))| {
            let leaves = compute_leaves(field, &column.slice(0, 0))?.len();
            Ok(Column { field, position, encoders: encoders.by_ref().take(leaves).collect() })
        })
        .collect()
}

impl Column<'_> {
    fn encode(mut self, group: &[RecordBatch]) -> Result<Vec<ArrowColumnChunk>> {
        for part in group {
            let leaves = compute_leaves(self.field, part.column(self.position))?;
            for (encoder, leaf) in self.encoders.iter_mut().zip(&leaves) {
                encoder.write(leaf)?;
            }
        }
        self.encoders.into_iter().map(ArrowColumnWriter::close).collect()
    }
}

/// The row groups of a file, each in slices.
fn groups(parts: &[RecordBatch], group_rows: usize) -> Vec<Vec<RecordBatch>> {
    let (mut groups, mut group, mut room) = (Vec::new(), Vec::new(), group_rows);
    for part in parts {
        let mut start = 0;
        while start < part.num_rows() {
            if room == 0 {
                groups.push(std::mem::take(&mut group));
                room = group_rows;
            }
            let rows = SLICE_ROWS.min(part.num_rows() - start).min(room);
            group.push(part.slice(start, rows));
            start += rows;
            room -= rows;
        }
    }
    groups.extend((!group.is_empty()).then_some(group));
    groups
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, ListBuilder, StringBuilder};
    use arrow::compute::concat_batches;
    use parquet::arrow::ArrowWriter;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    /// Numbers with gaps, and lists of texts.
    fn rows(range: std::ops::Range<i64>) -> RecordBatch {
        let numbers: Int64Array = range.clone().map(|row| (row % 7 != 0).then_some(row)).collect();
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in range {
            (0..row % 4).for_each(|item| lists.values().append_value(format!("{row}-{item}")));
            lists.append(row % 5 != 0);
        }
        RecordBatch::try_from_iter([
            ("number", Arc::new(numbers) as _),
            ("list", Arc::new(lists.finish()) as _),
        ])
        .unwrap()
    }

    #[test]
    fn the_cut_into_parts_shows_nowhere_but_in_row_groups_asked_for() {
        let parts = [rows(0..5_000), rows(5_000..5_000), rows(5_000..23_456), rows(23_456..30_000)];
        let whole = concat_batches(&parts[0].schema(), &parts).unwrap();
        for group_rows in [4_000, 15_000, 1 << 20] {
            let file = tempfile::tempfile().unwrap();
            let writer = ArrowWriter::try_new(file.try_clone().unwrap(), whole.schema(), None).unwrap();
            let (writer, encoders) = writer.into_serialized_writer().unwrap();
            let metadata = encode(writer, &encoders, &parts, group_rows).unwrap();
            assert_eq!(metadata.num_row_groups(), 30_000_usize.div_ceil(group_rows));
            let read = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            let read: Vec<RecordBatch> = read.map(std::result::Result::unwrap).collect();
            assert_eq!(concat_batches(&whole.schema(), &read).unwrap(), whole);
        }
    }
}
