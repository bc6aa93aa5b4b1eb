//! Fit, predict, calibrate, explain: pure functions of arrays, time and seed.
//!
//! ```
//! use models::panel::{Panel, PanelRows, QuotaParams, forecast};
//!
//! // Twenty weeks of one rep who sells 100 a week; the thirteen after.
//! let day: Vec<i32> = (0..20).map(|week| 19_000 + 7 * week).collect();
//! let (zeros, amount) = (vec![0; 20], vec![100.0; 20]);
//! let panel = Panel::new(&PanelRows::without_factors(&day, &zeros, &zeros, &amount))?;
//! let found = forecast(&panel, 19_140, 19_140 + 91, &QuotaParams::default())?.expect("there is history");
//! assert!((found.quotas[0].expected / 1_300.0 - 1.0).abs() < 0.05);
//! # Ok::<(), models::ModelError>(())
//! ```

pub mod backtest;
pub mod error;
pub mod hazard;
mod normal;
pub mod outlook;
pub mod panel;
pub mod survival;
pub mod tabular;

pub use error::ModelError;
