//! Rolling origin: the quotas of each period from what was known before it, carried through it day by day.

use super::baseline::{Baselines, Rules};
use super::period::{Period, PeriodKind};
use crate::error::{ModelError, Range, check_values};
use crate::panel::{LeansOn, Panel, Progress, QuotaForecast, QuotaParams, forecast};

/// Reps whose ratchet is measured in each period.
const RATCHET_REPS_MAX: usize = 16;
/// Years after which a rep is no longer new.
pub(crate) const NEW_YEARS: f64 = 0.5;

/// One rep in one period.
#[derive(Debug, Clone)]
pub struct RepPeriod {
    /// Place of the period among those of the backtest.
    pub period: usize,
    /// Number of the rep.
    pub rep: usize,
    /// Its region at the period's start.
    pub region: usize,
    /// Quota at the start, and as it stood when a third and two thirds of the period were over.
    pub quota: [f64; 3],
    /// Expected amount.
    pub expected: f64,
    /// The lower end of the 80 % interval.
    pub low: f64,
    /// The upper end of the 80 % interval.
    pub high: f64,
    /// What simple rules would have said.
    pub baselines: Baselines,
    /// What came.
    pub actual: f64,
    /// Years since its first sale; none where it was there before the table.
    pub tenure_years: Option<f64>,
    /// What the forecast rests on.
    pub leans_on: LeansOn,
    /// Largest and mean move of the quota from one day to the next, as a share, within the cap.
    pub move_max: f64,
    /// Mean over all days of the period.
    pub move_mean: f64,
    /// The largest move had there been no cap.
    pub move_free: f64,
}

/// A finished backtest.
#[derive(Debug)]
pub struct QuotaBacktest {
    /// Its periods, in order.
    pub periods: Vec<Period>,
    /// Rows by period, then by rep.
    pub rows: Vec<RepPeriod>,
    /// Percent by which quotas followed one percent of the rep's own sales in the period before; of reps past their first
    /// half year, a few for each period.
    pub ratchets: Vec<f64>,
    /// By period: reps that were taken to have left, and reps that sold without having been known at the start.
    pub without: Vec<(usize, usize)>,
    /// Periods' worth of earlier forecasts behind the calibration of each period.
    pub calibrated_on: Vec<f64>,
}

/// Runs a backtest over periods of one kind, in order. A period before which nothing is known has no rows.
///
/// # Errors
/// [`ModelError::OutOfRange`]: see [`forecast`]; or where `move_max` isn't over 0.
pub fn quota_backtest(
    panel: &Panel,
    kind: PeriodKind,
    periods: &[Period],
    params: &QuotaParams,
    move_max: f64,
) -> Result<QuotaBacktest, ModelError> {
    check_values("move_max", &[move_max], Range::Positive)?;
    let mut found = QuotaBacktest {
        periods: periods.to_vec(),
        rows: Vec::new(),
        ratchets: Vec::new(),
        without: Vec::new(),
        calibrated_on: Vec::new(),
    };
    for (number, &period) in periods.iter().enumerate() {
        let Some(forecast) = forecast(panel, period.start, period.end, params)? else {
            found.without.push((0, 0));
            found.calibrated_on.push(0.0);
            continue;
        };
        found.ratchets.extend(ratchets(panel, &forecast, params));
        let moves = walk(panel, &forecast, period, move_max);
        let rules = Rules::of(panel, kind, period);
        for (quota, walked) in forecast.quotas.iter().zip(moves) {
            found.rows.push(RepPeriod {
                period: number,
                rep: quota.rep,
                region: quota.region,
                quota: walked.quota,
                expected: quota.expected,
                low: quota.low,
                high: quota.high,
                baselines: rules.of_rep(quota.rep),
                actual: panel.actual(quota.rep, period.start, period.end),
                tenure_years: quota.tenure_years,
                leans_on: quota.leans_on,
                move_max: walked.largest,
                move_mean: walked.sum / f64::from(period.end - period.start),
                move_free: walked.free,
            });
        }
        found.without.push((forecast.left.len(), unknown(panel, &forecast, period)));
        found.calibrated_on.push(forecast.calibrated_on);
    }
    Ok(found)
}

/// Reps that sold in the period without having been known at its start.
fn unknown(panel: &Panel, forecast: &QuotaForecast, period: Period) -> usize {
    let known: Vec<usize> =
        forecast.quotas.iter().map(|quota| quota.rep).chain(forecast.left.iter().copied()).collect();
    let sold = |rep: &usize| panel.sales(*rep, period.start, period.end).any(|(_, amount)| amount != 0.0);
    let mut has_quota = vec![false; panel.n_reps()];
    for rep in known {
        has_quota[rep] = true;
    }
    (0..panel.n_reps()).filter(|&rep| !has_quota[rep]).filter(sold).count()
}

fn ratchets(panel: &Panel, forecast: &QuotaForecast, params: &QuotaParams) -> Vec<f64> {
    let settled: Vec<usize> = (forecast.quotas.iter())
        .filter(|quota| {
            quota.tenure_years.is_none_or(|years| years >= NEW_YEARS) && quota.leans_on != LeansOn::Region
        })
        .map(|quota| quota.rep)
        .collect();
    let step = settled.len().div_ceil(RATCHET_REPS_MAX).max(1);
    settled.into_iter().step_by(step).filter_map(|rep| forecast.ratchet(panel, rep, params)).collect()
}

/// A quota carried through its period.
#[derive(Debug, Clone, Copy, Default)]
struct Walk {
    quota: [f64; 3],
    largest: f64,
    sum: f64,
    free: f64,
}

/// Recomputes the quotas after every day, each no further from the day before than the cap allows.
fn walk(panel: &Panel, forecast: &QuotaForecast, period: Period, move_max: f64) -> Vec<Walk> {
    let mut walks: Vec<Walk> =
        forecast.quotas.iter().map(|quota| Walk { quota: [quota.quota; 3], ..Walk::default() }).collect();
    let mut now: Vec<f64> = forecast.quotas.iter().map(|quota| quota.quota).collect();
    let mut free = now.clone();
    let mut sales: Vec<_> = forecast
        .quotas
        .iter()
        .map(|quota| panel.sales(quota.rep, period.start, period.end).peekable())
        .collect();
    let mut progress = Progress::new(forecast);
    let days = period.end - period.start;
    for day in period.start..period.end {
        let mut sold = false;
        for (place, rows) in sales.iter_mut().enumerate() {
            while let Some((_, amount)) = rows.next_if(|row| row.0 <= day) {
                progress.add(place, amount);
                sold = true;
            }
        }
        // A day on which nobody has rows says nothing: weekly rows stand on one day of the week.
        if sold {
            for (place, next) in progress.quotas(day + 1).into_iter().enumerate() {
                let (walk, before) = (&mut walks[place], now[place]);
                now[place] = next.clamp(before * (1.0 - move_max), before * (1.0 + move_max));
                if before > 0.0 {
                    let moved = (now[place] / before - 1.0).abs();
                    walk.largest = walk.largest.max(moved);
                    walk.sum += moved;
                }
                if free[place] > 0.0 {
                    walk.free = walk.free.max((next / free[place] - 1.0).abs());
                }
                free[place] = next;
            }
        }
        let over = day + 1 - period.start;
        for third in 1..3 {
            if over == days * third / 3 {
                let third = usize::try_from(third).unwrap_or(0);
                walks.iter_mut().zip(&now).for_each(|(walk, now)| walk.quota[third] = *now);
            }
        }
    }
    walks
}
