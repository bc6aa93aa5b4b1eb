//! What a client is told when something goes wrong: a code of PostgreSQL's (SQLSTATE) and a sentence.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use pgwire::messages::response::ErrorResponse;
use sql::{Fault, SqlError};

/// An error for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// Five letters and digits.
    pub(super) code: &'static str,
    message: String,
    hint: Option<String>,
    position: Option<usize>,
    /// Whether the connection ends with it.
    pub(super) fatal: bool,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, position: None, fatal: false }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, ending the connection.
    pub(super) fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }

    pub(super) fn protocol(message: impl Into<String>) -> Self {
        Self::new("08P01", message).fatal()
    }

    pub(super) fn timeout(seconds: f64) -> Self {
        Self::new("57014", format!("the statement took more than {seconds} seconds"))
            .hint("ask for fewer days or columns, or raise serve.pg.statement_seconds")
    }

    pub(super) fn cancelled() -> Self {
        Self::new("57014", "canceling statement due to user request")
    }

    pub(super) fn stopping() -> Self {
        Self::new("57P01", "the server is stopping").fatal()
    }

    pub(super) fn read_only(what: &str) -> Self {
        Self::new(
            "25006",
            format!("only queries are answered here, and this statement would do more: {what}"),
        )
    }

    /// A panic: the query's, not the server's.
    pub(super) fn panicked() -> Self {
        Self::new("XX000", "computing the answer failed unexpectedly; the server's log says more")
    }

    pub(super) fn response(self) -> ErrorResponse {
        let severity = if self.fatal { "FATAL" } else { "ERROR" };
        let mut fields = vec![
            (b'S', severity.to_owned()),
            (b'V', severity.to_owned()),
            (b'C', self.code.to_owned()),
            (b'M', self.message),
        ];
        fields.extend(self.hint.map(|hint| (b'H', hint)));
        fields.extend(self.position.map(|position| (b'P', position.to_string())));
        ErrorResponse::new(fields)
    }
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Query { message, fault, position } => {
                Self { position, ..Self::new(code_of(fault), message) }
            }
            refused @ SqlError::Refused { .. } => Self::new("25006", refused.to_string()),
            SqlError::Compute(error) => Self::from(*error),
            SqlError::Lake(error) => Self::new("58030", format!("reading the lake: {error}")),
            other => Self::new("XX000", format!("{:#}", anyhow::Error::from(other))),
        }
    }
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        let code = match error.find_root() {
            DataFusionError::ResourcesExhausted(message) if message.contains("disk") => "53100",
            DataFusionError::ResourcesExhausted(_) => "53200",
            DataFusionError::ArrowError(error, _) => of_arrow(error),
            DataFusionError::NotImplemented(_) => "0A000",
            DataFusionError::Execution(_) => "22000",
            DataFusionError::IoError(_)
            | DataFusionError::ObjectStore(_)
            | DataFusionError::ParquetError(_) => "58030",
            DataFusionError::ExecutionJoin(_) | DataFusionError::Internal(_) => "XX000",
            _ => code_of(sql::fault(&error)),
        };
        Self::new(code, error.strip_backtrace().trim().to_owned())
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Self {
        Self::new(of_arrow(&error), error.to_string())
    }
}

fn of_arrow(error: &ArrowError) -> &'static str {
    match error {
        ArrowError::DivideByZero => "22012",
        ArrowError::CastError(_) | ArrowError::ParseError(_) => "22P02",
        ArrowError::ArithmeticOverflow(_) => "22003",
        ArrowError::NotYetImplemented(_) => "0A000",
        ArrowError::MemoryError(_) => "53200",
        ArrowError::ExternalError(inner) => {
            inner.downcast_ref::<DataFusionError>().map_or("XX000", |inner| match inner.find_root() {
                DataFusionError::ResourcesExhausted(_) => "53200",
                _ => "XX000",
            })
        }
        _ => "22000",
    }
}

fn code_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Syntax => "42601",
        Fault::TooComplex => "54001",
        Fault::UnknownTable => "42P01",
        Fault::UnknownColumn => "42703",
        Fault::AmbiguousColumn => "42702",
        Fault::DuplicateColumn => "42701",
        Fault::UnknownFunction => "42883",
        Fault::WrongType => "42804",
        Fault::Unsupported => "0A000",
        _ => "42000",
    }
}
