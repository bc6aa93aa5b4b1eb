//! What can go wrong while generating.

use std::path::PathBuf;

/// Why nothing, or not everything, was generated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GenerateError {
    /// A parameter of the scale is out of its range.
    #[error("`{field}` of the scale must be {expected}")]
    Scale {
        /// The parameter.
        field: &'static str,
        /// Its allowed range, in words.
        expected: &'static str,
    },
    /// The output folder holds files that this run would not overwrite, and that would mix with its own.
    #[error("the folder holds files of another run, such as {}", path.display())]
    OutputInUse {
        /// One of those files.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("writing {}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A row of an entity or truth file could not be put as JSON.
    #[error("writing a row of {}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// A batch could not be built.
    #[error("building a batch for {}", path.display())]
    Arrow {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: arrow::error::ArrowError,
    },
    /// A Parquet file could not be written.
    #[error("writing {}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: parquet::errors::ParquetError,
    },
}
