//! What can go wrong between a query and its answer.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

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
        /// What is wrong with it, for a program.
        fault: Fault,
        /// The character of the text, from 1, where it is known.
        position: Option<usize>,
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

/// What is wrong with a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It is no SQL.
    Syntax,
    /// It is longer or deeper than what is taken.
    TooComplex,
    /// There is no such table or schema.
    UnknownTable,
    /// There is no such column.
    UnknownColumn,
    /// Several columns have this name.
    AmbiguousColumn,
    /// Two columns would have the same name.
    DuplicateColumn,
    /// There is no such function, or not for such arguments.
    UnknownFunction,
    /// Types don't go together.
    WrongType,
    /// SQL that isn't spoken here.
    Unsupported,
    /// Anything else.
    Other,
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
    let message = match parser_error(error) {
        Some(ParserError::ParserError(message) | ParserError::TokenizerError(message)) => message.clone(),
        Some(ParserError::RecursionLimitExceeded) => "the statement is nested too deeply".to_owned(),
        None => {
            let text = error.strip_backtrace();
            text.trim().trim_start_matches("Error during planning: ").to_owned()
        }
    };
    SqlError::Query { fault: fault(error), message, position: None }
}

fn parser_error(error: &DataFusionError) -> Option<&ParserError> {
    match error {
        DataFusionError::SQL(error, _) => Some(error),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => parser_error(inner),
        _ => None,
    }
}

/// What is wrong, as far as the planner says it by type, else by the words it begins with.
pub fn fault(error: &DataFusionError) -> Fault {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => fault(inner),
        DataFusionError::Shared(inner) => fault(inner),
        DataFusionError::Collection(all) => all.first().map_or(Fault::Other, fault),
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::RecursionLimitExceeded => Fault::TooComplex,
            _ => Fault::Syntax,
        },
        DataFusionError::NotImplemented(_) => Fault::Unsupported,
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { .. } => Fault::UnknownColumn,
            SchemaError::AmbiguousReference { .. } => Fault::AmbiguousColumn,
            SchemaError::DuplicateQualifiedField { .. } | SchemaError::DuplicateUnqualifiedField { .. } => {
                Fault::DuplicateColumn
            }
        },
        DataFusionError::Plan(message) => of_words(message),
        _ => Fault::Other,
    }
}

fn of_words(message: &str) -> Fault {
    const WORDS: [(&str, Fault); 11] = [
        ("Invalid function", Fault::UnknownFunction),
        ("Function '", Fault::UnknownFunction),
        ("No function matches", Fault::UnknownFunction),
        ("Failed to coerce arguments", Fault::UnknownFunction),
        ("Internal error: Function", Fault::UnknownFunction),
        ("table '", Fault::UnknownTable),
        ("failed to resolve", Fault::UnknownTable),
        ("Cannot coerce", Fault::WrongType),
        ("Cannot infer common", Fault::WrongType),
        ("Unsupported CAST", Fault::WrongType),
        ("Unsupported", Fault::Unsupported),
    ];
    let known = WORDS.iter().find(|(words, _)| message.starts_with(words));
    known.map_or(Fault::Other, |(_, fault)| *fault)
}
