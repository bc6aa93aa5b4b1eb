//! Logistic regressions by linfa-logistic: the linear halves of the representation, and the blend.

use linfa::DatasetBase;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::error::TabularError;
use super::real;

/// Solver steps at most.
const STEPS_MAX: u64 = 60;
/// Rows that a path is fitted on at most: evenly spaced ones where there are more. A few hundred weights need no more.
pub(super) const ROWS_MAX: usize = 16_000;

/// A weight per feature, and what is added to all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Weights {
    pub(crate) intercept: f64,
    pub(crate) slopes: Vec<f64>,
}

impl Weights {
    /// Margins in log-odds of `x`, `(n_samples, n_features)`.
    pub(crate) fn margins(&self, x: &Array2<f64>) -> Vec<f64> {
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
pub(crate) fn path(
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

fn fit(x: &Array2<f64>, labels: &[bool], penalty: f64, start: &Array1<f64>) -> Result<Weights, TabularError> {
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
        let tolerance = 1e-5 * real(labels.len()) * looser;
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

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn weights_of_scikit_learn() {
        let x = array![
            [0.5, -1.2],
            [1.5, 0.3],
            [-0.7, 0.8],
            [2.2, -0.4],
            [-1.1, -0.9],
            [0.1, 1.7],
            [1.9, 1.1],
            [-0.4, -0.2],
            [0.8, 0.6],
            [-1.6, 1.3]
        ];
        let labels = [false, true, false, true, false, true, true, false, false, false];
        // scikit-learn 1.9.1, LogisticRegression(C=1/penalty, tol=1e-12): intercept, two coefficients. linfa stops at a
        // gradient of 1e-5 a row, which leaves three digits.
        let expected = [
            (-0.566_775_323, [0.328_658_627, 0.127_822_092]),
            (-1.214_701_242, [1.189_237_804, 0.680_496_824]),
            (-2.849_482_553, [2.477_900_467, 1.961_692_037]),
        ];
        let fitted = path(&x, &labels, &[10.0, 1.0, 0.1]).unwrap();
        for (weights, (intercept, slopes)) in fitted.iter().zip(expected) {
            let found = [weights.intercept, weights.slopes[0], weights.slopes[1]];
            for (found, expected) in found.into_iter().zip([intercept, slopes[0], slopes[1]]) {
                assert!((found - expected).abs() < 5e-4, "{weights:?}");
            }
        }
        // The same with the classes turned over: all signs change.
        let turned: Vec<bool> = labels.iter().map(|label| !label).collect();
        let turned = path(&x, &turned, &[1.0]).unwrap();
        assert!((turned[0].intercept + fitted[1].intercept).abs() < 5e-4);
        assert!((turned[0].slopes[0] + fitted[1].slopes[0]).abs() < 5e-4);
    }
}
