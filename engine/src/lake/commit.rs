//! Commits to a table: files come and go, positions move, and all of it is on disk before anybody hears of it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::transaction::{
    CommitBuilder, CommitProperties, FinalizedCommit, TransactionError,
};
use deltalake_core::kernel::{Action, Add, Remove, StructType, Transaction};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use futures::StreamExt as _;
use tokio::task::spawn_blocking;

use super::disk::{sync_dir, sync_file};
use super::file::NewFile;
use super::table::{DataFile, Table};
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

impl From<&NewFile> for DataFile {
    fn from(file: &NewFile) -> Self {
        Self {
            path: file.path.clone(),
            size: file.size,
            modified_ms: file.modified_ms,
            rows: Some(file.rows),
            partition: file.partition.clone(),
        }
    }
}

impl Table {
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
        let before = delta.version();
        let come: Vec<DataFile> = adds.iter().map(DataFile::from).collect();
        // A file added anew takes its own place.
        let gone: BTreeSet<String> = removes.iter().chain(&come).map(|file| file.path.clone()).collect();
        let mut actions: Vec<Action> =
            removes.iter().map(|file| Action::Remove(remove_action(file, data_change))).collect();
        actions.extend(adds.into_iter().map(|file| Action::Add(add_action(file, data_change))));
        let result = self.commit_actions(&delta, actions, positions, change).await;
        match result {
            Ok(done) => {
                let version = done.version;
                self.sync_log(version)?;
                let mut delta = delta;
                delta.state = Some(done.snapshot);
                if before.is_some_and(|before| before + 1 == version) {
                    // Nobody came between: the files are known without asking for all of them again.
                    self.files.retain(|file| !gone.contains(&file.path));
                    self.files.extend(come);
                    self.files.sort_by(|a, b| a.path.cmp(&b.path));
                    self.delta = Some(delta);
                } else {
                    self.set(delta)?;
                }
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
    ) -> Result<FinalizedCommit> {
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
        CommitBuilder::from(properties)
            .with_actions(actions)
            .build(Some(state.snapshot()), delta.log_store(), operation)
            .await
            .map_err(|error| self.commit_error(error))
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
            .await;
        let first = self.dir.join("_delta_log").join(format!("{:020}.json", 0));
        match created {
            // Whoever looked at positions found none, because there was no table: one with commits may have them.
            Ok(created) if created.version() == Some(0) => self.set(created),
            Err(error) if !first.exists() => Err(self.commit_error(error)),
            _ => Err(EngineError::Conflict { table: self.spec.name.to_owned() }),
        }
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
