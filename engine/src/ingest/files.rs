//! Which files to take in: paths and folders, their format by their ending, in a fixed order.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::{EngineError, Result};

/// Folders inside one another, at most.
const DEPTH_MAX: usize = 64;
const ENDINGS: &str = ".ndjson, .jsonl, .json and .csv (also with .gz or .zst after it), and .parquet";

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Ndjson,
    Csv,
    Parquet,
}

/// How a file is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// A file to take in.
#[derive(Debug, Clone)]
pub(crate) struct InputFile {
    /// As the user wrote it, or below the folder that the user wrote.
    pub(crate) path: PathBuf,
    /// Absolute, without links: the file's name in the lake.
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    /// Bytes on disk.
    pub(crate) bytes: u64,
}

/// The files behind `paths`, each once: files as given, folders in the order of their names.
///
/// # Errors
/// [`EngineError::Input`] for a path that is missing, a file that is empty or of an unknown ending, a folder without
/// any file of a known ending.
pub(crate) fn list(paths: &[PathBuf]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                EngineError::Input(format!("{}: there is no such file or folder", path.display()))
            }
            _ => EngineError::io("reading", path)(error),
        })?;
        if metadata.is_dir() {
            let before = files.len();
            walk(path, 0, &mut files)?;
            if files.len() == before {
                return Err(EngineError::Input(format!(
                    "{}: the folder holds no file that can be taken in; those end in {ENDINGS}",
                    path.display()
                )));
            }
        } else {
            let (format, compression) = kind(path).ok_or_else(|| {
                EngineError::Input(format!("{}: unknown ending; files end in {ENDINGS}", path.display()))
            })?;
            files.push(input(path.clone(), format, compression, metadata.len())?);
        }
    }
    let mut names = BTreeSet::new();
    files.retain(|file| names.insert(file.name.clone()));
    Ok(files)
}

fn walk(dir: &Path, depth: usize, files: &mut Vec<InputFile>) -> Result<()> {
    if depth > DEPTH_MAX {
        return Err(EngineError::Input(format!(
            "{}: more than {DEPTH_MAX} folders inside one another; is there a link in a circle?",
            dir.display()
        )));
    }
    let mut paths = std::fs::read_dir(dir)
        .and_then(|entries| {
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
        })
        .map_err(EngineError::io("reading the folder", dir))?;
    paths.sort();
    for path in paths {
        // Hidden files, and what other programs keep beside their data (`_SUCCESS`, `_delta_log`).
        let hidden =
            path.file_name().is_none_or(|name| matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_')));
        if hidden {
            continue;
        }
        let metadata = std::fs::metadata(&path).map_err(EngineError::io("reading", &path))?;
        if metadata.is_dir() {
            walk(&path, depth + 1, files)?;
        } else if let Some((format, compression)) = kind(&path) {
            files.push(input(path, format, compression, metadata.len())?);
        }
    }
    Ok(())
}

fn input(path: PathBuf, format: Format, compression: Compression, bytes: u64) -> Result<InputFile> {
    if bytes == 0 {
        return Err(EngineError::Input(format!("{}: the file is empty", path.display())));
    }
    let absolute = std::fs::canonicalize(&path).map_err(EngineError::io("resolving", &path))?;
    let Some(name) = absolute.to_str().map(str::to_owned) else {
        return Err(EngineError::Input(format!(
            "{}: the path is not UTF-8; rename the file",
            path.display()
        )));
    };
    Ok(InputFile { path, name, format, compression, bytes })
}

/// Format and compression by the ending, upper case or lower.
fn kind(path: &Path) -> Option<(Format, Compression)> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, compression) = if let Some(stem) = name.strip_suffix(".gz") {
        (stem, Compression::Gzip)
    } else if let Some(stem) = name.strip_suffix(".zst") {
        (stem, Compression::Zstd)
    } else {
        (name.as_str(), Compression::None)
    };
    let (_, ending) = stem.rsplit_once('.')?;
    match (ending, compression) {
        ("ndjson" | "jsonl" | "json", _) => Some((Format::Ndjson, compression)),
        ("csv", _) => Some((Format::Csv, compression)),
        ("parquet", Compression::None) => Some((Format::Parquet, compression)),
        _ => None,
    }
}
