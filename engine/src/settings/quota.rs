//! What decides quotas: the effects of factors, chance, bounds, period.

use serde::{Deserialize, Serialize};

/// Market heat, and how strongly each factor moves a quota until a model has fitted it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Factor {
    /// Weight of each market factor in the heat index; factors not named weigh `heat_weight_other`.
    pub heat_weight: std::collections::BTreeMap<String, f64>,
    /// Weight of factors that `heat_weight` doesn't name.
    pub heat_weight_other: f64,
    /// Heat under which a market turns cold: attainment counts more from then on.
    pub heat_threshold: f64,
    /// Points of heat above that threshold from which on a cold market is cold no longer; between the two it stays what
    /// it was the day before.
    pub heat_hysteresis: f64,
    /// `attainment_weight` in a cold market: attainment is multiplied by it.
    pub attainment_weight_cold: f64,
    /// Percentage points added to attainment in a cold market, beside or instead of the weight.
    pub attainment_points_cold: f64,
    /// Elasticity of capacity per factor name: the effect is exp(beta · z).
    pub beta: std::collections::BTreeMap<String, f64>,
}

impl Default for Factor {
    fn default() -> Self {
        let table =
            |pairs: &[(&str, f64)]| pairs.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
        Self {
            heat_weight: table(&[
                ("price_volatility", -0.05),
                ("competitor_promotion", -0.10),
                ("search_index", 0.10),
            ]),
            heat_weight_other: 0.05,
            heat_threshold: 90.0,
            heat_hysteresis: 2.0,
            attainment_weight_cold: 1.2,
            attainment_points_cold: 0.0,
            beta: table(&[
                ("market_heat", 0.05),
                ("regional_growth", 0.02),
                ("price_volatility", -0.01),
                ("competitor_promotion", -0.02),
                ("lifecycle_mix", 0.01),
                ("repurchase_interval", -0.01),
                ("average_order_value", 0.01),
                ("mean_customer_health", 0.01),
                ("touch_density", 0.01),
                ("weighted_pipeline", 0.03),
                ("mean_lead_score", 0.01),
                ("opportunity_velocity", 0.01),
                ("lead_inflow", 0.01),
                ("capability", 0.01),
                ("workload", -0.01),
                ("attainment_bias", 0.02),
            ]),
        }
    }
}

/// The recommended quota.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// `month` or `quarter`.
    pub period: Period,
    /// The chance of reaching the quota that the company wants.
    pub attain_probability: f64,
    /// Smallest quota as a share of the rep's neutral capacity.
    pub floor_share: f64,
    /// Largest quota as a share of the rep's neutral capacity.
    pub ceiling_share: f64,
    /// Largest move from one day to the next, as a share of yesterday's quota.
    pub daily_move_max: f64,
    /// Months of history before the period that the prediction may use; it reads 48 at most.
    pub history_months: usize,
    /// How far a group's chance of reaching its quotas may be from everyone's before an alert says so.
    pub fairness_tolerance: f64,
}

/// The span that a quota covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// A calendar month, written `2026-11`.
    Month,
    /// A calendar quarter, written `2026-Q4`.
    Quarter,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            period: Period::Month,
            attain_probability: 0.60,
            floor_share: 0.4,
            ceiling_share: 2.5,
            daily_move_max: 0.05,
            history_months: 36,
            fairness_tolerance: 0.10,
        }
    }
}
