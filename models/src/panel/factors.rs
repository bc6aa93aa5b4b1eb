//! Factors: what a change of the outside world, known before a period, has told of the errors of earlier forecasts.
//!
//! A factor's change is its mean over the last four weeks less its mean over the same weeks a year before, as it stood on the
//! rep's own rows; never a value of the period itself. The errors of forecasts made at earlier origins are regressed on it:
//!
//! `minimise Σ (e − Xβ)² / 2n + λ (α |β|₁ + (1 − α) |β|² / 2)` over β (Zou & Hastie 2005), α = ½,
//!
//! with errors and changes taken within an origin, against its mean: what differs between reps. What all reps share
//! was seen in a handful of periods, too few to tell an effect from chance. λ is the one under which origins left out, with those
//! that overlap them, are told best; where that gains too little, no factor counts.

use super::beside::count;
use super::calibrate::Trial;
use super::input::RepRows;

/// Days over which a factor is averaged, and after which it is compared.
const DAYS: i32 = 28;
const YEAR_DAYS: i32 = 364;
/// Penalties tried, as shares of the errors' standard deviation: a factor must correlate by half of it to count.
const PENALTIES: [f64; 3] = [0.6, 0.3, 0.15];
/// Share of the squared error of origins left out that must be gained.
const GAIN_MIN: f64 = 0.03;
/// Origins and trials under which nothing is fitted, and origins on either side that overlap.
const ORIGINS_MIN: usize = 4;
const TRIALS_MIN: usize = 30;
const OVERLAP: usize = 2;
/// Share of the penalty that is on sizes, the rest on squares; rounds of coordinate descent (Friedman et al. 2010).
const ALPHA: f64 = 0.5;
const ROUNDS: usize = 50;
/// Most that factors together move a forecast, as a logarithm.
const EFFECT_MAX: f64 = 0.2;

/// Changes of all factors as known before a day, `(n_factors)`; NaN where unknown.
pub(crate) fn changes(rows: &RepRows, day: i32, n_factors: usize) -> Vec<f64> {
    let mean = |factor: usize, end: i32| {
        let span = rows.before(end - DAYS)..rows.before(end);
        let known = span.map(|row| rows.factors[row * n_factors + factor]).filter(|value| value.is_finite());
        let (sum, n) = known.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
        if n > 0.0 { sum / n } else { f64::NAN }
    };
    (0..n_factors).map(|factor| mean(factor, day) - mean(factor, day - YEAR_DAYS)).collect()
}

/// Coefficients of changes, in the factors' own units; all 0 where none counts.
pub(crate) fn coefficients(origins: &[Vec<Trial>], n_factors: usize) -> Vec<f64> {
    let none = vec![0.0; n_factors];
    let trials: usize = origins.iter().map(Vec::len).sum();
    if n_factors == 0 || origins.len() < ORIGINS_MIN || trials < TRIALS_MIN {
        return none;
    }
    let mut table = Table::of(origins, n_factors);
    let scale = table.standardise();
    let best = PENALTIES
        .map(|penalty| (table.left_out(penalty), penalty))
        .into_iter()
        .reduce(|a, b| if b.0 < a.0 { b } else { a });
    let Some((_, penalty)) = best.filter(|best| best.0 < 1.0 - GAIN_MIN) else { return none };
    let Some(found) = table.fit(penalty, |_| true) else { return none };
    found.iter().zip(&scale).map(|(b, scale)| if *scale > 0.0 { b / scale } else { 0.0 }).collect()
}

/// The factor that changes multiply a forecast by, `usual` being the changes of all reps on average.
pub(crate) fn effect(coefficients: &[f64], changes: &[f64], usual: &[f64]) -> f64 {
    let parts = coefficients.iter().zip(changes).zip(usual).map(|((b, change), usual)| b * (change - usual));
    parts.filter(|part| part.is_finite()).sum::<f64>().clamp(-EFFECT_MAX, EFFECT_MAX).exp()
}

/// Mean of the changes of all reps, 0 where unknown.
pub(crate) fn usual<'a>(all: impl Iterator<Item = &'a [f64]>, n_factors: usize) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); n_factors];
    for changes in all {
        for (sum, change) in sums.iter_mut().zip(changes).filter(|(_, change)| change.is_finite()) {
            *sum = (sum.0 + change, sum.1 + 1.0);
        }
    }
    sums.into_iter().map(|(sum, n)| if n > 0.0 { sum / n } else { 0.0 }).collect()
}

/// Errors and changes against the means of their origins.
struct Table {
    origin: Vec<usize>,
    errors: Vec<f64>,
    /// By trial.
    changes: Vec<Vec<f64>>,
}

impl Table {
    fn of(origins: &[Vec<Trial>], n_factors: usize) -> Self {
        let mut table = Self { origin: Vec::new(), errors: Vec::new(), changes: Vec::new() };
        for (origin, trials) in origins.iter().enumerate() {
            let middle = trials.iter().map(|trial| trial.error).sum::<f64>() / count(trials.len().max(1));
            let usual = usual(trials.iter().map(|trial| trial.changes.as_slice()), n_factors);
            for trial in trials {
                let beside =
                    |(change, usual): (&f64, &f64)| if change.is_finite() { change - usual } else { 0.0 };
                table.origin.push(origin);
                table.errors.push(trial.error - middle);
                table.changes.push(trial.changes.iter().zip(&usual).map(beside).collect());
            }
        }
        table
    }

    /// Brings every factor to a standard deviation of 1, and says what it was; 0 for one that doesn't vary.
    fn standardise(&mut self) -> Vec<f64> {
        let n = count(self.changes.len().max(1));
        let n_factors = self.changes.first().map_or(0, Vec::len);
        let scale =
            |factor: usize| (self.changes.iter().map(|c| c[factor] * c[factor]).sum::<f64>() / n).sqrt();
        let scales: Vec<f64> = (0..n_factors).map(scale).map(|s| if s > 1e-9 { s } else { 0.0 }).collect();
        for changes in &mut self.changes {
            for (change, scale) in changes.iter_mut().zip(&scales) {
                *change = if *scale > 0.0 { *change / scale } else { 0.0 };
            }
        }
        scales
    }

    /// Squared error of origins left out, against that without any factor.
    fn left_out(&self, penalty: f64) -> f64 {
        let last = self.origin.last().copied().unwrap_or(0);
        let (mut with, mut without) = (0.0, 0.0);
        for out in 0..=last {
            let found = self.fit(penalty, |origin| origin.abs_diff(out) > OVERLAP);
            for trial in (0..self.errors.len()).filter(|&trial| self.origin[trial] == out) {
                let told = found
                    .as_ref()
                    .map_or(0.0, |b| b.iter().zip(&self.changes[trial]).map(|(b, c)| b * c).sum());
                with += (self.errors[trial] - told).powi(2);
                without += self.errors[trial].powi(2);
            }
        }
        if without > 0.0 { with / without } else { 1.0 }
    }

    /// Coefficients from the origins taken; none where there are too few trials or the errors don't vary.
    fn fit(&self, penalty: f64, take: impl Fn(usize) -> bool) -> Option<Vec<f64>> {
        let rows: Vec<usize> = (0..self.errors.len()).filter(|&trial| take(self.origin[trial])).collect();
        let n_factors = self.changes.first().map_or(0, Vec::len);
        let n = count(rows.len());
        let spread = (rows.iter().map(|&row| self.errors[row].powi(2)).sum::<f64>() / n).sqrt();
        if rows.len() < TRIALS_MIN || spread <= 0.0 || !spread.is_finite() {
            return None;
        }
        let penalty = penalty * spread;
        let mut found = vec![0.0; n_factors];
        let mut rest: Vec<f64> = rows.iter().map(|&row| self.errors[row]).collect();
        for _ in 0..ROUNDS {
            for (factor, coefficient) in found.iter_mut().enumerate() {
                let values = || rows.iter().map(|&row| self.changes[row][factor]);
                let size = values().map(|value| value * value).sum::<f64>() / n;
                let before = *coefficient;
                let pull =
                    values().zip(&rest).map(|(value, rest)| value * rest).sum::<f64>() / n + size * before;
                let shrunk = pull.signum() * (pull.abs() - ALPHA * penalty).max(0.0);
                let now = if size > 0.0 { shrunk / (size + (1.0 - ALPHA) * penalty) } else { 0.0 };
                for (rest, value) in rest.iter_mut().zip(values()) {
                    *rest -= (now - before) * value;
                }
                *coefficient = now;
            }
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six origins of twenty reps; the first factor moves errors by `slope`, the second is noise.
    fn origins(slope: f64) -> Vec<Vec<Trial>> {
        let wave = |a: usize, b: usize| {
            let mut mixed = u64::try_from(a * 1_000 + b).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for _ in 0..3 {
                mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            }
            count(usize::try_from((mixed >> 33) % 2_001).unwrap_or(0)) / 1_000.0 - 1.0
        };
        let trial = |origin: usize, rep: usize| {
            let changes = vec![wave(origin, rep), 100.0 * wave(rep, origin + 9)];
            let error = slope * changes[0] + 0.02 * wave(origin + 3, rep + 5) + 0.1 * wave(origin, 0);
            Trial { region: 0, full: 0.0, held: 0.0, weight: 1.0, error, changes }
        };
        (0..6).map(|origin| (0..20).map(|rep| trial(origin, rep)).collect()).collect()
    }

    #[test]
    fn an_effect_is_found_and_noise_is_not() {
        let found = coefficients(&origins(0.1), 2);
        assert!(found[0] > 0.06 && found[0] < 0.105 && found[1].abs() < 1e-4, "{found:?}");
        assert_eq!(coefficients(&origins(0.0), 2), [0.0, 0.0]);
        assert_eq!(coefficients(&origins(0.1)[..3], 2), [0.0, 0.0]);
        assert!((effect(&[0.1, 0.0], &[1.5, f64::NAN], &[0.5, 0.0]) - 0.1_f64.exp()).abs() < 1e-12);
    }
}
