//! Files to columns of text: which file is which input, and how each format is read.

mod csv;
mod parquet;
pub(crate) mod scan;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use arrow::array::StringArray;

use super::error::BadInput;
use super::spec::{FileFormat, InputSpec};

/// Longest text of one file after unpacking, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 30;

/// One file's content.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) header: Vec<String>,
    /// Values trimmed, empty ones null; all of one length.
    pub(crate) columns: Vec<StringArray>,
    /// Line (CSV) or row (Parquet) of each row in the file, from 1.
    pub(crate) lines: Vec<u32>,
    pub(crate) broken: Vec<scan::Broken>,
}

/// Reads `path` by the rules of `spec`.
pub(crate) fn read(path: &Path, spec: &InputSpec) -> anyhow::Result<Content> {
    let parquet = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"));
    let columns = match spec.format {
        Some(FileFormat::Parquet) => parquet::read(path)?,
        None if parquet => parquet::read(path)?,
        Some(FileFormat::Csv) | None => csv::read(path, spec)?,
    };
    for (index, name) in columns.header.iter().enumerate() {
        if columns.header.iter().take(index).any(|earlier| earlier == name) && !name.is_empty() {
            return Err(
                BadInput::new(format!("{}: the column `{name}` appears twice", path.display())).into()
            );
        }
    }
    Ok(columns)
}

/// The files that `paths` name: folders stand for the files directly in them, sorted by name.
pub(super) fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<Listed>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            if !path.exists() {
                return Err(BadInput::new(format!("{}: no such file or folder", path.display())).into());
            }
            files.push(Listed { path: path.clone(), named: true });
            continue;
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {}", path.display()))?;
        let mut found: Vec<PathBuf> = entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()
            .with_context(|| format!("cannot list {}", path.display()))?;
        found.retain(|path| path.is_file());
        found.sort();
        files.extend(found.into_iter().map(|path| Listed { path, named: false }));
    }
    let mut unique: Vec<Listed> = Vec::new();
    for file in files {
        if unique.iter().all(|earlier| earlier.path != file.path) {
            unique.push(file);
        }
    }
    Ok(unique)
}

/// A file that the caller offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: PathBuf,
    /// Named by itself, not found in a folder: then it must be of use.
    pub(super) named: bool,
}

/// The files of `spec` among those offered.
pub(super) fn matching<'a>(spec: &InputSpec, files: &'a [Listed]) -> Vec<&'a Path> {
    let Some(patterns) = &spec.file else { return Vec::new() };
    let matches = |file: &&Listed| {
        let name = file.path.file_name().map(|name| letters(&name.to_string_lossy())).unwrap_or_default();
        patterns.0.iter().any(|pattern| wildcard(&letters(pattern), &name))
    };
    files.iter().filter(matches).map(|file| file.path.as_path()).collect()
}

/// Whether `name` fits `pattern`, where `*` stands for any text and `?` for one character.
fn wildcard(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', after)), rest) => {
            wildcard(after, name) || rest.is_some_and(|(_, shorter)| wildcard(pattern, shorter))
        }
        (Some((sign, after)), Some((c, shorter))) if *sign == '?' || sign == c => wildcard(after, shorter),
        _ => false,
    }
}

fn letters(text: &str) -> Vec<char> {
    text.to_lowercase().chars().collect()
}
