//! Data files: Parquet written with the encodings that each kind of table wants, and counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::encode::encode;
use crate::error::{EngineError, Result};

/// Rows of one row group of raw tables and marts.
const ROW_GROUP_ROWS: usize = 1_048_576;

/// Rows of one row group of tiles: more than a tile has, because each group has dictionaries of its own, and a reader that
/// meets a second one gives up the first.
const TILE_GROUP_ROWS: usize = 1 << 24;

/// Rows from which on the columns of one batch are encoded in parallel.
const PARALLEL_ROWS: usize = 20_000;

/// Bytes up to which a column of a tile keeps its dictionary: enough for the ids of millions of opportunities.
const DICTIONARY_BYTES: usize = 64 << 20;

/// Bytes up to which a column of a tile is one page.
const PAGE_BYTES: usize = 256 << 20;

/// How a file's columns are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Events and entities: Snappy, dictionaries for the columns that repeat, differences for times; no limits of texts.
    Raw,
    /// Tiles, read on every run: uncompressed, wide columns plain, small counters as dictionaries.
    Tile,
    /// Marts: Snappy, dictionaries wherever they pay.
    Mart,
}

/// A data file on disk that no commit names yet.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// Path relative to the table's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Rows.
    pub rows: u64,
    /// Last modification, milliseconds since the epoch.
    pub modified_ms: i64,
    /// Partition column → value.
    pub partition: BTreeMap<String, String>,
    /// Delta statistics (JSON).
    pub stats: String,
}

/// Columns whose values repeat enough for a dictionary in a raw table.
const REPEATING: [&str; 12] = [
    "event_type",
    "channel",
    "rep_id",
    "region_id",
    "owner_rep_id",
    "manager_id",
    "team",
    "role",
    "status",
    "segment",
    "industry",
    "factor",
];

fn group_rows(encoding: Encoding) -> usize {
    if encoding == Encoding::Tile { TILE_GROUP_ROWS } else { ROW_GROUP_ROWS }
}

fn properties(schema: &Schema, encoding: Encoding) -> WriterProperties {
    let compression =
        if encoding == Encoding::Tile { Compression::UNCOMPRESSED } else { Compression::SNAPPY };
    let mut builder = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(group_rows(encoding)))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by("tideline".to_owned());
    if encoding == Encoding::Tile {
        // Read whole, page by page: a reader makes room for each page anew.
        builder = builder
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .set_data_page_size_limit(PAGE_BYTES)
            .set_data_page_row_count_limit(TILE_GROUP_ROWS);
    }
    for field in schema.fields() {
        let name = field.name().as_str();
        let dictionary = match encoding {
            Encoding::Raw => REPEATING.contains(&name) || field.data_type().is_nested(),
            Encoding::Tile => {
                !matches!(name, "customer_key" | "last_touch" | "event_time" | "event_id" | "amount")
            }
            Encoding::Mart => match field.data_type() {
                DataType::Utf8 => !name.ends_with("_id") || name == "region_id" || name == "owner_rep_id",
                DataType::Int32 | DataType::Int64 => true,
                // Sums, ratios and times hardly repeat.
                _ => false,
            },
        };
        if !field.data_type().is_nested() {
            builder = builder.set_column_dictionary_enabled(ColumnPath::from(name), dictionary);
        }
        if matches!(field.data_type(), DataType::Binary | DataType::LargeBinary) {
            builder = builder
                .set_column_statistics_enabled(ColumnPath::from(name), EnabledStatistics::None)
                .set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        if encoding == Encoding::Raw {
            builder = raw_column(builder, field);
        }
    }
    builder.build()
}

/// What a raw column's values want, beside a dictionary: every event is written once in a hurry.
fn raw_column(builder: WriterPropertiesBuilder, field: &Field) -> WriterPropertiesBuilder {
    let path = ColumnPath::from(field.name().as_str());
    match field.data_type() {
        // Ids shrink little where a dictionary doesn't hold them.
        DataType::Utf8 if field.name().ends_with("_id") && !REPEATING.contains(&field.name().as_str()) => {
            builder
                .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                .set_column_compression(path, Compression::UNCOMPRESSED)
        }
        // A day's row group holds ids of all kinds: limits would leave none out.
        DataType::Utf8 => builder.set_column_statistics_enabled(path, EnabledStatistics::None),
        DataType::Timestamp(..) => builder
            .set_column_encoding(path.clone(), parquet::basic::Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path, Compression::UNCOMPRESSED),
        _ => builder,
    }
}

/// Writes batches of one schema into one file, row group by row group.
#[derive(Debug)]
pub struct FileWriter {
    writer: ArrowWriter<File>,
    dir: PathBuf,
    path: String,
    partition: BTreeMap<String, String>,
}

impl FileWriter {
    /// Begins the file `dir/path`; `schema` is without partition columns.
    ///
    /// # Errors
    /// [`EngineError::Io`], [`EngineError::Parquet`].
    pub fn create(
        dir: &Path,
        path: String,
        partition: BTreeMap<String, String>,
        schema: &SchemaRef,
        encoding: Encoding,
    ) -> Result<Self> {
        let full = dir.join(&path);
        if let Some(folder) = full.parent() {
            std::fs::create_dir_all(folder).map_err(EngineError::io("making the folder", folder))?;
        }
        let file = File::create(&full).map_err(EngineError::io("making", &full))?;
        let writer = ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties(schema, encoding)))
            .map_err(EngineError::parquet("writing", &full))?;
        Ok(Self { writer, dir: dir.to_owned(), path, partition })
    }

    /// Appends a batch.
    ///
    /// # Errors
    /// [`EngineError::Parquet`], e.g. on a full disk.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.writer.write(batch).map_err(EngineError::parquet("writing", self.dir.join(&self.path)))
    }

    /// Bytes held in memory for the row group being built.
    pub fn buffered_bytes(&self) -> usize {
        self.writer.memory_size()
    }

    /// Ends the file; a commit that names it syncs it to disk.
    ///
    /// # Errors
    /// [`EngineError::Parquet`], [`EngineError::Io`].
    pub fn finish(self) -> Result<NewFile> {
        let full = self.dir.join(&self.path);
        let mut writer = self.writer;
        let metadata = writer.finish().map_err(EngineError::parquet("writing", &full))?;
        new_file(&full, self.path, self.partition, &metadata)
    }
}

fn new_file(
    full: &Path,
    path: String,
    partition: BTreeMap<String, String>,
    metadata: &ParquetMetaData,
) -> Result<NewFile> {
    let on_disk = std::fs::metadata(full).map_err(EngineError::io("reading", full))?;
    let modified = on_disk.modified().map_err(EngineError::io("reading", full))?;
    let modified_ms = modified
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0);
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);
    let stats = format!("{{\"numRecords\":{rows}}}");
    Ok(NewFile { path, size: on_disk.len(), rows, modified_ms, partition, stats })
}

/// Writes one file whole.
///
/// # Errors
/// As [`FileWriter`].
pub fn write(
    dir: &Path,
    path: String,
    partition: BTreeMap<String, String>,
    batch: &RecordBatch,
    encoding: Encoding,
) -> Result<NewFile> {
    write_parts(dir, path, partition, std::slice::from_ref(batch), encoding)
}

/// Writes one file whole, from at least one part.
///
/// # Errors
/// As [`FileWriter`]; [`EngineError::Lake`] without a part.
pub fn write_parts(
    dir: &Path,
    path: String,
    partition: BTreeMap<String, String>,
    parts: &[RecordBatch],
    encoding: Encoding,
) -> Result<NewFile> {
    let Some(first) = parts.first() else {
        return Err(EngineError::Lake(format!("no rows are given for {}", dir.join(path).display())));
    };
    let mut writer = FileWriter::create(dir, path, partition, &first.schema(), encoding)?;
    if parts.iter().map(RecordBatch::num_rows).sum::<usize>() >= PARALLEL_ROWS {
        let full = dir.join(&writer.path);
        let (file, encoders) =
            writer.writer.into_serialized_writer().map_err(EngineError::parquet("writing", &full))?;
        let metadata = encode(file, &encoders, parts, group_rows(encoding))
            .map_err(EngineError::parquet("writing", &full))?;
        return new_file(&full, writer.path, writer.partition, &metadata);
    }
    for part in parts {
        writer.write(part)?;
    }
    writer.finish()
}

/// A hash of the cells of batches, independent of how the rows are cut into batches, as 16 hex digits.
///
/// # Errors
/// [`EngineError::Arrow`] where a column can't be encoded.
pub fn hash_batches(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<String> {
    let whole =
        arrow::compute::concat_batches(schema, batches).map_err(EngineError::arrow("joining batches"))?;
    let mut hasher = blake3::Hasher::new();
    let mut stream = arrow::ipc::writer::StreamWriter::try_new(&mut hasher, schema)
        .map_err(EngineError::arrow("hashing a tile"))?;
    stream.write(&whole).and_then(|()| stream.finish()).map_err(EngineError::arrow("hashing a tile"))?;
    drop(stream);
    Ok(hasher.finalize().to_hex()[..16].to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn a_tile_has_one_dictionary_a_column_however_long_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let rows = ROW_GROUP_ROWS + 1;
        let ids = StringArray::from_iter_values((0..rows).map(|row| if row % 2 == 0 { "a" } else { "b" }));
        let batch = RecordBatch::try_from_iter([("lead_id", Arc::new(ids) as _)]).unwrap();
        for (encoding, groups) in [(Encoding::Tile, 1), (Encoding::Mart, 2)] {
            let path = format!("{encoding:?}.parquet");
            let file = write(dir.path(), path, BTreeMap::new(), &batch, encoding).unwrap();
            let reader = SerializedFileReader::new(File::open(dir.path().join(file.path)).unwrap()).unwrap();
            assert_eq!(reader.metadata().num_row_groups(), groups, "{encoding:?}");
        }
    }
}
