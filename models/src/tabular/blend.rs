//! The blend: a logistic regression on the margins that each part gave to rows it was not fitted on.

use ndarray::{Array2, ShapeBuilder as _};

use super::error::TabularError;
use super::linear::{Weights, path};

const PENALTY: f64 = 1.0;

/// Weights of the parts, none negative: a part whose weight would be is left out, since it only makes up for another.
/// `margins[part][row]`.
///
/// # Errors
/// [`TabularError::Solver`].
pub(super) fn blend(margins: &[Vec<f64>], labels: &[bool]) -> Result<Weights, TabularError> {
    let mut parts: Vec<usize> = (0..margins.len()).collect();
    loop {
        let mut x = Array2::zeros((labels.len(), parts.len()).f());
        for (mut column, &part) in x.columns_mut().into_iter().zip(&parts) {
            for (cell, &margin) in column.iter_mut().zip(&margins[part]) {
                *cell = margin;
            }
        }
        let found = path(&x, labels, &[PENALTY])?;
        let weights =
            found.into_iter().next().unwrap_or(Weights { intercept: 0.0, slopes: vec![0.0; parts.len()] });
        let worst = weights.slopes.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        match worst {
            Some((position, slope)) if slope < 0.0 => {
                parts.remove(position);
            }
            _ => {
                let mut slopes = vec![0.0; margins.len()];
                for (&part, &slope) in parts.iter().zip(&weights.slopes) {
                    slopes[part] = slope;
                }
                return Ok(Weights { intercept: weights.intercept, slopes });
            }
        }
    }
}
