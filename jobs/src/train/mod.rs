//! Training: rows of the lake in, judged models out.
//!
//! ```text
//! rows in the order of their days
//! ├── fitted on ───────┤── 30 days: outcomes not known yet ──┤── judged on ──┤
//!                                                             first judged day
//! ```
//!
//! What is judged is fitted on what was known on the first judged day. What comes into use is then fitted in the same way
//! on all rows.

mod customer;
mod half_life;
mod index;
mod judge;
mod lead;
mod rolling;
mod win;

use engine::score::HORIZON_DAYS;
use engine::time::Day;
use models::tabular::CalibrationBin;

pub(crate) use customer::train_customers;
pub(crate) use index::{Beside, Levels, train_indices};
pub(crate) use judge::{Group, Score, Verdict};
pub(crate) use lead::train_leads;
pub(crate) use rolling::{Origin, backtest_leads};
pub(crate) use win::train_wins;

/// A fitted model, or why there is none.
pub(crate) type Fitted = Result<Trained, String>;

/// A fitted model and how good it is.
#[derive(Debug)]
pub(crate) struct Trained {
    /// What it is a model of.
    pub(crate) name: &'static str,
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) verdict: Verdict,
    /// Looks whose outcome is known.
    pub(crate) rows: usize,
    pub(crate) fitted_rows: usize,
    /// What those rows are.
    pub(crate) fitted_on: &'static str,
    /// How many outcomes are not known yet, and what that means.
    pub(crate) censored: (usize, &'static str),
    pub(crate) judged_days: (Day, Day),
    pub(crate) score: Score,
    /// Plain rules and the model in use, with the score of both on the rows that they are compared by.
    pub(crate) against: Vec<(String, Score, Score)>,
    pub(crate) groups: Vec<Group>,
    /// Where it forecasts a number beside the probability: how near it was.
    pub(crate) levels: Option<Levels>,
    pub(crate) calibration: Vec<CalibrationBin>,
    pub(crate) parameters: serde_json::Value,
    /// Columns by the mean size of their term in log-odds.
    pub(crate) importance: Vec<(String, f64)>,
}

fn too_few(what: &str, came: &str, labels: &[bool], config: &crate::config::Model) -> String {
    let positives = labels.iter().filter(|&&label| label).count();
    format!(
        "{} looks at {what} whose {HORIZON_DAYS} days are over, of which {positives} {came}, are too few: a model \
         needs {} to fit on, others from {HORIZON_DAYS} days later on to judge by, and ten of each outcome in both",
        labels.len(),
        config.rows_min
    )
}
