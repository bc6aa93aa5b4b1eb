//! The little linear algebra of Gaussian processes: a Cholesky factor and what is solved with it.

/// Lower Cholesky factor of a symmetric positive definite matrix, by rows.
#[derive(Debug, Clone)]
pub(crate) struct Cholesky {
    n: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    /// Factors the `n` by `n` matrix given by rows, its upper half unread. A pivot that rounding has made too small is
    /// raised, so that nearly singular matrices are solved as their nearest regular neighbours.
    pub(crate) fn of(mut a: Vec<f64>, n: usize) -> Self {
        for row in 0..n {
            let (done, rest) = a.split_at_mut(row * n);
            let current = &mut rest[..n];
            for column in 0..row {
                let other = &done[column * n..=column * n + column];
                let sum = current[column] - dot(&current[..column], &other[..column]);
                current[column] = sum / other[column];
            }
            let pivot = current[row] - dot(&current[..row], &current[..row]);
            current[row] = pivot.max(1e-12 * current[row].abs()).max(1e-300).sqrt();
        }
        Self { n, lower: a }
    }

    /// Solves `A x = b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.half_solve(b);
        for row in (0..self.n).rev() {
            let value = x[row] / self.lower[row * self.n + row];
            x[row] = value;
            for (earlier, factor) in x[..row].iter_mut().zip(&self.lower[row * self.n..row * self.n + row]) {
                *earlier -= factor * value;
            }
        }
        x
    }

    /// Solves `L x = b`; the square of `x` is `b' A⁻¹ b`.
    pub(crate) fn half_solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for row in 0..self.n {
            let factors = &self.lower[row * self.n..=row * self.n + row];
            x[row] = (x[row] - dot(&factors[..row], &x[..row])) / factors[row];
        }
        x
    }

    /// Logarithm of the determinant of `A`.
    pub(crate) fn log_determinant(&self) -> f64 {
        (0..self.n).map(|row| 2.0 * self.lower[row * self.n + row].ln()).sum()
    }
}

/// Scalar product, in four lanes of fixed order.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut lanes = [0.0; 4];
    let (a4, b4) = (a.chunks_exact(4), b.chunks_exact(4));
    let tail: f64 = a4.remainder().iter().zip(b4.remainder()).map(|(x, y)| x * y).sum();
    for (x, y) in a4.zip(b4) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += x * y;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_what_it_factored() {
        let n: usize = 7;
        let at = |k: usize| f64::from(u8::try_from(k).unwrap());
        let near = |k: usize| if k / n == k % n { 3.0 } else { 1.0 / (1.0 + at((k / n).abs_diff(k % n))) };
        let a: Vec<f64> = (0..n * n).map(near).collect();
        let b: Vec<f64> = (0..n).map(|k| at(k) - 2.5).collect();
        let factor = Cholesky::of(a.clone(), n);
        let x = factor.solve(&b);
        for row in 0..n {
            assert!((dot(&a[row * n..(row + 1) * n], &x) - b[row]).abs() < 1e-12);
        }
        let half = factor.half_solve(&b);
        assert!((dot(&half, &half) - dot(&b, &x)).abs() < 1e-12);
        let two = Cholesky::of(vec![4.0, 0.0, 1.0, 3.0], 2);
        assert!((two.log_determinant() - 11.0_f64.ln()).abs() < 1e-12);
    }
}
