//! Where a level between 0 and 100 will be some days ahead, how sure that is, and how probable it is to be under a line.
//!
//! The change of the level is a ridge regression on what is known of it, a fit for each kind of thing (few things of a
//! kind are noisier than many):
//!
//! ```text
//! min over b:  Σ (came − now − b₀ − Σ b_j z_j)²  +  λ n Σ b_j²        z: columns over their deviation; missing is the mean
//! ```
//!
//! How far off it may be is what it was off by on later looks: fits on earlier looks forecast later ones, and their
//! residuals are kept, over a scale that is a line between three levels. The interval runs from their 10 % to their 90 %
//! quantile; the probability of being under a line is the smoothed share of them that would lead there.

mod algorithm;
mod spread;

use serde::{Deserialize, Serialize};

pub use algorithm::{ROWS_MIN, fit};
pub use spread::Spread;

/// The ends of a level, in points.
const ENDS: (f64, f64) = (0.0, 100.0);

/// Things as they stood at the end of days, a row per thing and day, in the order of days.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    /// The day of each row.
    pub days: &'a [i32],
    /// What kind of thing it is: a position among the kinds.
    pub kinds: &'a [usize],
    /// The level then, points.
    pub now: &'a [f64],
    /// What else is known, column by column; NaN is missing.
    pub columns: &'a [Vec<f64>],
}

/// What is to be expected of a thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    /// The level, points.
    pub level: f64,
    /// The lower end of its 80 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The probability of a level under the line, 0 to 1.
    pub p_under: f64,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outlook {
    /// The columns.
    columns: usize,
    /// By kind; none for a kind of which too little was seen.
    kinds: Vec<Option<Kind>>,
}

/// The fit of a kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// What is expected.
    pub ridge: Ridge,
    /// What later looks were off by.
    spread: Spread,
}

/// A regression of the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ridge {
    /// The mean change, points.
    intercept: f64,
    /// The mean of each column, which a missing value counts as.
    means: Vec<f64>,
    /// By column: points of change for one of the column.
    pub weights: Vec<f64>,
    /// The penalty that later looks chose.
    pub penalty: f64,
}

impl Ridge {
    /// The level expected of a row.
    fn level(&self, now: f64, row: impl Iterator<Item = f64>) -> f64 {
        let terms = row.zip(&self.means).zip(&self.weights);
        let change =
            terms.fold(
                self.intercept,
                |sum, ((value, mean), weight)| {
                    if value.is_nan() { sum } else { sum + weight * (value - mean) }
                },
            );
        (now + change).clamp(ENDS.0, ENDS.1)
    }
}

impl Outlook {
    /// What is to be expected of each row, where the line is `line` points; none for a kind without a fit.
    pub fn ahead(&self, looks: &Looks<'_>, line: f64) -> Vec<Option<Expected>> {
        let of = |row: usize| {
            let Kind { ridge, spread } = self.kinds.get(looks.kinds[row])?.as_ref()?;
            let level = ridge.level(looks.now[row], looks.columns.iter().map(|column| column[row]));
            let (low, high) = spread.interval(level);
            let p_under = spread.p_under(level, line);
            Some(Expected { level, low: low.max(ENDS.0), high: high.min(ENDS.1), p_under })
        };
        (0..looks.now.len()).map(of).collect()
    }

    /// The fits, by kind.
    pub fn kinds(&self) -> &[Option<Kind>] {
        &self.kinds
    }

    /// Whether all parts fit each other and tables of so many columns; one that was read may have been cut or edited.
    pub fn is_sound(&self, columns: usize) -> bool {
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        self.columns == columns
            && self.kinds.iter().flatten().all(|Kind { ridge, spread }| {
                ridge.means.len() == columns
                    && ridge.weights.len() == columns
                    && finite(&ridge.means)
                    && finite(&ridge.weights)
                    && finite(&[ridge.intercept, ridge.penalty])
                    && spread.is_sound()
            })
    }
}

#[cfg(test)]
mod tests;
