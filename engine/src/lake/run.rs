//! The runs that `ops.run` tells of, and which of them each day shows.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
use serde::Deserialize;

use super::table::Table;
use crate::error::{EngineError, Result};
use crate::time::{Day, Micros};

/// The status of a run whose rows are to be seen.
const PUBLISHED: &str = "published";

/// One row of `ops.run`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Run {
    /// The hash of what the run was made of.
    pub run_id: String,
    /// The day that it computed.
    pub as_of: Day,
    /// `published`, or why not.
    pub status: String,
    /// When it was done.
    pub finished_at: Micros,
    /// Rows per mart, e.g. `mart.quota` → 200.
    pub rows: BTreeMap<String, u64>,
    /// The versions of the tables that it read, e.g. `raw.behaviour` → 31.
    pub inputs: BTreeMap<String, i64>,
    /// The hash of its settings and rules.
    pub config_hash: String,
    /// The hash of its event catalogue.
    pub catalogue_hash: String,
    /// The program and the prediction that made it.
    pub program: String,
}

impl Run {
    /// Reads rows of `ops.run`, in their order.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where a column is missing or of another type.
    pub fn from_batches(batches: &[RecordBatch]) -> Result<Vec<Self>> {
        let mut runs = Vec::new();
        for batch in batches {
            let run_ids = text(batch, "run_id")?;
            let statuses = text(batch, "status")?;
            let rows = text(batch, "rows")?;
            let (inputs, program) = (text(batch, "inputs")?, text(batch, "program")?);
            let (config, catalogue) = (text(batch, "config_hash")?, text(batch, "catalogue_hash")?);
            let days =
                column(batch, "as_of")?.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong("as_of"))?;
            let finished = column(batch, "finished_at")?
                .as_primitive_opt::<TimestampMicrosecondType>()
                .ok_or_else(|| wrong("finished_at"))?;
            for row in 0..batch.num_rows() {
                runs.push(Self {
                    run_id: run_ids.value(row).to_owned(),
                    as_of: days.value(row),
                    status: statuses.value(row).to_owned(),
                    finished_at: finished.value(row),
                    rows: serde_json::from_str(rows.value(row)).unwrap_or_default(),
                    inputs: serde_json::from_str(inputs.value(row)).unwrap_or_default(),
                    config_hash: config.value(row).to_owned(),
                    catalogue_hash: catalogue.value(row).to_owned(),
                    program: program.value(row).to_owned(),
                });
            }
        }
        Ok(runs)
    }

    /// Reads all of `ops.run`.
    ///
    /// # Errors
    /// Where a file is missing or damaged.
    pub fn load(table: &Table) -> Result<Vec<Self>> {
        let mut batches = Vec::new();
        for file in table.files() {
            batches.extend(super::read(&table.dir().join(&file.path), &[])?);
        }
        Self::from_batches(&batches)
    }

    /// The ids of the runs that `ops.run` knew at a version: those whose rows the log added up to it, wherever folding
    /// has moved them since.
    ///
    /// # Errors
    /// [`EngineError::Io`] where a commit is no longer in the log, [`EngineError::Lake`] where it is damaged.
    pub fn known_at(table: &Table, version: i64) -> Result<BTreeSet<String>> {
        let mut known = BTreeSet::new();
        for version in 0..=version {
            let commit = table.dir().join(format!("_delta_log/{version:020}.json"));
            let text = std::fs::read_to_string(&commit).map_err(EngineError::io("reading", &commit))?;
            for line in text.lines() {
                let line: Line = serde_json::from_str(line).map_err(|error| {
                    EngineError::Lake(format!("{} is damaged: {error}", commit.display()))
                })?;
                let id = line
                    .add
                    .and_then(|file| Some(file.path.strip_prefix("run-")?.split('-').next()?.to_owned()));
                known.extend(id);
            }
        }
        Ok(known)
    }

    /// Whether the run's rows were ever to be seen.
    pub fn is_published(&self) -> bool {
        self.status == PUBLISHED
    }
}

/// The part of a commit's line that adds a file.
#[derive(Deserialize)]
struct Line {
    add: Option<Added>,
}

#[derive(Deserialize)]
struct Added {
    path: String,
}

/// For each day the run published last: the greatest by (`finished_at`, `run_id`).
pub fn published(runs: &[Run]) -> BTreeMap<Day, &Run> {
    let mut newest: BTreeMap<Day, &Run> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.is_published()) {
        let known = newest.entry(run.as_of).or_insert(run);
        if (run.finished_at, &run.run_id) > (known.finished_at, &known.run_id) {
            *known = run;
        }
    }
    newest
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a dyn Array> {
    batch.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| wrong(name))
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow::array::StringArray> {
    column(batch, name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name))
}

fn wrong(column: &str) -> EngineError {
    EngineError::Lake(format!("ops.run has no column {column} of the type that this program writes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str, as_of: Day, status: &str, finished_at: Micros) -> Run {
        Run { run_id: id.to_owned(), as_of, status: status.to_owned(), finished_at, ..Run::default() }
    }

    #[test]
    fn the_run_published_last_is_shown() {
        let runs = [
            run("b", 1, "published", 10),
            run("a", 1, "published", 20),
            run("z", 1, "failed", 30),
            run("c", 2, "published", 5),
            run("d", 2, "published", 5),
        ];
        let shown: Vec<(Day, &str)> =
            published(&runs).into_iter().map(|(day, run)| (day, run.run_id.as_str())).collect();
        assert_eq!(shown, [(1, "a"), (2, "d")]);
    }
}
