//! The lake: Delta tables under one local root, written by whole commits and synced to disk.
//!
//! ```text
//! ROOT/_tideline/lake.json      format version and business time zone
//! ROOT/raw/behaviour/           a Delta table; its name in SQL is raw.behaviour
//!   _delta_log/…                commits: files added and removed, how far each input has been taken in
//!   event_date=2026-01-05/…     data files
//! ```
//!
//! Invariant: a data file is on disk before the commit that names it, and the commit before a command says that it
//! is done. Invariant: nothing outside this module touches `_delta_log`.

mod commit;
mod disk;
mod encode;
mod file;
#[cfg(test)]
mod fixture;
mod fold;
mod lock;
mod maintain;
mod model;
mod positions;
mod provider;
mod read;
mod run;
mod sweep;
mod table;
pub mod tables;
mod verify;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use disk::write_atomically;
pub use file::{Encoding, FileWriter, NewFile, hash_batches, write, write_parts};
pub use lock::{Job, Lock};
pub use maintain::{MaintainOptions, MaintainReport, TableReport, maintain};
pub use model::{Entry, Log, Status};
pub use provider::FileTable;
pub(crate) use read::{Source, read_as};
pub use read::{read, read_columns};
pub use run::{Run, published};
pub use table::{DataFile, Table};
pub use verify::{Finding, Severity, verify};

use crate::error::{EngineError, Result};
use crate::time::Zone;

/// The lake format that this program reads and writes.
pub const FORMAT: u32 = 1;

/// A lake's root folder and its business time zone.
#[derive(Debug, Clone)]
pub struct Lake {
    root: PathBuf,
    zone: Zone,
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    timezone: String,
}

impl Lake {
    /// Opens the lake at `root`, making a new one where the folder is missing or empty.
    ///
    /// # Errors
    /// [`EngineError::Lake`] for a lake of a newer format, of another time zone, or a folder that is no lake.
    pub fn open_or_create(root: &Path, timezone: &str) -> Result<Self> {
        let manifest = root.join("_tideline/lake.json");
        if !manifest.exists() {
            let mut entries = match std::fs::read_dir(root) {
                Ok(entries) => entries.count(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
                Err(error) => return Err(EngineError::io("reading the folder", root)(error)),
            };
            if root.join("_tideline").exists() {
                entries -= 1; // a creation that was cut off
            }
            if entries > 0 {
                return Err(EngineError::Lake(format!(
                    "{} is not empty and is not a lake (it has no _tideline/lake.json); name another folder with --lake",
                    root.display()
                )));
            }
            let text = serde_json::to_vec_pretty(&Manifest { format: FORMAT, timezone: timezone.to_owned() })
                .map_err(|error| EngineError::Lake(error.to_string()))?;
            write_atomically(&manifest, &text)?;
        }
        Self::open(root, timezone)
    }

    /// Opens the lake at `root`.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where there is none, or it is of a newer format or of another time zone.
    pub fn open(root: &Path, timezone: &str) -> Result<Self> {
        let path = root.join("_tideline/lake.json");
        let text = std::fs::read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => EngineError::Lake(format!(
                "there is no lake at {}; `tideline ingest` makes one, or name another with --lake",
                root.display()
            )),
            _ => EngineError::io("reading", &path)(error),
        })?;
        let manifest: Manifest = serde_json::from_slice(&text).map_err(|error| {
            EngineError::Lake(format!("{} can't be read as a lake's manifest: {error}", path.display()))
        })?;
        if manifest.format > FORMAT {
            return Err(EngineError::Lake(format!(
                "the lake at {} has format {}, this program knows formats up to {FORMAT}; use a newer tideline",
                root.display(),
                manifest.format
            )));
        }
        if manifest.timezone != timezone {
            return Err(EngineError::Lake(format!(
                "the lake at {} was made for time zone {}, the configuration says {timezone}; days can't be moved \
                 afterwards, so set timezone = \"{}\" or use another lake",
                root.display(),
                manifest.timezone,
                manifest.timezone
            )));
        }
        let zone = Zone::new(timezone).map_err(EngineError::Input)?;
        Ok(Self { root: root.to_owned(), zone })
    }

    /// The time zone recorded in the lake at `root`, if there is a lake.
    pub fn recorded_timezone(root: &Path) -> Option<String> {
        let text = std::fs::read(root.join("_tideline/lake.json")).ok()?;
        serde_json::from_slice::<Manifest>(&text).ok().map(|manifest| manifest.timezone)
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The business time zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The folder of a table, e.g. `raw.behaviour` → `ROOT/raw/behaviour`.
    pub fn table_dir(&self, name: &str) -> PathBuf {
        name.split('.').fold(self.root.clone(), |dir, part| dir.join(part))
    }

    /// Opens the newest version of a known table; a table never written yet is empty at version −1.
    ///
    /// # Errors
    /// [`EngineError::Delta`] where the log can't be read.
    pub async fn table(&self, name: &str) -> Result<Table> {
        Table::open(self, tables::spec(name)?).await
    }

    /// Opens a known table as it was at a version; at −1 before its first commit.
    ///
    /// # Errors
    /// [`EngineError::Delta`] where the log doesn't reach back so far.
    pub async fn table_at(&self, name: &str, version: i64) -> Result<Table> {
        Table::open_at(self, tables::spec(name)?, version).await
    }

    /// Opens several tables at once, in the order of `names`, on as many threads as the runtime has.
    ///
    /// # Errors
    /// As [`Lake::table`].
    pub async fn open_tables(&self, names: &[&str]) -> Result<Vec<Table>> {
        let mut opening = Vec::with_capacity(names.len());
        for name in names {
            let (lake, spec) = (self.clone(), tables::spec(name)?);
            opening.push(tokio::spawn(async move { Table::open(&lake, spec).await }));
        }
        let mut opened = Vec::with_capacity(names.len());
        for table in opening {
            opened.push(table.await.map_err(|stopped| EngineError::Lake(stopped.to_string()))??);
        }
        Ok(opened)
    }
}
