//! What came for a day since its tile was made: read alone, so that a few late rows cost little.
//!
//! ```text
//! files of the day, in order of arrival   known ── known │ fresh
//! event_id of the known ──ids among the fresh?──► those rows whole ┐
//!                                                       all fresh ─┴─ duplicates ──► rows to add to the tile
//! ```

use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection};
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::keys::column;
use super::rows::{BATCH_ROWS, EVENT_ID, Rows, hash_of, schema};
use crate::error::{EngineError, Result};
use crate::lake::Source;

impl Rows {
    /// The rows of `fresh` that are no copies of rows in `known`; `None` where one of them takes the place of a row
    /// that the day's tile has counted, so that the day must be built anew.
    pub(super) fn read_since(known: &[PathBuf], fresh: &[PathBuf]) -> Result<Option<Self>> {
        let mut rows = Self::read(fresh)?;
        let mut ids: FxHashSet<u64> = FxHashSet::default();
        for batch in &rows.batches {
            ids.extend(column::<StringArray>(batch, EVENT_ID)?.iter().flatten().map(hash_of));
        }
        let schema = schema()?;
        let met: Vec<Vec<RecordBatch>> =
            known.par_iter().map(|path| rows_with(path, &schema, &ids)).collect::<Result<_>>()?;
        let met = met.concat();
        if met.is_empty() {
            return Ok(Some(rows));
        }
        let before = Self::of(met.clone())?;
        let length = before.kept.len();
        rows = Self::of([met, rows.batches].concat())?;
        if rows.kept[..length] != before.kept {
            return Ok(None);
        }
        rows.kept[..length].fill(false);
        rows.duplicates -= before.duplicates;
        Ok(Some(rows))
    }
}

/// The rows of a file whose id's hash is among `ids`.
fn rows_with(path: &Path, schema: &SchemaRef, ids: &FxHashSet<u64>) -> Result<Vec<RecordBatch>> {
    let open = || {
        let options = ArrowReaderOptions::new().with_schema(SchemaRef::clone(schema));
        ParquetRecordBatchReaderBuilder::try_new_with_options(Source::open(path)?, options)
            .map_err(EngineError::parquet("reading", path))
    };
    let builder = open()?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), [EVENT_ID]);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let (mut found, mut total) = (Vec::new(), 0);
    for batch in reader.map_err(EngineError::parquet("reading", path))? {
        let batch = batch.map_err(EngineError::arrow("reading raw events"))?;
        let own = column::<StringArray>(&batch, 0)?;
        let hits = (0..own.len()).filter(|&row| ids.contains(&hash_of(own.value(row))));
        found.extend(hits.map(|row| total + row..total + row + 1));
        total += own.len();
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let selection = RowSelection::from_consecutive_ranges(found.into_iter(), total);
    let reader = open()?.with_row_selection(selection).with_batch_size(BATCH_ROWS).build();
    reader
        .map_err(EngineError::parquet("reading", path))?
        .map(|batch| batch.map_err(EngineError::arrow("reading raw events")))
        .collect()
}
