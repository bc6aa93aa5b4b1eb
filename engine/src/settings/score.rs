//! What decides published scores, beside the models.

use serde::{Deserialize, Serialize};

/// Scores of leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Score {
    /// Scores (0 to 100) from which on a lead has grade A, B, C, descending; the rest has D.
    pub grades: [f64; 3],
}

impl Score {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Score {
    fn default() -> Self {
        Self { grades: [40.0, 20.0, 8.0] }
    }
}
