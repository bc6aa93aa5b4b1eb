//! Stages left day by day: how probable a win is by any day, and when it will be over.
//!
//! On every working day after it entered a stage, an opportunity goes on (to another stage, or to its win) or is lost.
//! Both hazards are logistic regressions (linfa-logistic) on rows of one opportunity and one day,
//!
//! ```text
//! logit h(stage, age) = b + w_stage + v_stage · ln(1 + age)        age: working days in the stage before this one
//! ```
//!
//! with a penalty on w and v that stays which began later have chosen. Where an opportunity goes from a stage is a share of
//! those that left it. Everything else follows without another assumption: the chance of a win within d days is a sum over
//! all ways, made backwards from d = 0.

mod algorithm;
mod forecast;
mod interval;

use serde::{Deserialize, Serialize};

pub use algorithm::{fit, parts};
pub use forecast::{DAYS_MAX, Forecast};
pub use interval::Spread;

/// Parts of the stays, each left out once.
pub const PARTS: usize = 8;

/// How long an opportunity was in a stage, and how that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The stage, from 0.
    pub stage: usize,
    /// Working days on which it could have ended, at least 1.
    pub days: usize,
    /// How the last of them ended.
    pub end: End,
}

/// How a stay in a stage ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Not yet.
    Open,
    /// In another stage.
    Moved(usize),
    /// With the win.
    Won,
    /// With the loss.
    Lost,
}

/// A fitted pair of hazards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hazards {
    onward: Line,
    lost: Line,
    /// By stage: the share of those going on that go to each stage, and at last to the win.
    goes_to: Vec<Vec<f64>>,
    /// The penalties that validation chose: onward, lost.
    pub penalties: [f64; 2],
}

/// A hazard in log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    intercept: f64,
    /// By stage.
    level: Vec<f64>,
    slope: Vec<f64>,
}

impl Line {
    fn hazard(&self, stage: usize, age: usize) -> f64 {
        let (level, slope) = (self.level.get(stage), self.slope.get(stage));
        let margin =
            self.intercept + level.copied().unwrap_or(0.0) + slope.copied().unwrap_or(0.0) * log_age(age);
        crate::tabular::sigmoid(margin)
    }

    fn is_sound(&self, stages: usize) -> bool {
        self.level.len() == stages
            && self.slope.len() == stages
            && self.level.iter().chain(&self.slope).chain([&self.intercept]).all(|value| value.is_finite())
    }
}

fn log_age(age: usize) -> f64 {
    crate::tabular::real(age).ln_1p()
}

impl Hazards {
    /// Stages that were fitted.
    pub fn stages(&self) -> usize {
        self.goes_to.len()
    }

    /// Whether all parts fit each other; one that was read from elsewhere may have been cut or edited.
    pub fn is_sound(&self) -> bool {
        let stages = self.stages();
        let shares = |row: &Vec<f64>| {
            row.len() == stages + 1
                && row.iter().all(|share| (0.0..=1.0).contains(share))
                && (row.iter().sum::<f64>() - 1.0).abs() < 1e-6
        };
        stages > 0
            && self.onward.is_sound(stages)
            && self.lost.is_sound(stages)
            && self.goes_to.iter().all(shares)
    }

    /// The hazards of going on and of being lost on one working day.
    pub fn on(&self, stage: usize, age: usize) -> (f64, f64) {
        let (onward, lost) = (self.onward.hazard(stage, age), self.lost.hazard(stage, age));
        let both = onward + lost;
        if both > 1.0 { (onward / both, lost / both) } else { (onward, lost) }
    }
}
