//! What has been taken in already: per file, how far, and enough of its content to know it again.
//!
//! Three application ids a file, in the commit that also adds its rows:
//!
//! ```text
//! file:/abs/path    bytes of decompressed text, or rows of Parquet, taken in
//! head:/abs/path    hash of the text's first 64 KiB, as far as it was taken in; of Parquet: length and footer
//! end:/abs/path     hash of the file's length and last 64 KiB once all of it was taken in, else 0
//! ```
//!
//! In `raw.dead_letter`, which all streams share, the ids begin with the stream: `behaviour/file:/abs/path`. Letters
//! are committed before rows, so after a kill between the two its position is ahead: letters before it are there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::files::{Compression, Format, InputFile};
use super::text::{TextReader, as_u64};
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::Table;

/// How much of a file's beginning and end is hashed.
pub(crate) const HEAD_BYTES: usize = 64 << 10;

/// A file with something left to take in.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) file: InputFile,
    /// Where to go on.
    pub(crate) from: u64,
    /// What the stream's table says of this file.
    pub(crate) rows: Known,
    /// What the table of dead letters says of it.
    pub(crate) letters: Known,
}

/// What a table recorded for a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) position: Option<i64>,
    head: Option<i64>,
    end: Option<i64>,
}

/// How far a file was taken in, for recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) position: i64,
    pub(crate) head: i64,
    pub(crate) end: i64,
}

/// The ids of a file in one table.
#[derive(Debug)]
pub(crate) struct Ids {
    pub(crate) file: String,
    pub(crate) head: String,
    pub(crate) end: String,
}

impl Ids {
    /// In the stream's own table.
    pub(crate) fn rows(file: &InputFile) -> Self {
        Self::new("", file)
    }

    /// In the table of dead letters.
    pub(crate) fn letters(stream: Stream, file: &InputFile) -> Self {
        Self::new(&format!("{}/", stream.name()), file)
    }

    fn new(prefix: &str, file: &InputFile) -> Self {
        let id = |kind: &str| format!("{prefix}{kind}:{}", file.name);
        Self { file: id("file"), head: id("head"), end: id("end") }
    }

    /// The transactions that record how far the file was taken in.
    pub(crate) fn record(self, reached: &Reached) -> [(String, i64); 3] {
        [(self.file, reached.position), (self.head, reached.head), (self.end, reached.end)]
    }

    async fn read(&self, table: &Table) -> Result<Known> {
        let position = table.position(&self.file).await?;
        if position.is_none() {
            return Ok(Known::default());
        }
        Ok(Known { position, head: table.position(&self.head).await?, end: table.position(&self.end).await? })
    }
}

/// What is left of a file; none where all of it was taken in and it didn't change.
///
/// # Errors
/// [`EngineError::Input`] for a file that was rewritten since.
pub(crate) async fn plan(
    file: InputFile,
    stream: Stream,
    rows: &Table,
    letters: &Table,
) -> Result<Option<Input>> {
    let known = Ids::rows(&file).read(rows).await?;
    let letters = Ids::letters(stream, &file).read(letters).await?;
    let Some(position) = known.position else {
        return Ok(Some(Input { file, from: 0, rows: known, letters }));
    };
    let from = u64::try_from(position).unwrap_or(0);
    if let Some(end) = known.end.filter(|end| *end != 0) {
        let plain_text = file.format != Format::Parquet && file.compression == Compression::None;
        let up_to = if plain_text { from } else { file.bytes };
        let same = up_to <= file.bytes && end_hash(&file.path, up_to)? == end;
        if plain_text && !same {
            return Err(rewritten(&file));
        }
        if same && up_to == file.bytes {
            return Ok(None);
        }
    }
    Ok(Some(Input { file, from, rows: known, letters }))
}

impl Input {
    /// Opens a text file where it is to go on, once its beginning has proved to be the same.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a file that was rewritten since, or is damaged.
    pub(crate) fn open_text(&self) -> Result<TextReader> {
        if self.file.compression == Compression::None && self.file.bytes < self.from {
            return Err(rewritten(&self.file));
        }
        let reader = TextReader::open(&self.file)?;
        for known in [&self.rows, &self.letters] {
            let Some(position) = known.position else { continue };
            if known.head != Some(head_hash(reader.head(), position)) {
                return Err(rewritten(&self.file));
            }
        }
        Ok(reader)
    }

    /// Whether a Parquet file is still the one that was taken in.
    ///
    /// # Errors
    /// [`EngineError::Input`] where it isn't.
    pub(crate) fn check_parquet(&self) -> Result<()> {
        let hash = end_hash(&self.file.path, self.file.bytes)?;
        let same = |known: &Known| known.position.is_none() || known.head == Some(hash);
        if same(&self.rows) && same(&self.letters) { Ok(()) } else { Err(rewritten(&self.file)) }
    }

    /// What to record once the text was taken in up to `position`.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub(crate) fn reached_text(&self, reader: &TextReader, ended: bool) -> Result<Reached> {
        let position = as_i64(reader.position());
        let up_to =
            if self.file.compression == Compression::None { reader.position() } else { self.file.bytes };
        let end = if ended { end_hash(&self.file.path, up_to)? } else { 0 };
        Ok(Reached { position, head: head_hash(reader.head(), position), end })
    }

    /// What to record once a Parquet file was taken in up to row `position`.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub(crate) fn reached_parquet(&self, position: u64, ended: bool) -> Result<Reached> {
        let head = end_hash(&self.file.path, self.file.bytes)?;
        Ok(Reached { position: as_i64(position), head, end: if ended { head } else { 0 } })
    }
}

fn rewritten(file: &InputFile) -> EngineError {
    EngineError::Input(format!(
        "{}: the file was taken in before and has been rewritten since; give the new content a new name (a file may \
         grow, but what was taken in must stay)",
        file.path.display()
    ))
}

fn head_hash(head: &[u8], position: i64) -> i64 {
    let taken = usize::try_from(position).unwrap_or(0).min(head.len());
    hash(&[&head[..taken]])
}

/// Hash of a length and of the (up to) 64 KiB before it.
fn end_hash(path: &Path, up_to: u64) -> Result<i64> {
    let start = up_to.saturating_sub(as_u64(HEAD_BYTES));
    let mut tail = Vec::with_capacity(HEAD_BYTES);
    File::open(path)
        .and_then(|mut file| {
            file.seek(SeekFrom::Start(start))?;
            file.take(up_to - start).read_to_end(&mut tail)
        })
        .map_err(EngineError::io("reading", path))?;
    Ok(hash(&[&up_to.to_le_bytes(), &tail]))
}

/// A positive number of 63 bits, never 0.
fn hash(parts: &[&[u8]]) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    (i64::from_le_bytes(first) & i64::MAX).max(1)
}

fn as_i64(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
