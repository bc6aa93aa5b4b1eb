//! What a model can be asked wrongly.

/// Input that no model accepts.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// An array's shape doesn't fit the others.
    #[error("{what} has shape {found:?} where {expected:?} is needed")]
    Shape {
        /// The argument.
        what: &'static str,
        /// The shape needed; `[n]` or `[rows, columns]`.
        expected: Vec<usize>,
        /// The shape found.
        found: Vec<usize>,
    },
    /// A value is NaN or infinite.
    #[error("{what} holds {value} at position {position}, which is not a finite number")]
    NotFinite {
        /// The argument.
        what: &'static str,
        /// Its position, row by row.
        position: usize,
        /// The value.
        value: f64,
    },
    /// A value is finite, and outside its range.
    #[error("{what} holds {value} at position {position}, outside {range}")]
    OutOfRange {
        /// The argument.
        what: &'static str,
        /// Its position, row by row.
        position: usize,
        /// The value.
        value: f64,
        /// The range, in words.
        range: &'static str,
    },
}

/// A range that a value of the input must lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Range {
    /// Any finite number.
    Finite,
    /// 0 or more.
    NotNegative,
    /// Over 0.
    Positive,
}

/// Checks every value of `what`, in order.
pub(crate) fn check_values<'a>(
    what: &'static str,
    values: impl IntoIterator<Item = &'a f64>,
    range: Range,
) -> Result<(), ModelError> {
    for (position, &value) in values.into_iter().enumerate() {
        if !value.is_finite() {
            return Err(ModelError::NotFinite { what, position, value });
        }
        let range = match range {
            Range::NotNegative if value < 0.0 => "0 and up",
            Range::Positive if value <= 0.0 => "numbers over 0",
            _ => continue,
        };
        return Err(ModelError::OutOfRange { what, position, value, range });
    }
    Ok(())
}

/// Checks a shape, `[n]` or `[rows, columns]`.
pub(crate) fn check_shape(what: &'static str, expected: &[usize], found: &[usize]) -> Result<(), ModelError> {
    if expected == found {
        Ok(())
    } else {
        Err(ModelError::Shape { what, expected: expected.to_vec(), found: found.to_vec() })
    }
}
