//! Reading data files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::{ChunkReader, Length};

use crate::error::{EngineError, Result};

/// Rows of one batch read from a file.
const BATCH_ROWS: usize = 65_536;

/// Bytes up to which a file is read at once: page by page, each costs eight calls of the system.
const WHOLE_BYTES: u64 = 8 << 20;

/// A Parquet file to read from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A small one, in memory.
    Whole(Bytes),
    /// A large one, on disk.
    File(File),
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let opened = File::open(path).and_then(|mut file| {
            if file.metadata()?.len() > WHOLE_BYTES {
                return Ok(Self::File(file));
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(Self::Whole(Bytes::from(bytes)))
        });
        opened.map_err(EngineError::io("opening", path))
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::Whole(bytes) => Length::len(bytes),
            Self::File(file) => Length::len(file),
        }
    }
}

impl ChunkReader for Source {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match self {
            Self::Whole(bytes) => Box::new(ChunkReader::get_read(bytes, start)?),
            Self::File(file) => Box::new(file.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::Whole(bytes) => ChunkReader::get_bytes(bytes, start, length),
            Self::File(file) => file.get_bytes(start, length),
        }
    }
}

/// Reads some columns (all, where `columns` is empty) of a file, batch by batch.
///
/// # Errors
/// [`EngineError::Parquet`] where the file is damaged; [`EngineError::Io`] where it is missing.
pub fn read_columns(
    path: &Path,
    columns: &[&str],
    each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(Source::open(path)?)
        .map_err(EngineError::parquet("reading", path))?;
    if !columns.is_empty() {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    each_batch(path, builder, each)
}

fn each_batch(
    path: &Path,
    builder: ParquetRecordBatchReaderBuilder<Source>,
    mut each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let reader =
        builder.with_batch_size(BATCH_ROWS).build().map_err(EngineError::parquet("reading", path))?;
    for batch in reader {
        each(batch.map_err(|error| EngineError::parquet("reading", path)(error.into()))?)?;
    }
    Ok(())
}

/// Reads a file as a schema says that its columns be held.
///
/// # Errors
/// As [`read_columns`].
pub(crate) fn read_as(
    path: &Path,
    schema: &SchemaRef,
    each: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    let options = ArrowReaderOptions::new().with_schema(SchemaRef::clone(schema));
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(Source::open(path)?, options)
        .map_err(EngineError::parquet("reading", path))?;
    each_batch(path, builder, each)
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;
    use crate::lake::{Encoding, write};

    #[test]
    fn damage_within_a_file_is_told_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let numbers = Int64Array::from_iter_values(0..1_000);
        let batch = RecordBatch::try_from_iter([("amount", Arc::new(numbers) as _)]).unwrap();
        write(dir.path(), "part.parquet".to_owned(), BTreeMap::new(), &batch, Encoding::Tile).unwrap();
        let path = dir.path().join("part.parquet");
        let mut bytes = std::fs::read(&path).unwrap();
        // The head of the first page; the footer stays sound.
        bytes[4..24].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let said = read(&path, &[]).unwrap_err().to_string();
        assert!(said.contains("part.parquet"), "{said}");
    }
}
