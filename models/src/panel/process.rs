//! Gaussian processes on one kernel: what a series says of the buckets to come, and how its kernel is chosen.

use super::kernel::{Hyper, Parts};
use super::linalg::{Cholesky, dot};

/// What known buckets say of wanted ones: linear in the values, so solved once for all series with the same buckets.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// By wanted bucket, the weight of every known one.
    gain: Vec<Vec<f64>>,
    /// Covariance of the wanted ones that is left, by rows.
    left: Vec<f64>,
}

impl Process {
    /// From the covariances among the wanted buckets and, `cross`, of each wanted one with all known.
    pub(crate) fn of(known: &Seen<'_>, cross: &Parts, wanted: &Parts, hyper: &Hyper) -> Self {
        let (n_wanted, n) = cross.shape();
        let factor = factor(known, hyper);
        let cross = cross.signal(hyper);
        let rows = |wanted: usize| &cross[wanted * n..(wanted + 1) * n];
        let gain: Vec<Vec<f64>> = (0..n_wanted).map(|row| factor.solve(rows(row))).collect();
        let mut left = wanted.signal(hyper);
        for (row, weights) in gain.iter().enumerate() {
            for column in 0..n_wanted {
                left[row * n_wanted + column] -= dot(weights, rows(column));
            }
        }
        Self { gain, left }
    }

    /// The expected signal of the wanted buckets.
    pub(crate) fn predict(&self, values: &[f64]) -> Vec<f64> {
        self.gain.iter().map(|weights| dot(weights, values)).collect()
    }

    /// Variance of a weighted sum of the last of the wanted signals.
    pub(crate) fn variance_of_last(&self, weights: &[f64]) -> f64 {
        let others = self.gain.len().saturating_sub(weights.len());
        let rows = self.left.chunks_exact(self.gain.len().max(1)).skip(others);
        rows.zip(weights).map(|(row, weight)| weight * dot(&row[others..], weights)).sum::<f64>().max(0.0)
    }
}

/// What a part of the signal, with standard deviations of its own, is expected to be in wanted buckets.
pub(crate) fn component(
    known: &Seen<'_>,
    cross: &Parts,
    (all, part): (&Hyper, &Hyper),
    values: &[f64],
) -> Vec<f64> {
    let weights = factor(known, all).solve(values);
    cross.signal(part).chunks_exact(values.len().max(1)).map(|row| dot(row, &weights)).collect()
}

fn factor(known: &Seen<'_>, hyper: &Hyper) -> Cholesky {
    let (n, _) = known.parts.shape();
    let mut covariance = known.parts.signal(hyper);
    if let Some(other) = known.other {
        covariance.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
    }
    for row in 0..n {
        let inflation = known.inflation.map_or(1.0, |inflation| inflation[row]);
        covariance[row * n + row] += known.noise * inflation * hyper.noise * hyper.noise;
    }
    Cholesky::of(covariance, n)
}

/// Buckets that are known, and what is seen in them beside the signal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) parts: &'a Parts,
    /// Variance of the noise, times the square of the kernel's `noise`.
    pub(crate) noise: f64,
    /// What the noise of each bucket is above that, as a factor of the variance; none where all are alike.
    pub(crate) inflation: Option<&'a [f64]>,
    /// Covariance of another signal in the same values, by rows.
    pub(crate) other: Option<&'a [f64]>,
}

/// Series over the same buckets, with the same noise.
#[derive(Debug)]
pub(crate) struct Family<'a> {
    pub(crate) seen: Seen<'a>,
    pub(crate) series: Vec<Vec<f64>>,
}

/// How far standard deviations are expected from their prior, as a factor's logarithm.
const PRIOR_LOG_SD: f64 = 1.2;
/// Rounds over all standard deviations.
const ROUNDS_MAX: usize = 4;

/// The kernel under which the series are most likely (empirical Bayes), by coordinate steps of a factor of two, then of its root.
pub(crate) fn fit(prior: &Hyper, families: &[Family<'_>]) -> Hyper {
    if families.iter().all(|family| family.series.is_empty()) {
        return *prior;
    }
    let mut best = *prior;
    let mut best_score = score(prior, &best, families);
    for step in [2.0, std::f64::consts::SQRT_2] {
        for _ in 0..ROUNDS_MAX {
            let before = best_score;
            for part in 0..Hyper::FREE {
                improve(prior, families, part, step, &mut best, &mut best_score);
            }
            if best_score - before < 0.1 {
                break;
            }
        }
    }
    best
}

/// Walks one standard deviation up or down as long as that helps.
fn improve(
    prior: &Hyper,
    families: &[Family<'_>],
    part: usize,
    step: f64,
    best: &mut Hyper,
    best_score: &mut f64,
) {
    for factor in [step, 1.0 / step] {
        let mut moved = false;
        loop {
            let mut trial = *best;
            *trial.free()[part] *= factor;
            let found = score(prior, &trial, families);
            if found <= *best_score {
                break;
            }
            (*best, *best_score, moved) = (trial, found, true);
        }
        if moved {
            break;
        }
    }
}

/// Log posterior of a kernel, up to a constant.
fn score(prior: &Hyper, hyper: &Hyper, families: &[Family<'_>]) -> f64 {
    let (mut prior, mut hyper) = (*prior, *hyper);
    let far = |(prior, now): (&mut f64, &mut f64)| ((*now / *prior).ln() / PRIOR_LOG_SD).powi(2);
    let penalty: f64 = prior.free().into_iter().zip(hyper.free()).map(far).sum();
    let mut likelihood = 0.0;
    for family in families.iter().filter(|family| !family.series.is_empty()) {
        let factor = factor(&family.seen, &hyper);
        let determinant = factor.log_determinant();
        for values in &family.series {
            let half = factor.half_solve(values);
            likelihood -= 0.5 * (dot(&half, &half) + determinant);
        }
    }
    likelihood - 0.5 * penalty
}
