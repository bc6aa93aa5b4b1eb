//! What decides published scores, beside the models.

use serde::{Deserialize, Serialize};

/// Scores of leads, and the value of customers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Score {
    /// Scores (0 to 100) from which on a lead has grade A, B, C, descending; the rest has D.
    pub grades: [f64; 3],
    /// Margin as a share of what customers order. Not written where it is the default, like all of this.
    #[serde(skip_serializing_if = "is_usual")]
    pub margin_rate: f64,
}

/// The share that an order's amount brings where nobody says.
const MARGIN_RATE: f64 = 0.30;

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_usual(margin_rate: &f64) -> bool {
    margin_rate.to_bits() == MARGIN_RATE.to_bits()
}

impl Score {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Score {
    fn default() -> Self {
        Self { grades: [40.0, 20.0, 8.0], margin_rate: MARGIN_RATE }
    }
}
