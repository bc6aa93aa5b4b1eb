//! Verification: does the lake hold what its commits say, and does what it holds agree with itself?

use std::collections::BTreeMap;
use std::path::Path;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use rayon::prelude::*;

use super::run::{Run, published};
use super::table::{DataFile, Table};
use super::{Lake, tables};
use crate::error::Result;
use crate::time::date;

mod event;

/// Examples that a finding gives, at most.
const EXAMPLES_MAX: usize = 3;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Rows are lost or can't be trusted.
    Error,
    /// The input contradicts itself; the lake is sound.
    Warning,
}

/// Something that isn't as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The table.
    pub table: &'static str,
    /// What, how often, with examples.
    pub message: String,
}

/// Checks every table; calls `progress` with each table's name before its turn.
///
/// Memory: one batch per thread, and 256 MiB for event ids.
///
/// # Errors
/// Only where checking itself is impossible; a damaged table is a finding.
pub async fn verify(lake: &Lake, progress: &mut (dyn FnMut(&'static str) + Send)) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut opened: BTreeMap<&'static str, Table> = BTreeMap::new();
    for spec in tables::all() {
        progress(spec.name);
        match lake.table(spec.name).await {
            Ok(table) => {
                findings.extend(check_files(&table));
                opened.insert(spec.name, table);
            }
            Err(error) => findings.push(damage(spec.name, format!("can't be opened: {}", chain(&error)))),
        }
    }
    if let Some(table) = opened.get("raw.behaviour") {
        progress("raw.behaviour: events");
        findings.extend(event::check(table, lake.zone())?);
    }
    progress("ops.run");
    findings.extend(check_runs(&opened));
    Ok(findings)
}

fn damage(table: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Error, table, message }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// "12 files …: a, b, c and 9 more".
fn examples(count: usize, what: &str, which: &[String]) -> String {
    let shown = which.iter().take(EXAMPLES_MAX).cloned().collect::<Vec<_>>().join("; ");
    let more = count.saturating_sub(EXAMPLES_MAX.min(which.len()));
    if more > 0 {
        format!("{count} {what}: {shown}; and {more} more")
    } else {
        format!("{count} {what}: {shown}")
    }
}

/// Every file that the newest version names is there, whole, and of the table's schema.
fn check_files(table: &Table) -> Option<Finding> {
    let wrong: Vec<String> = table
        .files()
        .par_iter()
        .filter_map(|file| check_file(table, file).err().map(|problem| format!("{} {problem}", file.path)))
        .collect();
    let what = format!("of {} files are damaged", table.files().len());
    (!wrong.is_empty()).then(|| damage(table.spec().name, examples(wrong.len(), &what, &wrong)))
}

fn check_file(table: &Table, file: &DataFile) -> Result<(), String> {
    let path = table.dir().join(&file.path);
    let on_disk = match std::fs::metadata(&path) {
        Ok(data) => data.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err("is missing".to_owned()),
        Err(error) => return Err(format!("can't be read: {error}")),
    };
    if on_disk != file.size {
        return Err(format!("has {on_disk} bytes instead of {}", file.size));
    }
    let footer = footer(&path).map_err(|error| format!("can't be read: {error}"))?;
    let rows = u64::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or(0);
    if let Some(stated) = file.rows.filter(|&stated| stated != rows) {
        return Err(format!("has {rows} rows instead of {stated}"));
    }
    let schema = table.spec().file_schema();
    for field in footer.schema().fields() {
        match schema.field_with_name(field.name()) {
            Ok(known) if known.data_type() == field.data_type() => {}
            Ok(known) => {
                let (has, wants) = (field.data_type(), known.data_type());
                return Err(format!("has column {} of type {has} instead of {wants}", field.name()));
            }
            Err(_) => return Err(format!("has an unknown column {}", field.name())),
        }
    }
    let missing = schema
        .fields()
        .iter()
        .find(|field| !field.is_nullable() && footer.schema().field_with_name(field.name()).is_err());
    missing.map_or(Ok(()), |field| Err(format!("lacks the column {}", field.name())))
}

fn footer(path: &Path) -> Result<ArrowReaderMetadata, parquet::errors::ParquetError> {
    let file = std::fs::File::open(path)?;
    ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
}

/// The run that each day shows has in every mart the rows that it published.
fn check_runs(tables: &BTreeMap<&'static str, Table>) -> Vec<Finding> {
    let Some(ops) = tables.get("ops.run") else { return Vec::new() };
    let runs = match Run::load(ops) {
        Ok(runs) => runs,
        Err(error) => return vec![damage("ops.run", chain(&error))],
    };
    let mut rows: BTreeMap<(&str, &str, &str), u64> = BTreeMap::new();
    for table in tables.values().filter(|table| table.spec().is_mart()) {
        for file in table.files() {
            let key = (table.spec().name, file.partition_value("as_of"), file.partition_value("run_id"));
            *rows.entry(key).or_default() += file.rows.unwrap_or(0);
        }
    }
    let mut wrong: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (day, run) in published(&runs) {
        let day = date(day).to_string();
        for (name, &stated) in &run.rows {
            let Some(mart) = mart(tables, name) else { continue };
            let found = rows.get(&(mart, day.as_str(), run.run_id.as_str())).copied().unwrap_or(0);
            if found != stated {
                let text = format!("run {} of {day} has {found} rows instead of {stated}", run.run_id);
                wrong.entry(mart).or_default().push(text);
            }
        }
    }
    wrong
        .into_iter()
        .map(|(mart, days)| damage(mart, examples(days.len(), "published days are not complete", &days)))
        .collect()
}

/// The mart of that name, with or without its schema.
fn mart(tables: &BTreeMap<&'static str, Table>, name: &str) -> Option<&'static str> {
    let full = if name.contains('.') { name.to_owned() } else { format!("mart.{name}") };
    tables.get_key_value(full.as_str()).filter(|(_, table)| table.spec().is_mart()).map(|(name, _)| *name)
}

/// Reads columns of a file; damage found on the way is an error with its file.
fn read_some(
    table: &Table,
    file: &DataFile,
    columns: &[&str],
    each: impl FnMut(arrow::array::RecordBatch) -> Result<()>,
) -> Result<()> {
    super::read_columns(&table.dir().join(&file.path), columns, each)
}

#[cfg(test)]
mod tests;
