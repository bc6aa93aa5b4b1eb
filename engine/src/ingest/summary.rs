//! What a command took in, for its report.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Names of ignored fields that are kept for the report.
const NOTES_MAX: usize = 32;

/// What became of the records of a file, or of all files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that are now in the stream's table.
    pub accepted: u64,
    /// Records that went to `raw.dead_letter`, by field (empty for the record as a whole) and reason.
    pub rejected: BTreeMap<(String, &'static str), u64>,
    /// Fields that the stream has no place for, and how many records had them.
    pub ignored_fields: BTreeMap<String, u64>,
}

impl Counts {
    /// Records looked at.
    pub fn seen(&self) -> u64 {
        self.accepted + self.rejected()
    }

    /// Records that went to `raw.dead_letter`.
    pub fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Adds another's counts.
    pub fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        for (key, count) in &other.rejected {
            *self.rejected.entry(key.clone()).or_default() += count;
        }
        for (name, count) in &other.ignored_fields {
            self.note_ignored(name, *count);
        }
    }

    pub(super) fn reject(&mut self, field: &str, reason: &'static str) {
        *self.rejected.entry((field.to_owned(), reason)).or_default() += 1;
    }

    pub(super) fn note_ignored(&mut self, name: &str, records: u64) {
        if let Some(count) = self.ignored_fields.get_mut(name) {
            *count += records;
        } else if self.ignored_fields.len() < NOTES_MAX {
            self.ignored_fields.insert(name.to_owned(), records);
        }
    }
}

/// One input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSummary {
    /// As the command named it.
    pub path: PathBuf,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether nothing was read, because all of it had been taken in before.
    pub skipped: bool,
    /// Bytes of text, or rows of Parquet, that had been taken in before.
    pub continued_from: u64,
    /// Its records.
    pub counts: Counts,
}

/// One call of [`super::ingest_files`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IngestSummary {
    /// In the order in which they were taken in.
    pub files: Vec<FileSummary>,
    /// All files together.
    pub total: Counts,
    /// Bytes on disk of the files that were read.
    pub bytes: u64,
    /// Files that had been taken in before.
    pub files_skipped: u64,
    /// Commits to the stream's table.
    pub commits: u64,
    /// Wall-clock seconds.
    pub seconds: f64,
}
