//! Why something isn't done to a request: told apart, because a command and an API answer otherwise.

use engine::EngineError;

/// Why something isn't done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// What was given for a field is wrong; a message begins with the field's name.
    Value { field: &'static str, what: String },
    /// The same, where the message says it all.
    Unknown { field: &'static str, message: String },
    /// There is no such request.
    Missing(String),
    /// It can't follow what has happened.
    Conflict(String),
    /// Somebody else has to do it.
    Forbidden(String),
    /// The idempotency key has been used for something else.
    Reused,
    /// It went wrong for reasons of our own.
    Failed(anyhow::Error),
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl Refusal {
    /// What adding an event failed of: a refusal there is about what has happened meanwhile.
    pub(super) fn of_adding(error: EngineError) -> Self {
        match error {
            EngineError::Input(message) => Self::Conflict(message),
            other => Self::Failed(other.into()),
        }
    }

    /// As the command line says it, where fields are options.
    pub(crate) fn of_command(self) -> anyhow::Error {
        let message = match self {
            Self::Value { field, what } => format!("--{field} {what}"),
            Self::Unknown { message, .. }
            | Self::Missing(message)
            | Self::Conflict(message)
            | Self::Forbidden(message) => message,
            Self::Reused => "this has been done for something else".to_owned(),
            Self::Failed(error) => return error,
        };
        EngineError::Input(message).into()
    }
}
