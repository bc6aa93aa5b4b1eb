//! How sure a chance is: an interval from hazards that were fitted without a part of the stays each.

use super::{Forecast, Hazards};
use crate::tabular::{real, sigmoid};

/// The 95 % quantile of the normal law: both ends together leave out a tenth.
const WIDTH: f64 = 1.644_853_6;
/// Chances nearer to 0 or 1 are as these in log-odds.
const EDGE: f64 = 1e-9;

/// The forecasts of the parts.
#[derive(Debug, Clone)]
pub struct Spread(Vec<Forecast>);

impl Spread {
    /// Works all chances out; none with fewer than two parts.
    pub fn new(parts: &[Hazards]) -> Option<Self> {
        (parts.len() > 1).then(|| Self(parts.iter().map(Forecast::new).collect()))
    }

    /// The 90 % interval around `p`, the chance of a win that all stays together say: its log-odds plus and minus the
    /// spread of the parts' (delete-a-group jackknife, Kott 2001).
    pub fn around(&self, p: f64, stage: usize, age: usize, days: usize) -> [f64; 2] {
        if p <= 0.0 {
            return [0.0, 0.0];
        }
        let log_odds = |p: f64| {
            let p = p.clamp(EDGE, 1.0 - EDGE);
            (p / (1.0 - p)).ln()
        };
        let parts: Vec<f64> = self.0.iter().map(|part| log_odds(part.p_win(stage, age, days))).collect();
        let n = real(parts.len());
        let mean = parts.iter().sum::<f64>() / n;
        let squares: f64 = parts.iter().map(|part| (part - mean).powi(2)).sum();
        let error = WIDTH * ((n - 1.0) / n * squares).sqrt();
        let at = log_odds(p);
        [sigmoid(at - error).min(p), sigmoid(at + error).max(p)]
    }
}
