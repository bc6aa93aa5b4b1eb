//! The configuration of models: how they are fitted, when they come into use, and what their scores are called.

use engine::settings::Score;
use serde::{Deserialize, Serialize};

/// The models of a lake.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Model {
    /// Scores (0 to 100) from which on a lead has grade A, B, C, descending.
    pub grades: [f64; 3],
    /// By which share a model's log loss must be lower than that of the one in use, and of plain rules, to come into use.
    pub margin: f64,
    /// Days of history that models learn from.
    pub history_days: i32,
    /// Days between two looks at the same lead.
    pub step_days: i32,
    /// Rows that a model is fitted on at least.
    pub rows_min: usize,
    /// Rows that a model is fitted on at most: evenly spaced ones where there are more.
    pub rows_max: usize,
    /// Seed of all draws.
    pub seed: u32,
}

impl Default for Model {
    fn default() -> Self {
        let Score { grades, .. } = Score::default();
        Self {
            grades,
            margin: 0.005,
            history_days: 400,
            step_days: 7,
            rows_min: 200,
            rows_max: 200_000,
            seed: 0,
        }
    }
}

/// What customers are worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ltv {
    /// Margin as a share of what customers order.
    pub margin_rate: f64,
}

impl Default for Ltv {
    fn default() -> Self {
        Self { margin_rate: Score::default().margin_rate }
    }
}

impl Model {
    /// Which key is out of its range, and what the range is.
    pub(super) fn rules(&self) -> Vec<super::check::Rule> {
        let grades = self.grades.iter().all(|grade| (0.0..=100.0).contains(grade))
            && self.grades.windows(2).all(|pair| pair[0] > pair[1]);
        vec![
            ("model.grades", grades, "three descending numbers between 0 and 100"),
            ("model.margin", (0.0..1.0).contains(&self.margin), "between 0 and 1"),
            ("model.history_days", (60..=3_650).contains(&self.history_days), "between 60 and 3,650"),
            ("model.step_days", (1..=30).contains(&self.step_days), "between 1 and 30"),
            ("model.rows_min", self.rows_min >= 50, "50 or more"),
            ("model.rows_max", self.rows_max >= self.rows_min, "at least model.rows_min"),
        ]
    }
}
