//! Reading data files.

use std::fs::File;
use std::path::Path;

use arrow::array::RecordBatch;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::{EngineError, Result};

/// Rows of one batch read from a file.
const BATCH_ROWS: usize = 65_536;

/// Reads some columns (all, where `columns` is empty) of a file, batch by batch.
///
/// # Errors
/// [`EngineError::Parquet`] where the file is damaged; [`EngineError::Io`] where it is missing.
pub fn read_columns(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let file = File::open(path).map_err(EngineError::io("opening", path))?;
    let mut builder =
        ParquetRecordBatchReaderBuilder::try_new(file).map_err(EngineError::parquet("reading", path))?;
    if !columns.is_empty() {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    let reader =
        builder.with_batch_size(BATCH_ROWS).build().map_err(EngineError::parquet("reading", path))?;
    for batch in reader {
        each(batch.map_err(EngineError::arrow("reading a data file"))?)?;
    }
    Ok(())
}

/// Reads a whole file.
///
/// # Errors
/// As [`read_columns`].
pub fn read(path: &Path, columns: &[&str]) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    read_columns(path, columns, |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok(batches)
}
