//! The predictor, version 1: shrunken run-rate times what is left of the period.

use std::collections::BTreeMap;

use ndarray::{Array2, Zip};

use super::credibility::{Prior, rates};
use super::forecast::{CapacityForecast, Outlook};
use super::input::CapacityInput;
use super::ramp::{Ramp, tenure_at};
use super::spread::daily_variance;
use crate::error::ModelError;

/// Working days of a month, to carry tenure on into the rest of the period.
const WORKING_DAYS_MONTH: f64 = 21.0;

/// Forecasts what every rep can achieve in the period.
///
/// `base = rate · season_now · ramp · working_days_period`; the mean still to come is `base` over the days left,
/// times the product of the factor effects. A negative rate counts as 0. Reps without history get their region's
/// rate, all of them 0 where nobody has any.
///
/// ```
/// use models::capacity::{CapacityInput, CapacityParams, predict};
/// use ndarray::array;
///
/// let forecast = predict(&CapacityInput {
///     history: array![[90.0, 110.0, 100.0], [210.0, 190.0, 200.0]].view(),
///     worked: array![[20.0, 20.0, 20.0], [20.0, 20.0, 20.0]].view(),
///     season: &[1.0, 1.0, 1.0],
///     season_now: 1.0,
///     region: &[7, 7],
///     tenure_months: &[30.0, 40.0],
///     ramp: None,
///     working_days_period: 20.0,
///     working_days_left: 10.0,
///     attained: &[60.0, 0.0],
///     factor_effect: array![[1.1], [1.0]].view(),
///     params: CapacityParams::default(),
/// })?;
/// assert!((forecast.expected[1] - 100.0).abs() < 1.0);
/// // A quota that is reached six times in ten.
/// let quota = forecast.quantile(0, 0.4);
/// assert!((forecast.p_at_least(0, quota) - 0.6).abs() < 1e-9);
/// # Ok::<(), models::ModelError>(())
/// ```
///
/// # Errors
/// [`ModelError::Shape`], [`ModelError::NotFinite`], [`ModelError::OutOfRange`]: see the fields of
/// [`CapacityInput`].
pub fn predict(input: &CapacityInput<'_>) -> Result<CapacityForecast, ModelError> {
    input.check()?;
    let ramp = input
        .ramp
        .copied()
        .unwrap_or_else(|| Ramp::estimate(input.history, input.worked, input.season, input.tenure_months));
    let (amount, exposure) = (worked_amount(input), exposure(input, &ramp));
    let (region, n_regions) = dense_regions(input.region);
    let prior = Prior { half_life_months: input.params.half_life_months, daily_cv: input.params.daily_cv };
    let now = rates(amount.view(), exposure.view(), &region, n_regions, prior);
    let daily = daily_variance(amount.view(), exposure.view(), &region, n_regions, &now, &input.params);

    let n_reps = input.n_reps();
    let mut forecast = CapacityForecast {
        base: Vec::with_capacity(n_reps),
        attained: Vec::with_capacity(n_reps),
        remaining: Vec::with_capacity(n_reps),
        remaining_sd: Vec::with_capacity(n_reps),
        expected: Vec::with_capacity(n_reps),
        outlook: Vec::with_capacity(n_reps),
    };
    for (rep, effects) in input.factor_effect.rows().into_iter().enumerate() {
        let midway = input.tenure_months[rep] + 0.5 * input.working_days_left / WORKING_DAYS_MONTH;
        let daily_exposure = input.season_now * ramp.at(midway);
        let outlook = Outlook {
            rate: now.rate[rep],
            rate_variance: now.variance[rep],
            daily_variance: daily[rep],
            left: daily_exposure * input.working_days_left,
        };
        let base = outlook.rate * daily_exposure * input.working_days_period;
        forecast.push(outlook, base, input.attained[rep], effects.iter().copied());
    }
    Ok(forecast)
}

/// Amounts of the months that were worked; others say nothing of a rate.
fn worked_amount(input: &CapacityInput<'_>) -> Array2<f64> {
    Zip::from(input.history).and(input.worked).map_collect(|&a, &d| if d > 0.0 { a } else { 0.0 })
}

/// Days of exposure: worked days, by season and by ramp, `(n_reps, n_months)`.
fn exposure(input: &CapacityInput<'_>, ramp: &Ramp) -> Array2<f64> {
    let n_months = input.n_months();
    Array2::from_shape_fn(input.worked.dim(), |(rep, m)| {
        let tenure = tenure_at(input.tenure_months[rep], n_months, m);
        input.worked[[rep, m]] * input.season[m] * ramp.at(tenure)
    })
}

/// Regions renumbered from 0 in rising order of their ids, and how many there are.
fn dense_regions(region: &[u32]) -> (Vec<usize>, usize) {
    let mut dense: BTreeMap<u32, usize> = region.iter().map(|&id| (id, 0)).collect();
    for (number, slot) in dense.values_mut().enumerate() {
        *slot = number;
    }
    (region.iter().map(|id| dense[id]).collect(), dense.len())
}
