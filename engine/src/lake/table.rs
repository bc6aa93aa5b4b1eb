//! One Delta table: its active files, and the positions recorded in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use deltalake_core::protocol::checkpoints::create_checkpoint;
use deltalake_core::{DeltaTable, DeltaTableBuilder};

use super::Lake;
use super::tables::Spec;
use crate::error::{EngineError, Result};

/// A table at one version. Reading never changes; after a commit the handle stands at the new version.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) spec: &'static Spec,
    pub(super) dir: PathBuf,
    pub(super) delta: Option<DeltaTable>,
    pub(super) files: Vec<DataFile>,
}

/// A data file that is active at the table's version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Path relative to the table's folder.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Last modification, milliseconds since the epoch.
    pub modified_ms: i64,
    /// Rows, where the log says.
    pub rows: Option<u64>,
    /// Partition column → value.
    pub partition: BTreeMap<String, String>,
}

impl DataFile {
    /// The value of a partition column; empty where there is none.
    pub fn partition_value(&self, column: &str) -> &str {
        self.partition.get(column).map_or("", String::as_str)
    }

    /// The file's name without folder and ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.strip_suffix(".parquet").unwrap_or(name)
    }
}

impl Table {
    pub(super) async fn open(lake: &Lake, spec: &'static Spec) -> Result<Self> {
        let dir = lake.table_dir(spec.name);
        let mut table = Self { spec, dir, delta: None, files: Vec::new() };
        let log = table.dir.join("_delta_log");
        let has_log = std::fs::read_dir(&log).is_ok_and(|mut entries| {
            entries.any(|entry| {
                entry.is_ok_and(|entry| entry.path().extension().is_some_and(|ext| ext == "json"))
            })
        });
        if has_log {
            let delta = DeltaTableBuilder::from_url(table.url()?)
                .map_err(EngineError::delta("opening", spec.name))?
                .load()
                .await
                .map_err(EngineError::delta("opening", spec.name))?;
            table.set(delta)?;
        }
        Ok(table)
    }

    /// The table as it was at a version; at −1 before its first commit.
    pub(super) async fn open_at(lake: &Lake, spec: &'static Spec, version: i64) -> Result<Self> {
        let mut table = Self { spec, dir: lake.table_dir(spec.name), delta: None, files: Vec::new() };
        if let Ok(version) = u64::try_from(version) {
            let delta = DeltaTableBuilder::from_url(table.url()?)
                .map_err(EngineError::delta("opening", spec.name))?
                .with_version(version)
                .load()
                .await
                .map_err(EngineError::delta("opening an old version of", spec.name))?;
            table.set(delta)?;
        }
        Ok(table)
    }

    /// The files of this version that are no longer on disk.
    pub fn gone(&self) -> impl Iterator<Item = &DataFile> {
        self.files.iter().filter(|file| !self.dir.join(&file.path).exists())
    }

    pub(super) fn url(&self) -> Result<url::Url> {
        let absolute = std::path::absolute(&self.dir).map_err(EngineError::io("resolving", &self.dir))?;
        url::Url::from_directory_path(&absolute)
            .map_err(|()| EngineError::Lake(format!("{} is not a folder path", absolute.display())))
    }

    pub(super) fn set(&mut self, delta: DeltaTable) -> Result<()> {
        let state = delta.snapshot().map_err(EngineError::delta("reading", self.spec.name))?;
        let mut files: Vec<DataFile> = state
            .log_data()
            .iter()
            .map(|view| DataFile {
                path: view.path().into_owned(),
                size: u64::try_from(view.size()).unwrap_or(0),
                modified_ms: view.modification_time(),
                rows: view.num_records().and_then(|rows| u64::try_from(rows).ok()),
                partition: view
                    .partition_values_map()
                    .into_iter()
                    .map(|(column, value)| (column, value.unwrap_or_default()))
                    .collect(),
            })
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.files = files;
        self.delta = Some(delta);
        Ok(())
    }

    /// The table's declaration.
    pub fn spec(&self) -> &'static Spec {
        self.spec
    }

    /// The table's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The version of the newest commit seen; −1 for a table never written.
    pub fn version(&self) -> i64 {
        self.delta.as_ref().and_then(DeltaTable::version).and_then(|v| i64::try_from(v).ok()).unwrap_or(-1)
    }

    /// Whether no commit has followed, as far as the disk shows now.
    pub fn is_newest(&self) -> bool {
        !self.dir.join(format!("_delta_log/{:020}.json", self.version() + 1)).exists()
    }

    /// The active files, ordered by path.
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The version last recorded for an application id: how far an input has been taken in.
    ///
    /// # Errors
    /// [`EngineError::Delta`] where the log can't be read.
    pub async fn position(&self, app_id: &str) -> Result<Option<i64>> {
        let Some(delta) = &self.delta else { return Ok(None) };
        let state = delta.snapshot().map_err(EngineError::delta("reading", self.spec.name))?;
        state
            .transaction_version(delta.log_store().as_ref(), app_id)
            .await
            .map_err(EngineError::delta("reading the positions of", self.spec.name))
    }

    /// Writes the table's state at this version into one file of its log.
    ///
    /// # Errors
    /// [`EngineError::Delta`].
    pub(super) async fn checkpoint(&self) -> Result<()> {
        let Some(delta) = &self.delta else { return Ok(()) };
        create_checkpoint(delta, None)
            .await
            .map_err(EngineError::delta("writing a checkpoint of", self.spec.name))
    }
}
