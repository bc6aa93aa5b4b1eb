//! Fit, predict, calibrate, explain: pure functions of arrays, time and seed.
//!
//! ```
//! use models::capacity::season_index;
//!
//! // Under 13 closed months nothing can be said about the seasons.
//! assert_eq!(season_index(&[100.0; 12], 1).unwrap(), [1.0; 12]);
//! ```

pub mod backtest;
pub mod capacity;
pub mod error;
pub mod hazard;
pub mod panel;
pub mod tabular;

pub use error::ModelError;
