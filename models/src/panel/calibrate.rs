//! Calibration: how wide and how high earlier forecasts should have been, by making them again.
//!
//! The same forecast is made at earlier origins, each from what was known before it and for a period that is over by now.
//! A score is what came against what was forecast, in standard deviations of the forecast. The 80 % interval is set by the
//! quantile of the scores' sizes that would have covered 80 % (split conformal, Vovk et al. 2005), leaning on the
//! normal distribution while origins are few. The level of the quota's quantile and of the interval are then moved,
//! origin by origin and region by region, against what was missed (adaptive conformal inference, Gibbs & Candès 2021).

use super::calendar::{Cadence, month_index, month_start};
use super::deviation::count;
use super::factors::{changes, coefficients};
use super::forecast::{Ask, Raw, raw};
use super::input::Panel;
use crate::capacity::normal_quantile;

/// Earlier origins at most, and how many lie in a period.
const ORIGINS_MAX: i32 = 12;
const ORIGINS_PER_PERIOD: i32 = 3;
/// Buckets of history that an earlier origin needs: this many, and this many periods.
const BUCKETS_MIN: usize = 8;
const PERIODS_MIN: usize = 2;
/// Weight of an origin that hadn't seen a year, where this one has.
const YOUNG: f64 = 0.3;
/// Periods that the normal distribution counts for.
const PRIOR_PERIODS: f64 = 2.0;
/// Step of the adaptive levels.
const STEP: f64 = 0.04;
/// Scores beyond this are all alike.
const SCORE_MAX: f64 = 8.0;
/// Share that the interval covers.
const COVERAGE: f64 = 0.8;

/// A log-normal distribution of that mean and spread (standard deviation over mean), at a number of standard deviations.
pub(crate) fn at(mean: f64, spread: f64, deviations: f64) -> f64 {
    let variance = (spread * spread).ln_1p();
    mean * (variance.sqrt() * deviations - 0.5 * variance).exp()
}

/// How many standard deviations from the middle of that distribution an amount lies.
fn score(mean: f64, spread: f64, amount: f64) -> Option<f64> {
    let variance = (spread * spread).ln_1p();
    if mean <= 0.0 || variance <= 0.0 {
        return None;
    }
    let score =
        if amount > 0.0 { ((amount / mean).ln() + 0.5 * variance) / variance.sqrt() } else { -SCORE_MAX };
    Some(score.clamp(-SCORE_MAX, SCORE_MAX))
}

/// One earlier forecast beside what came.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) region: usize,
    /// Scores of the forecast and of the one that holds the rep's latest sales back.
    pub(crate) full: f64,
    pub(crate) held: f64,
    pub(crate) weight: f64,
    /// Logarithm of what came over what was expected, within a few standard deviations.
    pub(crate) error: f64,
    /// Changes of the factors as known then.
    pub(crate) changes: Vec<f64>,
}

/// Where quotas and intervals lie, in standard deviations, by region.
#[derive(Debug)]
pub(crate) struct Calibration {
    /// Of the quota below the middle, `(n_regions)`.
    pub(crate) quota: Vec<f64>,
    /// Of either end of the interval from the middle, `(n_regions)`.
    pub(crate) half: Vec<f64>,
    /// Periods' worth of earlier forecasts it rests on.
    pub(crate) periods: f64,
    /// Coefficients of the factors' changes, `(n_factors)`.
    pub(crate) coefficients: Vec<f64>,
}

impl Calibration {
    /// For what is asked, with `n` buckets of history, where a quota shall be reached with the chance `attain`.
    pub(crate) fn of(panel: &Panel, ask: &Ask<'_>, n: usize, attain: f64) -> Self {
        let origins = origins(panel, ask, n);
        let periods =
            origins.iter().filter_map(|trials| trials.first()).map(|trial| trial.weight).sum::<f64>()
                / f64::from(ORIGINS_PER_PERIOD);
        let all: Vec<Trial> = origins.iter().flatten().cloned().collect();
        let trust = periods / (periods + PRIOR_PERIODS);
        let blend = |empirical: Option<f64>, normal: f64| {
            empirical.map_or(normal, |e| trust * e + (1.0 - trust) * normal)
        };
        let quota_at = |level: f64| blend(quantile(&all, |t| t.held, level), normal_quantile(level));
        let half_at =
            |level: f64| blend(quantile(&all, |t| t.full.abs(), level), normal_quantile(0.5 + 0.5 * level));
        let coefficients = coefficients(&origins, panel.n_factors);
        let mut found = Self { quota: Vec::new(), half: Vec::new(), periods, coefficients };
        for region in 0..panel.n_regions() {
            let (mut below, mut cover) = (1.0 - attain, COVERAGE);
            for trials in origins.iter().rev() {
                let own: Vec<&Trial> = trials.iter().filter(|trial| trial.region == region).collect();
                if own.is_empty() {
                    continue;
                }
                let share = |hit: &dyn Fn(&Trial) -> bool| {
                    count(own.iter().filter(|t| hit(t)).count()) / count(own.len())
                };
                let (quota, half) = (quota_at(below), half_at(cover));
                let step = STEP * own[0].weight;
                below = (below + step * (1.0 - attain - share(&|t| t.held < quota))).clamp(0.05, 0.95);
                cover = (cover + step * (COVERAGE - share(&|t| t.full.abs() <= half))).clamp(0.5, 0.98);
            }
            found.quota.push(quota_at(below));
            found.half.push(half_at(cover));
        }
        found
    }
}

/// Forecasts at earlier origins, the latest first.
fn origins(panel: &Panel, ask: &Ask<'_>, n: usize) -> Vec<Vec<Trial>> {
    let mut found = Vec::new();
    for k in 0..ORIGINS_MAX {
        let (from, to) = earlier(ask.cadence, ask.start, ask.end, k);
        let Some(forecast) = raw(panel, &Ask { start: from, end: to, ..*ask }) else { break };
        let needed = BUCKETS_MIN.max(PERIODS_MIN * forecast.window.future.len());
        if forecast.window.n < needed {
            break;
        }
        let per_year = ask.cadence.buckets_per_year();
        let weight = if n >= per_year && forecast.window.n < per_year { YOUNG } else { 1.0 };
        let trial = |raw: &Raw| {
            let came = panel.reps[raw.rep].sum(from, to);
            let full = score(raw.expected, raw.spread, came)?;
            let held = score(raw.held, raw.held_spread, came)?;
            let error = full.clamp(-3.0, 3.0) * raw.spread;
            let changes = changes(&panel.reps[raw.rep], from, panel.n_factors);
            Some(Trial { region: raw.region, full, held, weight, error, changes })
        };
        found.push(forecast.reps.iter().filter_map(trial).collect());
    }
    found
}

/// A period as long as this one, `k` steps before the last that is over at the origin.
fn earlier(cadence: Cadence, origin: i32, end: i32, k: i32) -> (i32, i32) {
    if cadence == Cadence::Monthly {
        let (first, last) = (month_index(origin), month_index(end));
        let shift = (last - first) + k * ((last - first) / ORIGINS_PER_PERIOD).max(1);
        return (month_start(first - shift), month_start(last - shift));
    }
    let length = end - origin;
    let step = (length / ORIGINS_PER_PERIOD / 7 * 7).max(7);
    let from = origin - length - k * step;
    (from, from + length)
}

/// The weighted quantile of the trials' values, as conformal prediction takes it: one more value, as far out as any.
fn quantile(trials: &[Trial], value: impl Fn(&Trial) -> f64, level: f64) -> Option<f64> {
    let mut values: Vec<(f64, f64)> = trials.iter().map(|trial| (value(trial), trial.weight)).collect();
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|v| v.1).sum();
    let mut below = 0.0;
    values
        .iter()
        .find(|v| {
            below += v.1;
            below >= level * total
        })
        .or(values.last())
        .map(|v| v.0)
}
