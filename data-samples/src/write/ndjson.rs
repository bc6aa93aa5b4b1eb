//! A file of JSON rows.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::GenerateError;

/// A file of one JSON object a line, open for writing.
#[derive(Debug)]
pub(crate) struct RowFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl RowFile {
    pub(crate) fn create(path: PathBuf) -> Result<Self, GenerateError> {
        match File::create(&path) {
            Ok(file) => Ok(Self { path, out: BufWriter::new(file) }),
            Err(source) => Err(GenerateError::Io { path, source }),
        }
    }

    pub(crate) fn push(&mut self, row: &impl Serialize) -> Result<(), GenerateError> {
        serde_json::to_writer(&mut self.out, row)
            .map_err(|source| GenerateError::Json { path: self.path.clone(), source })?;
        self.out.write_all(b"\n").map_err(|source| GenerateError::Io { path: self.path.clone(), source })
    }

    pub(crate) fn finish(mut self) -> Result<(), GenerateError> {
        self.out.flush().map_err(|source| GenerateError::Io { path: self.path, source })
    }
}

/// Writes a whole file of rows.
pub(crate) fn write_rows<R: Serialize>(
    folder: &Path,
    name: &str,
    rows: impl IntoIterator<Item = R>,
) -> Result<(), GenerateError> {
    let mut file = RowFile::create(folder.join(name))?;
    for row in rows {
        file.push(&row)?;
    }
    file.finish()
}
