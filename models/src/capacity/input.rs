//! What the capacity model reads, and the check that proves it usable.

use ndarray::ArrayView2;

use super::ramp::Ramp;
use crate::error::{ModelError, Range, check_shape, check_values};

/// Columns of one forecast. Closed months run from the oldest to the last one closed before as-of day.
///
/// All amounts are in one unit, in and out (the engine's: minor units). A month that a rep didn't work has
/// `worked` 0, and its amount is not read as a capacity of 0.
#[derive(Debug, Clone, Copy)]
pub struct CapacityInput<'a> {
    /// Amount signed, `(n_reps, n_months)`.
    pub history: ArrayView2<'a, f64>,
    /// Working days on duty, `(n_reps, n_months)`; 0 = not on duty. A part of a month counts its days.
    pub worked: ArrayView2<'a, f64>,
    /// Season index of each closed month, `(n_months)`, over 0; see [`super::season_index`].
    pub season: &'a [f64],
    /// Season index of the rest of the period, over 0.
    pub season_now: f64,
    /// Dense region of each rep, `(n_reps)`.
    pub region: &'a [u32],
    /// Months in the company as of the as-of day, `(n_reps)`.
    pub tenure_months: &'a [f64],
    /// The productivity of the first months; `None` estimates it from the history.
    pub ramp: Option<&'a Ramp>,
    /// Working days of the whole period.
    pub working_days_period: f64,
    /// Working days after the as-of day.
    pub working_days_left: f64,
    /// Amount signed in the period so far, `(n_reps)`.
    pub attained: &'a [f64],
    /// The effect of each factor as a ratio, `exp(β·z)`, over 0: `(n_reps, n_factors)`.
    pub factor_effect: ArrayView2<'a, f64>,
    /// Numbers that shape the estimate.
    pub params: CapacityParams,
}

/// Numbers that shape the estimate.
///
/// | name | default | purpose | range |
/// |---|---|---|---|
/// | `half_life_months` | 18 | age at which a month counts half in a rate | over 0 |
/// | `backtest_months` | 12 | months that errors are taken from | 0 and up |
/// | `months_before_backtest` | 3 | history needed before the first error | 1 and up |
/// | `prior_months_rep` | 12 | months of errors the region's spread is worth against a rep's own | over 0 |
/// | `prior_months_region` | 36 | the same, the company's against a region's | over 0 |
/// | `daily_cv` | 2.5 | spread of one working day ÷ its mean, where nothing can be estimated | over 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CapacityParams {
    /// Age in months at which a month counts half in a rate.
    pub half_life_months: f64,
    /// Months, counted back from the last, whose one-month-ahead errors measure the spread.
    pub backtest_months: usize,
    /// Months of history before the first of them.
    pub months_before_backtest: usize,
    /// Months of errors that the region's spread is worth against a rep's own.
    pub prior_months_rep: f64,
    /// Months of errors that the company's spread is worth against a region's.
    pub prior_months_region: f64,
    /// Standard deviation of one working day's amount over its mean, where nothing can be estimated.
    pub daily_cv: f64,
}

impl Default for CapacityParams {
    fn default() -> Self {
        Self {
            half_life_months: 18.0,
            backtest_months: 12,
            months_before_backtest: 3,
            prior_months_rep: 12.0,
            prior_months_region: 36.0,
            daily_cv: 2.5,
        }
    }
}

impl CapacityInput<'_> {
    /// Reps described.
    pub fn n_reps(&self) -> usize {
        self.history.nrows()
    }

    /// Closed months described.
    pub fn n_months(&self) -> usize {
        self.history.ncols()
    }

    /// Checks shapes and ranges, in the order of the fields.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        let (n_reps, n_months) = self.history.dim();
        check_shape("worked", &[n_reps, n_months], self.worked.shape())?;
        check_shape("season", &[n_months], &[self.season.len()])?;
        check_shape("region", &[n_reps], &[self.region.len()])?;
        check_shape("tenure_months", &[n_reps], &[self.tenure_months.len()])?;
        check_shape("attained", &[n_reps], &[self.attained.len()])?;
        check_shape("factor_effect", &[n_reps, self.factor_effect.ncols()], self.factor_effect.shape())?;
        check_values("history", self.history, Range::Finite)?;
        check_values("worked", self.worked, Range::NotNegative)?;
        check_values("season", self.season, Range::Positive)?;
        check_values("season_now", &[self.season_now], Range::Positive)?;
        check_values("tenure_months", self.tenure_months, Range::Finite)?;
        check_values("working_days_period", &[self.working_days_period], Range::NotNegative)?;
        check_values("working_days_left", &[self.working_days_left], Range::NotNegative)?;
        check_values("attained", self.attained, Range::Finite)?;
        check_values("factor_effect", self.factor_effect, Range::Positive)?;
        let CapacityParams { half_life_months, prior_months_rep, prior_months_region, daily_cv, .. } =
            self.params;
        check_values("half_life_months", &[half_life_months], Range::Positive)?;
        check_values("prior_months", &[prior_months_rep, prior_months_region], Range::Positive)?;
        check_values("daily_cv", &[daily_cv], Range::Positive)
    }
}
