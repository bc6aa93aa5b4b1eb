//! One Delta table: its active files, the positions recorded in it, and commits to it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{Action, Add, Remove, StructType, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::checkpoints::create_checkpoint;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::StreamExt as _;
use tokio::task::spawn_blocking;

use super::Lake;
use super::disk::{sync_dir, sync_file};
use super::file::NewFile;
use super::tables::Spec;
use crate::error::{EngineError, Result};

/// Commits after which a table's log is folded into one file, so that opening it stays fast.
const DELTA_CHECKPOINT_COMMITS: &str = "50";
/// Files synced at once: more only queue up in front of the disk.
const SYNCS_AT_ONCE: usize = 16;
/// The position that every fold moves: removals that change no data are otherwise no conflict, and two folds of the
/// same files would both be taken.
const FOLD_POSITION: &str = "tideline/fold";

/// What a commit does to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Rows come or go.
    Rows,
    /// The same rows in other files.
    Layout,
}

/// A table at one version. Reading never changes; after a commit the handle stands at the new version.
#[derive(Debug, Clone)]
pub struct Table {
    spec: &'static Spec,
    dir: PathBuf,
    delta: Option<DeltaTable>,
    files: Vec<DataFile>,
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

    fn url(&self) -> Result<url::Url> {
        let absolute = std::path::absolute(&self.dir).map_err(EngineError::io("resolving", &self.dir))?;
        url::Url::from_directory_path(&absolute)
            .map_err(|()| EngineError::Lake(format!("{} is not a folder path", absolute.display())))
    }

    fn set(&mut self, delta: DeltaTable) -> Result<()> {
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

    /// Adds and removes files and records positions, in one commit; then syncs the log.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] where another commit touched the same files or positions since this table was opened;
    /// [`EngineError::Delta`] where the log can't be written.
    pub async fn commit(
        &mut self,
        adds: Vec<NewFile>,
        removes: &[DataFile],
        positions: &[(String, i64)],
    ) -> Result<i64> {
        self.apply(adds, removes, positions, Change::Rows).await
    }

    /// Replaces files by others that hold the same rows, or removes files whose rows no view shows: in one commit that
    /// says that no data changed, so that it disturbs no writer. Two folds of one version exclude each other.
    ///
    /// # Errors
    /// As [`Table::commit`].
    pub(super) async fn fold(&mut self, adds: Vec<NewFile>, removes: &[DataFile]) -> Result<i64> {
        let guard = (FOLD_POSITION.to_owned(), self.version() + 1);
        self.apply(adds, removes, &[guard], Change::Layout).await
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

    async fn apply(
        &mut self,
        adds: Vec<NewFile>,
        removes: &[DataFile],
        positions: &[(String, i64)],
        change: Change,
    ) -> Result<i64> {
        if self.delta.is_none() {
            self.create().await?;
        }
        sync_files(&self.dir, &adds).await?;
        let Some(delta) = self.delta.take() else {
            return Err(EngineError::Lake(format!("table {} could not be made", self.spec.name)));
        };
        let data_change = change == Change::Rows;
        let mut actions: Vec<Action> =
            removes.iter().map(|file| Action::Remove(remove_action(file, data_change))).collect();
        actions.extend(adds.into_iter().map(|file| Action::Add(add_action(file, data_change))));
        let result = self.commit_actions(&delta, actions, positions, change).await;
        match result {
            Ok(version) => {
                self.sync_log(version)?;
                let mut delta = delta;
                delta.update_state().await.map_err(EngineError::delta("reading", self.spec.name))?;
                self.set(delta)?;
                Ok(i64::try_from(version).unwrap_or(i64::MAX))
            }
            Err(error) => {
                self.delta = Some(delta);
                Err(error)
            }
        }
    }

    async fn commit_actions(
        &self,
        delta: &DeltaTable,
        actions: Vec<Action>,
        positions: &[(String, i64)],
        change: Change,
    ) -> Result<u64> {
        let state = delta.snapshot().map_err(EngineError::delta("reading", self.spec.name))?;
        let transactions = positions.iter().map(|(app, version)| Transaction::new(app, *version)).collect();
        let properties = CommitProperties::default()
            .with_application_transactions(transactions)
            .with_cleanup_expired_logs(Some(false));
        let partition_by = (!self.spec.partition_by.is_empty())
            .then(|| self.spec.partition_by.iter().map(|&column| column.to_owned()).collect());
        let operation = match change {
            Change::Rows => DeltaOperation::Write { mode: SaveMode::Append, partition_by, predicate: None },
            Change::Layout => DeltaOperation::Optimize { predicate: None, target_size: 0 },
        };
        let done = CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state.snapshot()), delta.log_store(), operation)
            .await
            .map_err(|error| self.commit_error(error))?;
        Ok(done.version())
    }

    fn commit_error(&self, error: DeltaTableError) -> EngineError {
        let conflict = matches!(
            &error,
            DeltaTableError::Transaction {
                source: TransactionError::CommitConflict(_) | TransactionError::MaxCommitAttempts(_)
            }
        );
        if conflict {
            EngineError::Conflict { table: self.spec.name.to_owned() }
        } else {
            EngineError::delta("committing to", self.spec.name)(error)
        }
    }

    async fn create(&mut self) -> Result<()> {
        std::fs::create_dir_all(&self.dir).map_err(EngineError::io("making the folder", &self.dir))?;
        let schema: StructType = self
            .spec
            .schema()
            .as_ref()
            .try_into_kernel()
            .map_err(|error| EngineError::Lake(format!("schema of {}: {error}", self.spec.name)))?;
        let delta = DeltaTableBuilder::from_url(self.url()?)
            .and_then(DeltaTableBuilder::build)
            .map_err(EngineError::delta("making", self.spec.name))?;
        let created = CreateBuilder::new()
            .with_log_store(delta.log_store())
            .with_save_mode(SaveMode::Ignore)
            .with_columns(schema.fields().cloned())
            .with_partition_columns(self.spec.partition_by.iter().copied())
            .with_raise_if_key_not_exists(false)
            .with_configuration_property(
                deltalake_core::TableProperty::CheckpointInterval,
                Some(DELTA_CHECKPOINT_COMMITS),
            )
            .await
            .map_err(|error| self.commit_error(error))?;
        self.set(created)
    }

    fn sync_log(&self, version: u64) -> Result<()> {
        let log = self.dir.join("_delta_log");
        sync_file(&log.join(format!("{version:020}.json")))?;
        sync_dir(&log)
    }
}

/// Syncs new files and the folders that hold them, so that they are on disk before a commit names them.
async fn sync_files(dir: &Path, adds: &[NewFile]) -> Result<()> {
    let files: BTreeSet<PathBuf> = adds.iter().map(|file| dir.join(&file.path)).collect();
    let folders: BTreeSet<PathBuf> =
        files.iter().filter_map(|path| path.parent().map(Path::to_owned)).collect();
    let syncs = files.into_iter().map(|path| (path, sync_file as fn(&Path) -> Result<()>));
    let syncs = syncs.chain(folders.into_iter().map(|path| (path, sync_dir as fn(&Path) -> Result<()>)));
    let running = syncs.map(|(path, sync)| spawn_blocking(move || sync(&path)));
    let mut running = futures::stream::iter(running).buffer_unordered(SYNCS_AT_ONCE);
    while let Some(synced) = running.next().await {
        synced.map_err(|stopped| EngineError::Lake(format!("syncing {}: {stopped}", dir.display())))??;
    }
    Ok(())
}

fn add_action(file: NewFile, data_change: bool) -> Add {
    Add {
        path: file.path,
        partition_values: file.partition.into_iter().map(|(column, value)| (column, Some(value))).collect(),
        size: i64::try_from(file.size).unwrap_or(i64::MAX),
        modification_time: file.modified_ms,
        data_change,
        stats: Some(file.stats),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
        clustering_provider: None,
    }
}

fn remove_action(file: &DataFile, data_change: bool) -> Remove {
    let partition: HashMap<String, Option<String>> =
        file.partition.iter().map(|(column, value)| (column.clone(), Some(value.clone()))).collect();
    Remove {
        path: file.path.clone(),
        data_change,
        deletion_timestamp: Some(file.modified_ms),
        extended_file_metadata: Some(true),
        partition_values: Some(partition),
        size: i64::try_from(file.size).ok(),
        tags: None,
        deletion_vector: None,
        base_row_id: None,
        default_row_commit_version: None,
    }
}
