//! What a caller of the quota kernels can get wrong: the shape of its arguments, nothing else.

/// An argument of a quota kernel doesn't fit the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaError {
    /// Two slices that describe the same rows differ in length.
    #[error("{what} has {found} entries where {expected} are needed")]
    LengthMismatch {
        /// The argument that doesn't fit.
        what: &'static str,
        /// Entries needed.
        expected: usize,
        /// Entries found.
        found: usize,
    },
    /// A difference is to be explained, and there is no term to carry it.
    #[error("an amount of {amount} is to be explained by no term at all")]
    NoTerms {
        /// What was to be explained, in minor units.
        amount: i128,
    },
}

/// Checks that `what` has `expected` entries.
pub(super) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), QuotaError> {
    if found == expected { Ok(()) } else { Err(QuotaError::LengthMismatch { what, expected, found }) }
}
