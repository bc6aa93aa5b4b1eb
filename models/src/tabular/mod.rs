//! Any table with a binary label: fit, calibrate, score, explain.
//!
//! ```text
//! columns ─ features ─┬─ indicators ─ logistic regression ─┐
//!                     ├─ evidence ─── logistic regression ─┼─ blend ─ calibration ─ probability, interval
//!                     └─ bins ─────── boosted trees ───────┘
//! ```
//!
//! Regressions and blend are linfa-logistic's. Penalties, the number of trees, the blend's weights and the calibration
//! are chosen by rows that the parts were not fitted on: other folds, or later rows where rows are in time order.

mod assemble;
mod blend;
mod boost;
mod calibrate;
mod design;
mod error;
mod evidence;
mod explain;
mod feature;
mod fit;
mod folds;
mod frame;
mod held;
pub(crate) mod linear;
mod measure;
mod model;
mod permutation;
mod screen;
mod sound;
#[cfg(test)]
mod tests;

pub use calibrate::Scored;
pub use error::TabularError;
pub use explain::Explanation;
pub use feature::LeftOut;
pub use fit::{Choices, FitOptions, Fitted, fit};
pub use folds::Order;
pub use frame::{Column, Frame, Kind, MISSING, Part, Values};
pub use measure::{CalibrationBin, Decile, Measures, measure};
pub use model::{Model, Schema};
pub use permutation::permutation;
pub use screen::information;

/// A count as a float.
#[expect(clippy::cast_precision_loss, reason = "rows are far below 2^53")]
pub(crate) fn real(count: usize) -> f64 {
    count as f64
}

pub(crate) fn sigmoid(margin: f64) -> f64 {
    1.0 / (1.0 + (-margin).exp())
}

/// −ln of the probability that a margin gives to what happened.
pub(crate) fn log_loss(label: bool, margin: f64) -> f64 {
    let wrong = if label { -margin } else { margin };
    // ln(1 + e^x) without overflow.
    wrong.max(0.0) + (-wrong.abs()).exp().ln_1p()
}
