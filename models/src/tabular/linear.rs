//! Logistic regressions by linfa-logistic: the linear halves of the representation, and the blend.

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::error::TabularError;
use super::real;

/// Solver steps at most.
const STEPS_MAX: u64 = 80;

/// A weight per feature, and what is added to all.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub(super) intercept: f64,
    pub(super) slopes: Vec<f64>,
}

impl Weights {
    /// Margins in log-odds of `x`, `(n_samples, n_features)`.
    pub(super) fn margins(&self, x: &Array2<f64>) -> Vec<f64> {
        let mut margins = vec![self.intercept; x.nrows()];
        for (column, &slope) in x.columns().into_iter().zip(&self.slopes) {
            for (margin, &value) in margins.iter_mut().zip(column) {
                *margin += slope * value;
            }
        }
        margins
    }
}

impl Weights {
    /// The margin of a row of `parts[part][row]`.
    pub(super) fn margin(&self, parts: &[Vec<f64>], row: usize) -> f64 {
        self.intercept + parts.iter().zip(&self.slopes).map(|(part, slope)| slope * part[row]).sum::<f64>()
    }
}

/// Fits `Σ −ln σ(±(b + w·x)) + penalty/2 · |w|²` for each penalty, from the strongest to the weakest, each begun where
/// the one before ended. `x` is `(n_samples, n_features)`, best stored by column.
///
/// # Errors
/// [`TabularError::Solver`] where the line search fails twice.
pub(super) fn path(
    x: &Array2<f64>,
    labels: &[bool],
    penalties: &[f64],
) -> Result<Vec<Weights>, TabularError> {
    let positives = labels.iter().filter(|&&label| label).count();
    let base = (real(positives) + 0.5) / (real(labels.len()) + 1.0);
    let mut start = Array1::zeros(x.ncols() + 1);
    start[x.ncols()] = (base / (1.0 - base)).ln();
    let mut fitted = Vec::new();
    for &penalty in penalties {
        let weights = fit(x, labels, penalty, &start)?;
        start = Array1::from_iter(weights.slopes.iter().copied().chain([weights.intercept]));
        fitted.push(weights);
    }
    Ok(fitted)
}

fn fit(
    x: &Array2<f64>,
    labels: &[bool],
    penalty: f64,
    start: &Array1<f64>,
) -> Result<Weights, TabularError> {
    // linfa takes the more frequent class for the positive one, and starts from weights of that sign.
    let positives = labels.iter().filter(|&&label| label).count();
    let first = labels.first().copied().unwrap_or_default();
    let negatives = labels.len() - positives;
    let (of_first, of_other) = if first { (positives, negatives) } else { (negatives, positives) };
    let sign = if (of_first < of_other) == first { -1.0 } else { 1.0 };
    let targets = Array1::from_iter(labels.iter().copied());
    let dataset = DatasetBase::new(x.view(), targets.view());
    let mut reason = String::new();
    for looser in [1.0, 1e3] {
        let tolerance = 2e-6 * real(labels.len()) * looser;
        let params = LogisticRegression::default()
            .alpha(penalty)
            .max_iterations(STEPS_MAX)
            .gradient_tolerance(tolerance)
            .initial_params(start * sign);
        match params.fit(&dataset) {
            Ok(model) => {
                let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
                let slopes: Vec<f64> = model.params().iter().map(|slope| slope * sign).collect();
                let intercept = model.intercept() * sign;
                if intercept.is_finite() && slopes.iter().all(|slope| slope.is_finite()) {
                    return Ok(Weights { intercept, slopes });
                }
                "the weights are not finite".clone_into(&mut reason);
            }
            Err(error) => reason = error.to_string(),
        }
    }
    Err(TabularError::Solver { reason })
}
