//! What is on disk stays there: syncing files and folders, replacing small files whole.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::{EngineError, Result};

/// Writes a small file so that it is there whole or not at all, and syncs it.
///
/// # Errors
/// [`EngineError::Io`].
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(EngineError::io("making the folder", folder))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // Two processes may make the same file.
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let mut file = File::create(&temporary).map_err(EngineError::io("making", &temporary))?;
    file.write_all(bytes).map_err(EngineError::io("writing", &temporary))?;
    file.sync_all().map_err(EngineError::io("syncing", &temporary))?;
    std::fs::rename(&temporary, path).map_err(EngineError::io("renaming to", path))?;
    sync_dir(folder)
}

/// Syncs a file's content to disk.
pub(super) fn sync_file(path: &Path) -> Result<()> {
    File::open(path).and_then(|file| file.sync_all()).map_err(EngineError::io("syncing", path))
}

/// Syncs a folder's entries to disk.
pub(super) fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(EngineError::io("syncing", path))
}
