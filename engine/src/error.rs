//! What can go wrong in the core, one variant per cause.

use std::path::PathBuf;

/// The result of every fallible function of this crate.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// An error of the core. `Display` says what this layer was doing; the cause is in `source()`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Reading, writing or syncing a local file failed.
    #[error("{doing} {path}", path = path.display())]
    Io {
        /// What was being done, e.g. "reading".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// The Delta log of a table answered with an error.
    #[error("{doing} table {table}")]
    Delta {
        /// What was being done, e.g. "committing to".
        doing: &'static str,
        /// The table's name, e.g. `raw.behaviour`.
        table: String,
        /// delta-rs's error.
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// Encoding or decoding a Parquet file failed.
    #[error("{doing} the Parquet file {path}", path = path.display())]
    Parquet {
        /// "reading" or "writing".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The codec's error.
        source: parquet::errors::ParquetError,
    },
    /// An Arrow computation failed.
    #[error("{doing}")]
    Arrow {
        /// What was being done.
        doing: &'static str,
        /// Arrow's error.
        source: arrow::error::ArrowError,
    },
    /// A query over the lake failed.
    #[error("{doing}")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// DataFusion's error.
        source: Box<datafusion::error::DataFusionError>,
    },
    /// The user's input or configuration is wrong; the message names file, line or field and what would be right.
    #[error("{0}")]
    Input(String),
    /// The lake's folder holds something this program can't use.
    #[error("{0}")]
    Lake(String),
    /// Another process of this program does work that must not be done twice at once.
    #[error("another process is {doing} this lake; run the command again when it is done")]
    Busy {
        /// What it does, e.g. "maintaining".
        doing: &'static str,
    },
    /// The broker answered with an error, or none answered.
    #[error("{doing}")]
    Kafka {
        /// What was being done, and what the client said about it.
        doing: String,
        /// librdkafka's error.
        source: Box<rdkafka::error::KafkaError>,
    },
    /// The schema registry doesn't answer.
    #[error("the schema registry at {url} doesn't answer: {problem}; nothing that needs it was committed")]
    Registry {
        /// Its address.
        url: String,
        /// What came instead.
        problem: String,
    },
    /// Somebody else committed first; running again may help.
    #[error(
        "table {table} was changed by another process while this one was committing; run the command again"
    )]
    Conflict {
        /// The table's name.
        table: String,
    },
}

impl EngineError {
    /// Whether the user's input or configuration is at fault (exit code 1).
    pub fn is_input(&self) -> bool {
        match self {
            Self::Kafka { source, .. } => crate::kafka::is_refusal(source),
            other => matches!(other, Self::Input(_) | Self::Lake(_)),
        }
    }

    /// Whether running the same command again may help (exit code 75).
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Kafka { source, .. } => !crate::kafka::is_refusal(source),
            other => matches!(other, Self::Conflict { .. } | Self::Busy { .. } | Self::Registry { .. }),
        }
    }

    /// For `map_err` on file operations.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    /// For `map_err` on Parquet operations.
    pub(crate) fn parquet(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.into();
        move |source| Self::Parquet { doing, path, source }
    }

    /// For `map_err` on Arrow operations.
    pub(crate) fn arrow(doing: &'static str) -> impl FnOnce(arrow::error::ArrowError) -> Self {
        move |source| Self::Arrow { doing, source }
    }

    /// An error of the broker, or of the client.
    pub(crate) fn kafka(doing: impl Into<String>, source: rdkafka::error::KafkaError) -> Self {
        Self::Kafka { doing: doing.into(), source: Box::new(source) }
    }

    /// For `map_err` on Delta operations.
    pub(crate) fn delta(
        doing: &'static str,
        table: &str,
    ) -> impl FnOnce(deltalake_core::DeltaTableError) -> Self {
        let table = table.to_owned();
        move |source| Self::Delta { doing, table, source: Box::new(source) }
    }
}
