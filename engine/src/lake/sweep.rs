//! Sweeping: files that no version still wanted names are deleted from the disk.
//!
//! A file stays if the newest version names it, if a commit younger than the retention names it (readers of an older
//! version may be at work), or if it is itself younger (its commit may be on the way).

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::table::Table;
use crate::error::{EngineError, Result};

/// What sweeping a table's folder did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Deletes what nothing refers to and is older than `before_ms`, milliseconds since the epoch.
pub(super) fn sweep(table: &Table, before_ms: i64) -> Result<Swept> {
    let mut swept = Swept::default();
    if !table.dir().exists() {
        return Ok(swept);
    }
    let mut wanted: HashSet<String> = table.files().iter().map(|file| file.path.clone()).collect();
    let log = table.dir().join("_delta_log");
    for entry in entries(&log)? {
        if entry.extension().is_some_and(|ending| ending == "json") && modified_ms(&entry)? >= before_ms {
            named_by(&entry, &mut wanted)?;
        }
    }
    let mut folders = vec![(table.dir().to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        let mut left = 0_usize;
        for path in entries(&folder)? {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            let relative = format!("{prefix}{name}");
            if path.is_dir() {
                if !name.starts_with(['_', '.']) {
                    folders.push((path, format!("{relative}/")));
                }
                left += 1;
            } else if is_ours(name) && !wanted.contains(&relative) && modified_ms(&path)? < before_ms {
                swept.bytes += std::fs::metadata(&path).map_or(0, |data| data.len());
                swept.files += 1;
                std::fs::remove_file(&path).map_err(EngineError::io("removing", &path))?;
            } else {
                left += 1;
            }
        }
        // A run's folder is written by that run alone; folders of days may be about to get a file.
        let of_a_run = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run_id="));
        if left == 0 && of_a_run && modified_ms(&folder).is_ok() {
            match std::fs::remove_dir(&folder) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
                Err(error) => return Err(EngineError::io("removing the folder", &folder)(error)),
            }
        }
    }
    Ok(swept)
}

/// Data files, and files that were being written when their writer was cut off.
fn is_ours(name: &str) -> bool {
    let ending = Path::new(name).extension();
    ending.is_some_and(|ending| ending == "parquet" || ending == "tmp")
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let listed = match std::fs::read_dir(folder) {
        Ok(listed) => listed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EngineError::io("reading the folder", folder)(error)),
    };
    let mut paths: Vec<PathBuf> = listed
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()
        .map_err(EngineError::io("reading the folder", folder))?;
    paths.sort();
    Ok(paths)
}

/// When a file was last written; now for one that is gone meanwhile.
fn modified_ms(path: &Path) -> Result<i64> {
    let modified = match std::fs::metadata(path).and_then(|data| data.modified()) {
        Ok(modified) => modified,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(i64::MAX),
        Err(error) => return Err(EngineError::io("reading", path)(error)),
    };
    let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The part of a commit's line that names a file.
#[derive(Deserialize)]
struct Line {
    add: Option<Named>,
    remove: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    path: String,
}

/// Adds the files that a commit adds or removes. Our names have no characters that the log would escape.
fn named_by(commit: &Path, wanted: &mut HashSet<String>) -> Result<()> {
    let text = std::fs::read_to_string(commit).map_err(EngineError::io("reading", commit))?;
    for line in text.lines() {
        let line: Line = serde_json::from_str(line)
            .map_err(|error| EngineError::Lake(format!("{} is damaged: {error}", commit.display())))?;
        wanted.extend([line.add, line.remove].into_iter().flatten().map(|named| named.path));
    }
    Ok(())
}
