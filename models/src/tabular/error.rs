//! What a table can be asked wrongly.

/// A table that no model can be fitted on or scored with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TabularError {
    /// Columns or labels of different lengths.
    #[error("column {column} has {found} rows where {expected} are needed")]
    Length {
        /// The column; `label` for the labels.
        column: String,
        /// The rows needed.
        expected: usize,
        /// The rows found.
        found: usize,
    },
    /// Two columns of one name.
    #[error("column {column} appears twice")]
    Twice {
        /// The name.
        column: String,
    },
    /// Nothing to learn from.
    #[error("{rows} rows are too few to fit a model; {needed} are needed")]
    TooFewRows {
        /// The rows found.
        rows: usize,
        /// The rows needed.
        needed: usize,
    },
    /// All labels are equal, or nearly.
    #[error(
        "{positives} of {rows} training rows are positive; a model needs at least 2 positive and 2 negative rows"
    )]
    OneClass {
        /// Rows whose label is true.
        positives: usize,
        /// All rows.
        rows: usize,
    },
    /// No column says anything.
    #[error("no column is left to learn from: every one is empty, holds one value, or another for each row")]
    NoFeature,
    /// A column of the training table is missing.
    #[error("column {column} is missing; the model was fitted with it")]
    MissingColumn {
        /// The name.
        column: String,
    },
    /// A column is of another kind than in training.
    #[error("column {column} holds {found}; the model was fitted with {expected}")]
    Kind {
        /// The name.
        column: String,
        /// The kind in training.
        expected: &'static str,
        /// The kind found.
        found: &'static str,
    },
    /// The solver gave up.
    #[error("fitting the logistic regression failed: {reason}")]
    Solver {
        /// What the solver said.
        reason: String,
    },
}
