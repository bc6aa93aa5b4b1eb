//! Parquet: columns of the contract's names, read in ranges of rows so that several lanes can share a file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use super::types;
use crate::error::{EngineError, Result};
use crate::ingest::check::layout::{Layout, Slot};
use crate::ingest::files::InputFile;

/// Rows of one batch.
pub(crate) const BATCH_ROWS: usize = 65_536;
/// Rows below which a row group isn't shared.
const UNIT_ROWS_MIN: u64 = 65_536;
const MAGIC: &[u8] = b"PAR1";

/// Columns whose dictionary is kept, because they are checked or repeated value by value.
const DICTIONARIES: [&str; 3] = ["event_type", "channel", "rep_id"];

/// An open Parquet file and how its columns map to the stream's.
#[derive(Debug)]
pub(crate) struct ParquetSource {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    mask: ProjectionMask,
    /// Row groups: first row and number of rows.
    groups: Vec<(u64, u64)>,
    /// Where each column read goes.
    pub(crate) slots: Vec<Slot>,
    /// Names of the columns that are left unread.
    pub(crate) ignored: Vec<String>,
}

/// Rows of one row group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowRange {
    pub(crate) group: usize,
    /// First row, counted in the file.
    pub(crate) start: u64,
    pub(crate) rows: u64,
}

impl ParquetSource {
    /// Reads the footer and checks the columns' names and types.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a file that is no Parquet, cut off or damaged, that lacks a column or has one of a
    /// type that can't be converted.
    pub(crate) fn open(file: &InputFile, layout: &Layout) -> Result<Self> {
        let path = &file.path;
        let handle = File::open(path).map_err(EngineError::io("opening", path))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let plain =
            ArrowReaderMetadata::load(&handle, options).map_err(|error| footer_error(path, &error))?;
        check_columns(path, plain.schema(), layout)?;
        let hinted = ArrowReaderOptions::new().with_schema(with_dictionaries(plain.schema()));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), hinted).unwrap_or(plain);
        let mut slots = Vec::new();
        let mut ignored = Vec::new();
        let mut roots = Vec::new();
        for (position, field) in metadata.schema().fields().iter().enumerate() {
            match layout.slot(field.name()) {
                Slot::Extra if layout.attributes.is_none() => ignored.push(field.name().clone()),
                Slot::Derived => {}
                slot => {
                    roots.push(position);
                    slots.push(slot);
                }
            }
        }
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        let mut rows = 0;
        let groups = metadata
            .metadata()
            .row_groups()
            .iter()
            .map(|group| {
                let start = rows;
                let count = u64::try_from(group.num_rows()).unwrap_or(0);
                rows += count;
                (start, count)
            })
            .collect();
        Ok(Self { path: path.clone(), metadata, mask, groups, slots, ignored })
    }

    /// Rows of a unit of work: whole row groups, because skipping into one costs, unless the file has too few of them
    /// for the lanes.
    pub(crate) fn unit_rows(&self, lanes: usize) -> u64 {
        let largest = self.groups.iter().map(|(_, rows)| *rows).max().unwrap_or(0);
        let parts = if self.groups.len() >= 2 * lanes { 1 } else { u64::try_from(lanes).unwrap_or(1) };
        largest.div_ceil(parts.max(1)).max(UNIT_ROWS_MIN)
    }

    /// The rows from `start` on, at most `rows_max` and within one row group; none at the end.
    pub(crate) fn range(&self, start: u64, rows_max: u64) -> Option<RowRange> {
        let group = self.groups.iter().position(|(first, rows)| start < first + rows)?;
        let (first, rows) = self.groups.get(group)?;
        Some(RowRange { group, start, rows: (first + rows - start).min(rows_max) })
    }

    /// Reads a range batch by batch; `each` gets the batch and the number of its first row in the file.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the file is damaged; what `each` answers.
    pub(crate) fn read(
        &self,
        range: RowRange,
        mut each: impl FnMut(RecordBatch, u64) -> Result<()>,
    ) -> Result<()> {
        let handle = File::open(&self.path).map_err(EngineError::io("opening", &self.path))?;
        let first = self.groups.get(range.group).map_or(0, |(first, _)| *first);
        let as_usize = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let damaged = |error: &dyn std::fmt::Display| {
            EngineError::Input(format!(
                "{}: rows {} to {} can't be read, the file is damaged ({error}); copy it again",
                self.path.display(),
                range.start + 1,
                range.start + range.rows
            ))
        };
        let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(handle, self.metadata.clone())
            .with_projection(self.mask.clone())
            .with_row_groups(vec![range.group])
            .with_offset(as_usize(range.start - first))
            .with_limit(as_usize(range.rows))
            .with_batch_size(BATCH_ROWS)
            .build()
            .map_err(|error| damaged(&error))?;
        let mut row = range.start;
        for batch in reader {
            let batch = batch.map_err(|error| damaged(&error))?;
            let rows = u64::try_from(batch.num_rows()).unwrap_or(0);
            each(batch, row)?;
            row += rows;
        }
        if row == range.start + range.rows {
            Ok(())
        } else {
            Err(damaged(&format!("{} rows are missing", range.start + range.rows - row)))
        }
    }
}

/// The file's schema, with the strings that repeat read as dictionaries.
fn with_dictionaries(schema: &SchemaRef) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| {
            let text = matches!(field.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
            if text && DICTIONARIES.contains(&field.name().as_str()) {
                field.as_ref().clone().with_data_type(types::dictionary())
            } else {
                field.as_ref().clone()
            }
        })
        .collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

fn check_columns(path: &Path, schema: &SchemaRef, layout: &Layout) -> Result<()> {
    let input = |message: String| Err(EngineError::Input(format!("{}: {message}", path.display())));
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    for (position, name) in names.iter().enumerate() {
        if names[..position].contains(name) {
            return input(format!("the file has column '{name}' twice; rename one of the two"));
        }
    }
    let missing = layout.missing(|name| names.contains(&name));
    if !missing.is_empty() {
        return input(format!(
            "the file lacks the column {}, which {} needs; it has {}",
            missing.join(" and "),
            layout.stream.name(),
            names.join(", ")
        ));
    }
    for field in schema.fields() {
        let Slot::Column(column) = layout.slot(field.name()) else { continue };
        let Some(column) = layout.columns.get(column) else { continue };
        if !types::accepts(column.kind, field.data_type()) {
            return input(format!(
                "column '{}' has the type {}; it must be {}",
                column.name,
                field.data_type(),
                types::wanted(column.kind)
            ));
        }
    }
    Ok(())
}

/// A file without a readable footer: no Parquet at all, or cut off.
fn footer_error(path: &Path, error: &ParquetError) -> EngineError {
    let mut head = [0; 4];
    let mut tail = [0; 4];
    let ends = File::open(path).and_then(|mut file| {
        file.read_exact(&mut head)?;
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut tail)
    });
    let path = path.display();
    EngineError::Input(if ends.is_err() || head != MAGIC {
        format!("{path}: this is no Parquet file")
    } else if tail != MAGIC {
        format!("{path}: the Parquet file is cut off, its footer is missing; copy it again, whole")
    } else {
        format!("{path}: the Parquet file's footer is damaged ({error}); copy it again")
    })
}
