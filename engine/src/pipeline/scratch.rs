//! A second lake beside the first, with its tiles: what computes a past day again writes there, and leaves no trace.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};
use crate::lake::Lake;

/// Where they are, below the lake's root.
const PLACE: &str = "_tideline/scratch";
/// Held while a scratch lake is in use; the operating system lets go of it however the process ends.
const LOCK: &str = "in-use.lock";

/// Removed when dropped, or by the next one where the process was cut off.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) lake: Lake,
    dir: PathBuf,
    _lock: File,
}

impl Scratch {
    /// Makes one whose tiles are those of `lake`: the same files under other names, which nothing ever changes.
    pub(super) fn beside(lake: &Lake) -> Result<Self> {
        let place = lake.root().join(PLACE);
        std::fs::create_dir_all(&place).map_err(EngineError::io("making the folder", &place))?;
        sweep(&place)?;
        let mut number = 0_u32;
        let dir = loop {
            let dir = place.join(format!("{}-{number}", std::process::id()));
            match std::fs::create_dir(&dir) {
                Ok(()) => break dir,
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(EngineError::io("making the folder", &dir)(error)),
            }
        };
        let path = dir.join(LOCK);
        let lock = File::create(&path).map_err(EngineError::io("making", &path))?;
        match lock.try_lock() {
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(EngineError::io("locking", &path)(error)),
        }
        let root = dir.join("lake");
        let scratch = Self { lake: Lake::open_or_create(&root, lake.zone().name())?, dir, _lock: lock };
        let tiles = lake.root().join("tile");
        for table in folders(&tiles)? {
            let (from, to) = (tiles.join(&table), root.join("tile").join(&table));
            // The log first: what it names is on disk already.
            link(&from.join("_delta_log"), &to.join("_delta_log"))?;
            link(&from, &to)?;
        }
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What can't be removed now, the next one removes.
        drop(std::fs::remove_dir_all(&self.dir));
    }
}

/// Removes those whose process is gone.
fn sweep(place: &Path) -> Result<()> {
    for name in folders(place)? {
        let dir = place.join(name);
        let Ok(lock) = File::open(dir.join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            drop(std::fs::remove_dir_all(&dir));
        }
    }
    Ok(())
}

/// Names of the folders in a folder; none where it is missing.
fn folders(dir: &Path) -> Result<Vec<String>> {
    Ok(entries(dir)?.into_iter().filter(|(_, is_dir)| *is_dir).map(|(name, _)| name).collect())
}

fn entries(dir: &Path) -> Result<Vec<(String, bool)>> {
    let listed = match std::fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(EngineError::io("reading the folder", dir)(error)),
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry.map_err(EngineError::io("reading the folder", dir))?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path().is_dir()));
    }
    Ok(found)
}

/// Gives every file below `from` a second name below `to`; copies where the file system has no second names.
fn link(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).map_err(EngineError::io("making the folder", to))?;
    for (name, is_dir) in entries(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        if is_dir {
            link(&source, &target)?;
            continue;
        }
        let linked = std::fs::hard_link(&source, &target).or_else(|error| match error.kind() {
            // Linked with the log already, or deleted meanwhile because nothing named it.
            ErrorKind::AlreadyExists | ErrorKind::NotFound => Ok(()),
            _ => std::fs::copy(&source, &target).map(|_| ()),
        });
        linked.map_err(EngineError::io("copying", &source))?;
    }
    Ok(())
}
