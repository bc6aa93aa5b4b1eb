//! All positions of a table at once: how far each of its inputs has been taken in.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use serde::Deserialize;

use super::read_columns;
use super::table::Table;
use crate::error::{EngineError, Result};

/// The part of a commit's line that records a position.
#[derive(Deserialize)]
struct Line {
    txn: Option<Position>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    app_id: String,
    version: i64,
}

impl Table {
    /// Every application id with the version last recorded for it: one pass over the log, for reports. Who is about to
    /// commit asks for single ones with [`Table::position`].
    ///
    /// # Errors
    /// [`EngineError::Io`], [`EngineError::Parquet`], or [`EngineError::Lake`] where the log can't be read.
    pub fn positions(&self) -> Result<BTreeMap<String, i64>> {
        let log = self.dir().join("_delta_log");
        let mut positions = BTreeMap::new();
        let checkpoint = |version: &i64| log.join(format!("{version:020}.checkpoint.parquet"));
        let newest = (0..=self.version()).rev().find(|version| checkpoint(version).exists());
        if let Some(version) = newest {
            read_columns(&checkpoint(&version), &["txn"], |batch| {
                let txn = batch.column(0).as_struct();
                let (Some(ids), Some(versions)) =
                    (txn.column_by_name("appId"), txn.column_by_name("version"))
                else {
                    return Err(EngineError::Lake(format!("{} is damaged", checkpoint(&version).display())));
                };
                let text =
                    |column| cast(column, &DataType::Utf8).map_err(EngineError::arrow("reading positions"));
                let number =
                    |column| cast(column, &DataType::Int64).map_err(EngineError::arrow("reading positions"));
                let (ids, versions) = (text(ids)?, number(versions)?);
                let (ids, versions) = (ids.as_string::<i32>(), versions.as_primitive::<Int64Type>());
                let rows = (0..txn.len()).filter(|row| txn.is_valid(*row) && ids.is_valid(*row));
                positions.extend(rows.map(|row| (ids.value(row).to_owned(), versions.value(row))));
                Ok(())
            })?;
        }
        for version in newest.map_or(0, |version| version + 1)..=self.version() {
            let commit = log.join(format!("{version:020}.json"));
            let text = std::fs::read_to_string(&commit).map_err(EngineError::io("reading", &commit))?;
            for line in text.lines() {
                let line: Line = serde_json::from_str(line).map_err(|error| {
                    EngineError::Lake(format!("{} is damaged: {error}", commit.display()))
                })?;
                if let Some(position) = line.txn {
                    positions.insert(position.app_id, position.version);
                }
            }
        }
        Ok(positions)
    }
}
