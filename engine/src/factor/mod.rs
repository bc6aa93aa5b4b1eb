//! The eighteen quota factors: raw values, comparable values, and their effect on capacity.
//!
//! Until models have fitted them, an effect is exp(β · z) with the configured β, z the rep's value against the reps on
//! duty (or, for a market factor, against its own trailing year), clipped to ±3. `basis` names what stands behind a
//! number: `measured`, `model`, `heuristic` (stands in for a model), or `no data`.

pub(crate) mod market;
mod model;
mod rep;

pub(crate) use model::{ModelValues, mean_score, weighted};
pub(crate) use rep::{
    FactorInputs, Raw, Spreads, capability_of, effect, factors, heat_z, of_region, one, raw_values, spread_of,
};

/// The factors, in the order of METRICS.md.
pub const FACTORS: [&str; 18] = [
    "market_heat",
    "regional_growth",
    "price_volatility",
    "competitor_promotion",
    "season",
    "lifecycle_mix",
    "repurchase_interval",
    "average_order_value",
    "mean_customer_health",
    "touch_density",
    "weighted_pipeline",
    "mean_lead_score",
    "opportunity_velocity",
    "lead_inflow",
    "capability",
    "tenure_ramp",
    "workload",
    "attainment_bias",
];

/// The position of the market heat.
pub(crate) const HEAT: usize = 0;
/// The position of the season index, whose effect is the index itself.
pub(crate) const SEASON: usize = 4;
/// The position of the weighted pipeline.
pub(crate) const PIPELINE: usize = 10;
/// The position of the capability profile, which ranks reps among each other.
pub(crate) const CAPABILITY: usize = 14;

/// One factor of one rep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Factor {
    /// As measured, in its own unit.
    pub(crate) raw: Option<f64>,
    /// Comparable: a z value, or for the season the index.
    pub(crate) value: Option<f64>,
    /// The ratio by which it moves capacity.
    pub(crate) effect: f64,
    pub(crate) basis: &'static str,
}

/// How many standard deviations a value may count for.
pub(crate) const Z_MAX: f64 = 3.0;

/// Mean and standard deviation in a fixed order; `None` under two values or without spread.
pub(crate) fn spread(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let n = crate::measure::real(crate::measure::count(values.clone().count()));
    if n < 2.0 {
        return None;
    }
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    (variance > 0.0).then(|| (mean, variance.sqrt()))
}
