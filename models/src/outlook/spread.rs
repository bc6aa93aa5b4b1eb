//! How far off forecasts were on later looks: a scale by level, and residuals over it.

use serde::{Deserialize, Serialize};

use crate::normal::normal_cdf;
use crate::tabular::real;

/// Quantiles of the residuals that are kept, evenly spaced.
const KEPT: usize = 199;
/// The least scale, points.
const SCALE_MIN: f64 = 0.1;
/// Levels at which the scale is measured.
const PLACES: usize = 3;
/// The ends of the interval: 80 %.
const LOW: f64 = 0.1;
const HIGH: f64 = 0.9;

/// Residuals of forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Levels, rising, and the mean size of a residual there; a line between, constant beyond.
    places: Vec<(f64, f64)>,
    /// Quantiles of residuals over their scale, rising.
    residuals: Vec<f64>,
    /// The width of the normal curve by which the share under a line is smoothed.
    width: f64,
}

impl Spread {
    /// From what was forecast, and what came less that. `None` without a row.
    pub(super) fn of(levels: &[f64], residuals: &[f64]) -> Option<Self> {
        let mut order: Vec<usize> = (0..levels.len()).collect();
        order.sort_by(|&a, &b| levels[a].total_cmp(&levels[b]).then(a.cmp(&b)));
        let share = order.len().div_ceil(PLACES).max(1);
        let mean = |rows: &[usize], of: &dyn Fn(usize) -> f64| {
            rows.iter().map(|&row| of(row)).sum::<f64>() / real(rows.len())
        };
        let places: Vec<(f64, f64)> = order
            .chunks(share)
            .map(|rows| {
                let size = mean(rows, &|row| residuals[row].abs());
                (mean(rows, &|row| levels[row]), size.max(SCALE_MIN))
            })
            .collect();
        let scaled = Self { places, residuals: Vec::new(), width: 0.0 };
        let mut over: Vec<f64> =
            levels.iter().zip(residuals).map(|(level, residual)| residual / scaled.scale(*level)).collect();
        over.sort_by(f64::total_cmp);
        let kept = over.len().min(KEPT);
        let residuals: Vec<f64> = (0..kept).map(|place| quantile(&over, middle(place, kept))).collect();
        // Silverman's rule, with the spread between quartiles in place of the deviation: a few far ones don't widen it.
        let quartiles = quantile(&over, 0.75) - quantile(&over, 0.25);
        let width = (0.9 * (quartiles / 1.34) * real(over.len()).powf(-0.2)).max(0.01);
        (!over.is_empty()).then_some(Self { residuals, width, ..scaled })
    }

    fn scale(&self, level: f64) -> f64 {
        let after = self.places.partition_point(|(place, _)| *place <= level);
        let (before, next) =
            (after.checked_sub(1).and_then(|at| self.places.get(at)), self.places.get(after));
        match (before, next) {
            (Some((from, low)), Some((to, high))) => low + (level - from) / (to - from) * (high - low),
            (Some((_, scale)), None) | (None, Some((_, scale))) => *scale,
            (None, None) => SCALE_MIN,
        }
    }

    /// The 80 % interval about a forecast; it contains the forecast.
    pub(super) fn interval(&self, level: f64) -> (f64, f64) {
        let scale = self.scale(level);
        let end = |share: f64| level + scale * quantile(&self.residuals, share);
        (end(LOW).min(level), end(HIGH).max(level))
    }

    /// The probability that what comes is under a line.
    pub(super) fn p_under(&self, level: f64, line: f64) -> f64 {
        let gap = (line - level) / self.scale(level);
        let sum: f64 = self.residuals.iter().map(|residual| normal_cdf((gap - residual) / self.width)).sum();
        // As many rows as were seen can't say less than this of what none of them did.
        let least = 0.5 / (real(self.residuals.len()) + 1.0);
        (sum / real(self.residuals.len())).clamp(least, 1.0 - least)
    }

    /// Whether it can be asked.
    pub(super) fn is_sound(&self) -> bool {
        let finite = |number: &f64| number.is_finite();
        !self.residuals.is_empty()
            && !self.places.is_empty()
            && self.residuals.iter().all(finite)
            && self.residuals.is_sorted()
            && self.places.iter().all(|(level, scale)| level.is_finite() && *scale > 0.0 && scale.is_finite())
            && self.places.windows(2).all(|pair| pair[0].0 <= pair[1].0)
            && self.width > 0.0
            && self.width.is_finite()
    }
}

/// The middle of the n-th of some equal parts of 1.
fn middle(place: usize, of: usize) -> f64 {
    (real(place) + 0.5) / real(of)
}

/// A quantile of rising values, a line between the middles of their parts.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position among some values")]
fn quantile(rising: &[f64], share: f64) -> f64 {
    let Some(last) = rising.len().checked_sub(1) else { return 0.0 };
    let at = (share * real(rising.len()) - 0.5).clamp(0.0, real(last));
    let below = (at.floor() as usize).min(last);
    let above = (below + 1).min(last);
    rising[below] + (at - at.floor()) * (rising[above] - rising[below])
}
