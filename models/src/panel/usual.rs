//! Usual levels of reps: what a rep leans on that hasn't shown its own.

use super::beside::{Beside, count, median};
use super::window::Window;

/// Least spread between the levels of reps of one region, as a share.
const LEVEL_SPREAD_MIN: f64 = 0.15;

/// Usual levels of reps, by region and in the company.
#[derive(Debug)]
pub(crate) struct Usual {
    pub(crate) region: Vec<f64>,
    /// Spread of levels around them, as a share.
    pub(crate) spread: f64,
}

impl Usual {
    pub(crate) fn of(window: &Window, beside: &Beside) -> Self {
        let mut by_region: Vec<Vec<f64>> = vec![Vec::new(); window.n_regions];
        for (known, &level) in window.reps.iter().zip(&beside.level) {
            if !known.left && level > 0.0 {
                by_region[known.region].push(level);
            }
        }
        let company = median(by_region.concat());
        let (mut region_levels, mut squares) = (Vec::new(), Vec::new());
        for own in by_region {
            // The company counts as two reps of the region.
            let n = count(own.len());
            let log = |level: f64| (level / company.max(f64::MIN_POSITIVE)).ln();
            let shift = own.iter().map(|&level| log(level)).sum::<f64>() / (n + 2.0);
            region_levels.push(company * shift.exp());
            squares.extend(own.iter().map(|&level| (log(level) - shift).powi(2).min(4.0)));
        }
        let spread = if squares.is_empty() {
            0.5
        } else {
            (squares.iter().sum::<f64>() / count(squares.len())).sqrt()
        };
        Self { region: region_levels, spread: spread.clamp(LEVEL_SPREAD_MIN, 1.0) }
    }
}
