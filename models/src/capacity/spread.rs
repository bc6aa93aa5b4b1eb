//! The spread of one day's amount, from the errors that the predictor made one month ahead.
//!
//! With mean `r·e` the error of a month has variance `v·r²·e + e²·(variance of r)`: a day's relative variance `v`
//! over `e` days of exposure, and what isn't known of the rate. `v` is a ratio of sums over the months of the
//! backtest, of a rep shrunk to its region's, and of a region shrunk to the company's.

use ndarray::{ArrayView2, s};

use super::credibility::{Prior, Rates, rates, ratio};
use super::input::CapacityParams;

/// The share of the company's variance that a rep's can't go below.
const SHARE_MIN: f64 = 0.1;

/// Sums of errors.
#[derive(Debug, Clone, Copy, Default)]
struct Errors {
    squares: f64,
    scale: f64,
    months: f64,
}

impl Errors {
    fn add(&mut self, other: Self) {
        self.squares += other.squares;
        self.scale += other.scale;
        self.months += other.months;
    }

    /// The variance that the errors show, and `prior` as if it had shown in `prior_months` more.
    fn shrunk(&self, prior: f64, prior_months: f64) -> f64 {
        (self.months * ratio(self.squares, self.scale) + prior_months * prior) / (self.months + prior_months)
    }
}

/// The relative variance of one day of exposure, `(n_reps)`; shapes as in [`rates`].
///
/// Without a month to test on it is what `now`, the rates from the whole history, saw within reps, and failing that
/// the configured one.
pub(super) fn daily_variance(
    amount: ArrayView2<'_, f64>,
    exposure: ArrayView2<'_, f64>,
    region: &[usize],
    n_regions: usize,
    now: &Rates,
    params: &CapacityParams,
) -> Vec<f64> {
    let (n_reps, n_months) = amount.dim();
    let prior = Prior { half_life_months: params.half_life_months, daily_cv: params.daily_cv };
    let first = n_months.saturating_sub(params.backtest_months).max(params.months_before_backtest.max(1));
    let mut by_rep = vec![Errors::default(); n_reps];
    for month in first..n_months {
        let before = s![.., ..month];
        let past = rates(amount.slice(before), exposure.slice(before), region, n_regions, prior);
        for (i, errors) in by_rep.iter_mut().enumerate() {
            let (e, rate) = (exposure[[i, month]], past.rate[i]);
            if e > 0.0 && rate > 0.0 {
                let squares = (amount[[i, month]] - rate * e).powi(2) - e * e * past.variance[i];
                errors.add(Errors { squares, scale: rate * rate * e, months: 1.0 });
            }
        }
    }
    let (mut company, mut by_region) = (Errors::default(), vec![Errors::default(); n_regions]);
    for (errors, &g) in by_rep.iter().zip(region) {
        company.add(*errors);
        by_region[g].add(*errors);
    }
    let seen = ratio(company.squares, company.scale);
    let fallback = now.daily_variance.unwrap_or(params.daily_cv * params.daily_cv);
    let overall = if seen > 0.0 { seen } else { fallback };
    (by_rep.iter().zip(region))
        .map(|(errors, &g)| {
            let of_region = by_region[g].shrunk(overall, params.prior_months_region);
            errors.shrunk(of_region, params.prior_months_rep).max(SHARE_MIN * overall)
        })
        .collect()
}
