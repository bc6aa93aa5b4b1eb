//! Capacity: what a rep can still sign until the period ends, as a distribution.
//!
//! `predict` is the one door; a later model replaces what is behind it. Version 1 is a shrunken run-rate:
//!
//! 1. Every closed month of a rep is an amount over an exposure, `worked days × season × ramp`.
//! 2. The rate per day of exposure is shrunk toward the region's, and the region's toward the company's
//!    (`credibility`, Bühlmann & Straub 1970, Jewell 1975), so a rep without history gets the region's.
//! 3. The mean still to come is `rate × season × ramp × working days left × Π factor effects`.
//! 4. Its spread comes from the errors that the same predictor made one month ahead (`spread`), and grows with
//!    the square root of the working days left; a rate that is barely known adds its own variance.
//! 5. It is log-normal with that mean and variance (`forecast`).
//!
//! Amounts are in any one unit, in and out: the engine passes minor units.

mod algorithm;
mod credibility;
mod forecast;
mod input;
mod normal;
mod ramp;
mod season;
mod spread;

pub use algorithm::predict;
pub use forecast::{CapacityForecast, Outlook};
pub use input::{CapacityInput, CapacityParams};
pub use normal::{normal_cdf, normal_quantile};
pub use ramp::{RAMP_MONTHS, Ramp};
pub use season::season_index;

#[cfg(test)]
mod tests;
