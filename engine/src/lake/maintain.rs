//! Maintenance of a lake: small files folded, runs that nobody sees removed, old files deleted, logs folded.
//!
//! ```text
//! raw.*, crm.*, ops.run   small files of closed days → one file of the same rows
//! mart.*                  superseded and abandoned runs → out of the table
//! all                     files that nothing names any more → off the disk; the log → a checkpoint
//! ```
//!
//! Every step is one commit or one deletion, so being killed between two leaves a good lake. Ingest and daily runs may
//! go on meanwhile. Invariant: no row that a view shows is lost.

use std::collections::{BTreeMap, BTreeSet};

use super::fold::fold;
use super::lock::Job;
use super::run::{Run, published};
use super::sweep::sweep;
use super::table::{DataFile, Table};
use super::{Lake, tables};
use crate::error::{EngineError, Result};
use crate::time::{Day, Micros, date};

/// Hours after which the rows of a run that never published are given up.
const ABANDONED_HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;

/// How to maintain a lake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaintainOptions {
    /// The time of the command.
    pub now: Micros,
    /// Days for which files that nothing names any more stay on disk (at least 1).
    pub keep_days: u32,
    /// Files smaller than this, in bytes, are folded.
    pub fold_below_bytes: u64,
}

impl MaintainOptions {
    /// Files kept for 7 days, those under 128 MiB folded.
    pub fn new(now: Micros) -> Self {
        Self { now, keep_days: 7, fold_below_bytes: 128 << 20 }
    }
}

/// What maintenance did to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableReport {
    /// The table's name.
    pub table: &'static str,
    /// Small files folded.
    pub folded: u64,
    /// Files that they became.
    pub folded_into: u64,
    /// Files of superseded or abandoned runs removed from the table.
    pub removed: u64,
    /// Files deleted from the disk.
    pub deleted: u64,
    /// Their bytes.
    pub deleted_bytes: u64,
    /// Whether the log was folded into a checkpoint.
    pub checkpoint: bool,
    /// What was left for another time, and why.
    pub left: Option<&'static str>,
}

impl TableReport {
    /// Whether nothing was to be done.
    pub fn is_idle(&self) -> bool {
        *self == Self { table: self.table, ..Self::default() }
    }
}

/// What maintenance did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaintainReport {
    /// By table, in the order of the data path.
    pub tables: Vec<TableReport>,
}

/// Maintains every table of a lake; calls `progress` with each table's name before its turn.
///
/// # Errors
/// [`EngineError::Busy`] where another process maintains the lake; others where it can't be read or written.
pub async fn maintain(
    lake: &Lake,
    options: MaintainOptions,
    progress: &mut (dyn FnMut(&'static str) + Send),
) -> Result<MaintainReport> {
    let _lock = lake.lock(Job::Maintain)?;
    let mut report = MaintainReport::default();
    for spec in tables::all() {
        progress(spec.name);
        report.tables.push(maintain_table(lake, spec, options).await?);
    }
    Ok(report)
}

async fn maintain_table(
    lake: &Lake,
    spec: &'static tables::Spec,
    options: MaintainOptions,
) -> Result<TableReport> {
    let mut report = TableReport { table: spec.name, ..TableReport::default() };
    let mut table = lake.table(spec.name).await?;
    let now_ms = options.now.div_euclid(1_000);
    if ["raw.", "crm.", "ops."].iter().any(|schema| spec.name.starts_with(schema)) {
        let today = date(lake.zone().day(options.now)).to_string();
        let closed = |file: &DataFile| {
            spec.partition_by.is_empty() || file.partition_value("event_date") < today.as_str()
        };
        let nonce = format!("{now_ms:x}-{:x}", std::process::id());
        let folded = fold(lake, &mut table, options.fold_below_bytes, &nonce, closed).await?;
        report.folded = folded.files;
        report.folded_into = folded.into;
        report.left = folded.conflict.then_some("another process changed the files being folded");
    } else if spec.is_mart() {
        match lake.lock(Job::Run) {
            Ok(_lock) => report.removed = remove_unseen(lake, &mut table, now_ms).await?,
            Err(EngineError::Busy { .. }) => report.left = Some("a daily run is going on"),
            Err(error) => return Err(error),
        }
    }
    let before_ms = now_ms - i64::from(options.keep_days.max(1)) * 24 * HOUR_MS;
    let swept = sweep(&table, before_ms)?;
    report.deleted = swept.files;
    report.deleted_bytes = swept.bytes;
    let checkpoint = table.dir().join(format!("_delta_log/{:020}.checkpoint.parquet", table.version()));
    if table.version() > 0 && !checkpoint.exists() {
        table.checkpoint().await?;
        report.checkpoint = true;
    }
    Ok(report)
}

/// Removes the files of runs that no view shows: of each day all but the run published last, and what runs that never
/// published left behind.
async fn remove_unseen(lake: &Lake, table: &mut Table, now_ms: i64) -> Result<u64> {
    *table = lake.table(table.spec().name).await?;
    let runs = Run::load(&lake.table("ops.run").await?)?;
    let known: BTreeSet<&str> =
        runs.iter().filter(|run| run.is_published()).map(|run| run.run_id.as_str()).collect();
    let shown: BTreeMap<Day, &Run> = published(&runs);
    let shown: BTreeSet<(String, &str)> =
        shown.into_iter().map(|(day, run)| (date(day).to_string(), run.run_id.as_str())).collect();
    let unseen = |file: &&DataFile| {
        let run_id = file.partition_value("run_id");
        let is_shown = shown.contains(&(file.partition_value("as_of").to_owned(), run_id));
        let is_old = file.modified_ms < now_ms - ABANDONED_HOURS * HOUR_MS;
        !is_shown && (known.contains(run_id) || is_old)
    };
    let removes: Vec<DataFile> = table.files().iter().filter(unseen).cloned().collect();
    if removes.is_empty() {
        return Ok(0);
    }
    table.fold(Vec::new(), &removes).await?;
    Ok(u64::try_from(removes.len()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
