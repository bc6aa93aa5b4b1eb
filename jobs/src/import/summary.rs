//! What an import did: every row of every input accounted for, and why a row was refused.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Examples kept per kind of rejection.
pub(crate) const EXAMPLES_MAX: usize = 5;

/// Where a record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The input's file, or the mapping where the row is written in it.
    pub file: &'a Path,
    /// Line of a CSV file (the header is 1), row of a Parquet file, from 1.
    pub row: u32,
}

/// What an import hands to its caller.
#[derive(Debug)]
pub enum Output<'a> {
    /// One record of the contract as a JSON object without a line break.
    Record {
        /// Stream of the contract: `behaviour`, `crm.rep`, …
        stream: &'a str,
        /// The record.
        json: &'a str,
        /// Its row.
        origin: Origin<'a>,
    },
    /// A row that gave no record where it should have.
    Reject(&'a Reject),
}

/// Why a row was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// More or fewer fields than the header.
    WrongFieldCount,
    /// A quote inside an unquoted field, or text after a closing one.
    StrayQuote,
    /// A quote that no other closes.
    UnclosedQuote,
    /// No format fits, or the year can't be meant.
    BadDate,
    /// Not a decimal number.
    BadNumber,
    /// More decimal places than an amount has, and no rule to round them; or more digits than it can hold.
    BadAmount,
    /// A value that the map doesn't name.
    UnmappedValue,
    /// A channel outside the contract.
    BadChannel,
    /// Neither `true` nor `false`.
    BadBoolean,
    /// A required value is empty.
    MissingValue,
    /// No row of the other table has the key.
    LookupMissing,
    /// Several rows of the other table have the key.
    LookupAmbiguous,
    /// Rows of one group disagree where they must not.
    GroupDisagrees,
    /// An id is over 64 bytes.
    IdTooLong,
    /// Another row has the same key and other content.
    DuplicateKey,
}

impl Reason {
    /// The reason as a code, for tables and dead letters.
    pub fn code(self) -> &'static str {
        match self {
            Self::WrongFieldCount => "wrong_field_count",
            Self::StrayQuote => "stray_quote",
            Self::UnclosedQuote => "unclosed_quote",
            Self::BadDate => "bad_date",
            Self::BadNumber => "bad_number",
            Self::BadAmount => "bad_amount",
            Self::UnmappedValue => "unmapped_value",
            Self::BadChannel => "bad_channel",
            Self::BadBoolean => "bad_boolean",
            Self::MissingValue => "missing_value",
            Self::LookupMissing => "lookup_missing",
            Self::LookupAmbiguous => "lookup_ambiguous",
            Self::GroupDisagrees => "group_disagrees",
            Self::IdTooLong => "id_too_long",
            Self::DuplicateKey => "duplicate_key",
        }
    }
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The input's file, or the mapping where the row is written in it.
    pub file: PathBuf,
    /// Line of a CSV file (the header is 1), row of a Parquet file, from 1.
    pub row: u32,
    /// The table of the mapping.
    pub table: String,
    /// The stream that the record was for; none where the row could not be read at all.
    pub stream: Option<&'static str>,
    /// The `[[emit]]`, `[[group]]` or `[[lookup]]` it failed in; empty where the row could not be read at all.
    pub step: String,
    /// Why.
    pub reason: Reason,
    /// The column at fault, empty where it is the whole row.
    pub column: String,
    /// The value found.
    pub value: String,
    /// What would have been right.
    pub right: String,
    /// The row: a JSON object of its columns, or its text where it could not be read.
    pub raw: String,
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, row {}: {}", self.file.display(), self.row, self.reason.code())?;
        if !self.column.is_empty() {
            write!(f, " in column `{}`: found `{}`", self.column, self.value)?;
        }
        write!(f, "; right is {}", self.right)
    }
}

/// How the rows of one table were used. `rows = mapped + rejected + Σ skipped + unmatched` where
/// `emitting`; a table that only feeds groups and lookups counts its rows and rejections.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableSummary {
    /// Name in the mapping.
    pub table: String,
    /// Files it was read from.
    pub files: Vec<PathBuf>,
    /// Rows seen, broken ones included.
    pub rows: u64,
    /// Whether records are emitted from it.
    pub emitting: bool,
    /// Rows that gave at least one record.
    pub mapped: u64,
    /// Rows that gave none and were refused at least once.
    pub rejected: u64,
    /// Rows left out on purpose, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Rows for which no condition held.
    pub unmatched: u64,
}

/// What became of one `[[emit]]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EmitSummary {
    /// Name in the mapping.
    pub emit: String,
    /// Stream of the contract.
    pub stream: String,
    /// Records written.
    pub rows: u64,
    /// Records that repeated an earlier one and were not written again.
    pub merged: u64,
    /// Rows refused.
    pub rejected: u64,
}

/// All rejections of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectSummary {
    /// Where: the emit, group, lookup or table.
    pub step: String,
    /// Why.
    pub reason: Reason,
    /// How many.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<Reject>,
}

/// The account of one import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// By table, in the mapping's order.
    pub tables: Vec<TableSummary>,
    /// By emit, in the mapping's order.
    pub emits: Vec<EmitSummary>,
    /// By step and reason, in order of first appearance.
    pub rejects: Vec<RejectSummary>,
    /// Files found in a given folder that no input wanted.
    pub unused_files: Vec<PathBuf>,
}

impl ImportSummary {
    /// Records written, by stream.
    pub fn rows_by_stream(&self) -> BTreeMap<&str, u64> {
        let mut rows = BTreeMap::new();
        for emit in &self.emits {
            *rows.entry(emit.stream.as_str()).or_default() += emit.rows;
        }
        rows
    }

    /// Rejections of every kind.
    pub fn rejected(&self) -> u64 {
        self.rejects.iter().map(|kind| kind.count).sum()
    }

    pub(crate) fn count(&mut self, reject: &Reject) {
        let step = if reject.step.is_empty() { &reject.table } else { &reject.step };
        let known = self.rejects.iter_mut().find(|kind| kind.reason == reject.reason && kind.step == *step);
        match known {
            Some(kind) => {
                kind.count += 1;
                if kind.examples.len() < EXAMPLES_MAX {
                    kind.examples.push(reject.clone());
                }
            }
            None => self.rejects.push(RejectSummary {
                step: step.clone(),
                reason: reject.reason,
                count: 1,
                examples: vec![reject.clone()],
            }),
        }
    }
}

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in &self.tables {
            write!(f, "{}: {} rows", table.table, table.rows)?;
            if table.emitting {
                write!(f, ", {} mapped, {} rejected", table.mapped, table.rejected)?;
                for (why, rows) in &table.skipped {
                    write!(f, ", {rows} skipped ({why})")?;
                }
                if table.unmatched > 0 {
                    write!(f, ", {} without a rule", table.unmatched)?;
                }
            }
            writeln!(f)?;
        }
        for emit in &self.emits {
            write!(f, "  {} ({}): {} records", emit.emit, emit.stream, emit.rows)?;
            if emit.merged > 0 {
                write!(f, ", {} repeated", emit.merged)?;
            }
            if emit.rejected > 0 {
                write!(f, ", {} rejected", emit.rejected)?;
            }
            writeln!(f)?;
        }
        for kind in &self.rejects {
            writeln!(f, "rejected in {}: {} × {}", kind.step, kind.count, kind.reason.code())?;
            for example in &kind.examples {
                writeln!(f, "  {example}")?;
            }
        }
        for file in &self.unused_files {
            writeln!(f, "not used: {}", file.display())?;
        }
        Ok(())
    }
}
