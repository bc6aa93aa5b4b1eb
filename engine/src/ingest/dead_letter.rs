//! Dead letters: records that broke a rule, with the reason, their bytes and where they came from.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int64Builder, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::SchemaRef;

use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Encoding, FileWriter, NewFile, tables};
use crate::time::Micros;

/// The table that dead letters go to.
pub(crate) const TABLE: &str = "raw.dead_letter";
/// Letters held in memory before they are written.
const LETTERS_MAX: usize = 8_192;
/// Bytes of records held in memory before they are written.
const BYTES_MAX: usize = 8 << 20;

/// One refused record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letter<'a> {
    pub(crate) source: &'a str,
    /// Byte offset in the decompressed text, or row of a Parquet file.
    pub(crate) position: i64,
    pub(crate) field: Option<&'a str>,
    pub(crate) reason: &'static str,
    pub(crate) raw: &'a [u8],
}

/// Writes the letters of one lane and chunk into one file.
#[derive(Debug)]
pub(crate) struct LetterWriter {
    dir: PathBuf,
    file_name: String,
    stream: Stream,
    ingested_at: Micros,
    schema: SchemaRef,
    source: StringBuilder,
    position: Int64Builder,
    field: StringBuilder,
    reason: StringBuilder,
    raw: BinaryBuilder,
    letters: usize,
    bytes: usize,
    writer: Option<FileWriter>,
}

impl LetterWriter {
    /// Will make `dir/file_name` once there is a letter to write.
    ///
    /// # Errors
    /// Never, while the table is declared.
    pub(crate) fn new(dir: PathBuf, file_name: String, stream: Stream, ingested_at: Micros) -> Result<Self> {
        Ok(Self {
            dir,
            file_name,
            stream,
            ingested_at,
            schema: tables::spec(TABLE)?.file_schema(),
            source: StringBuilder::new(),
            position: Int64Builder::new(),
            field: StringBuilder::new(),
            reason: StringBuilder::new(),
            raw: BinaryBuilder::new(),
            letters: 0,
            bytes: 0,
            writer: None,
        })
    }

    /// Adds a letter.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn push(&mut self, letter: Letter<'_>) -> Result<()> {
        self.source.append_value(letter.source);
        self.position.append_value(letter.position);
        self.field.append_option(letter.field);
        self.reason.append_value(letter.reason);
        self.raw.append_value(letter.raw);
        self.letters += 1;
        self.bytes += letter.raw.len();
        if self.letters >= LETTERS_MAX || self.bytes >= BYTES_MAX { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.letters == 0 {
            return Ok(());
        }
        let stream = vec![self.stream.name(); self.letters];
        let at = TimestampMicrosecondArray::from_value(self.ingested_at, self.letters).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(arrow::array::StringArray::from(stream)),
            Arc::new(self.source.finish()),
            Arc::new(self.position.finish()),
            Arc::new(self.field.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.raw.finish()),
            Arc::new(at),
        ];
        let batch = RecordBatch::try_new(SchemaRef::clone(&self.schema), columns)
            .map_err(EngineError::arrow("gathering dead letters"))?;
        self.letters = 0;
        self.bytes = 0;
        let mut writer = match self.writer.take() {
            Some(writer) => writer,
            None => FileWriter::create(
                &self.dir,
                self.file_name.clone(),
                std::collections::BTreeMap::new(),
                &self.schema,
                Encoding::Raw,
            )?,
        };
        writer.write(&batch)?;
        self.writer = Some(writer);
        Ok(())
    }

    /// Ends the file; none where there was no letter.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn finish(mut self) -> Result<Option<NewFile>> {
        self.flush()?;
        self.writer.map(FileWriter::finish).transpose()
    }
}
