//! The rows that folds judge, in their order, and what is chosen by them.

use super::blend::blend;
use super::error::TabularError;
use super::folds::Fold;
use super::linear::Weights;
use super::{log_loss, real};

/// The judged rows of all folds, one fold after the other.
pub(super) struct Held<'a> {
    folds: &'a [Fold],
    pub(super) rows: Vec<usize>,
    pub(super) labels: Vec<bool>,
    /// How many times each row counts.
    pub(super) weights: Vec<usize>,
}

impl<'a> Held<'a> {
    pub(super) fn new(folds: &'a [Fold], labels: &[bool]) -> Self {
        let rows: Vec<usize> = folds.iter().flat_map(|fold| fold.judge.iter().copied()).collect();
        let weights = folds.iter().flat_map(|fold| fold.judge.iter().map(|_| fold.weight)).collect();
        Self { folds, labels: rows.iter().map(|&row| labels[row]).collect(), rows, weights }
    }

    /// Weighted log loss of margins for the rows that a fold judges.
    pub(super) fn loss(&self, fold: usize, margins: &[f64]) -> f64 {
        let before: usize = self.folds[..fold].iter().map(|fold| fold.judge.len()).sum();
        let losses =
            self.labels[before..].iter().zip(margins).map(|(&label, &margin)| log_loss(label, margin));
        losses.sum::<f64>() * real(self.folds[fold].weight)
    }

    /// The first of `count` choices whose losses over all folds are the lowest; the first where no fold judges.
    pub(super) fn best(&self, count: usize, loss: impl Fn(usize, usize) -> f64) -> usize {
        let mut best = (0, f64::INFINITY);
        for choice in 0..count {
            let total: f64 = (0..self.folds.len()).map(|fold| loss(fold, choice)).sum();
            if total < best.1 {
                best = (choice, total);
            }
        }
        best.0
    }

    /// What the folds say of their rows, one after the other.
    pub(super) fn join(&self, of_fold: impl Fn(usize) -> Vec<f64>) -> Vec<f64> {
        (0..self.folds.len()).flat_map(of_fold).collect()
    }

    /// The blend of `parts[part][held row]`; the first part alone where no fold judges.
    ///
    /// Weights and intercept are those of a logistic regression on all held rows. In time order the level of the rows
    /// to come may move on or back: there the blend is the parts' mean in the regression's proportions; where the
    /// regression, fitted on the folds before each later fold, foresaw that fold better, it is half-way between both, as
    /// a damped trend is (Gardner 1985).
    pub(super) fn blend(&self, parts: &[Vec<f64>], in_time: bool) -> Result<Weights, TabularError> {
        let Some(last) = self.folds.len().checked_sub(1) else {
            let mut slopes = vec![0.0; parts.len()];
            slopes[0] = 1.0;
            return Ok(Weights { intercept: 0.0, slopes });
        };
        let all = self.regression(parts, self.folds.len())?;
        if !in_time || last == 0 {
            return Ok(all);
        }
        let mut gained = 0.0;
        for fold in 1..=last {
            let scaled = self.regression(parts, fold)?;
            let mean = proportions(&scaled);
            gained += self.blended_loss(parts, fold, &scaled) - self.blended_loss(parts, fold, &mean);
        }
        let mean = proportions(&all);
        Ok(if gained < 0.0 { halfway(&all, &mean) } else { mean })
    }

    /// The blend by the rows of the first folds.
    fn regression(&self, parts: &[Vec<f64>], folds: usize) -> Result<Weights, TabularError> {
        let rows: usize = self.folds[..folds].iter().map(|fold| fold.judge.len()).sum();
        // linfa-logistic knows no weights of rows: a row that counts twice is there twice.
        let again: Vec<usize> =
            (0..rows).flat_map(|row| std::iter::repeat_n(row, self.weights[row])).collect();
        let labels: Vec<bool> = again.iter().map(|&row| self.labels[row]).collect();
        let parts: Vec<Vec<f64>> =
            parts.iter().map(|part| again.iter().map(|&row| part[row]).collect()).collect();
        blend(&parts, &labels)
    }

    fn blended_loss(&self, parts: &[Vec<f64>], fold: usize, weights: &Weights) -> f64 {
        let before: usize = self.folds[..fold].iter().map(|fold| fold.judge.len()).sum();
        let rows = before..before + self.folds[fold].judge.len();
        self.loss(fold, &rows.map(|row| weights.margin(parts, row)).collect::<Vec<_>>())
    }
}

fn halfway(a: &Weights, b: &Weights) -> Weights {
    let middle = |(a, b): (&f64, &f64)| f64::midpoint(*a, *b);
    Weights {
        intercept: middle((&a.intercept, &b.intercept)),
        slopes: a.slopes.iter().zip(&b.slopes).map(middle).collect(),
    }
}

/// The same proportions with a sum of 1, and nothing added.
fn proportions(weights: &Weights) -> Weights {
    let sum: f64 = weights.slopes.iter().sum();
    if sum <= 0.0 {
        return weights.clone();
    }
    Weights { intercept: 0.0, slopes: weights.slopes.iter().map(|slope| slope / sum).collect() }
}
