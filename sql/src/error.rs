//! What can go wrong between a query and its answer.

use datafusion::error::DataFusionError;

/// The result of every fallible function of this crate.
pub(crate) type Result<T, E = SqlError> = std::result::Result<T, E>;

/// An error of the SQL side.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The lake can't be read.
    #[error(transparent)]
    Lake(#[from] engine::EngineError),
    /// A table can't be offered.
    #[error("offering table {table}")]
    Register {
        /// Its name.
        table: String,
        /// The cause.
        source: Box<DataFusionError>,
    },
    /// The text is no SQL, or names what isn't there.
    #[error("{message}")]
    Query {
        /// The parser's or planner's answer.
        message: String,
    },
    /// The statement would change something.
    #[error("only queries are answered here, and this statement would do more: {message}")]
    Refused {
        /// What it would do.
        message: String,
    },
    /// The query could be planned, but not computed.
    #[error("computing the answer")]
    Compute(#[source] Box<DataFusionError>),
    /// The answer can't be written.
    #[error("writing the answer")]
    Write(#[source] std::io::Error),
    /// The answer can't be put into the format asked for.
    #[error("writing the answer as {format}")]
    Encode {
        /// The format's name.
        format: &'static str,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SqlError {
    /// Whether the query is at fault.
    pub fn is_input(&self) -> bool {
        match self {
            Self::Query { .. } | Self::Refused { .. } => true,
            Self::Compute(error) => matches!(
                error.find_root(),
                DataFusionError::Execution(_)
                    | DataFusionError::Plan(_)
                    | DataFusionError::SchemaError(..)
                    | DataFusionError::NotImplemented(_)
                    | DataFusionError::ArrowError(..)
            ),
            Self::Lake(error) => error.is_input(),
            _ => false,
        }
    }
}

/// For `map_err` on parsing and planning.
pub(crate) fn query(error: &DataFusionError) -> SqlError {
    let text = error.strip_backtrace();
    let message = text.trim().trim_start_matches("Error during planning: ").to_owned();
    SqlError::Query { message }
}
