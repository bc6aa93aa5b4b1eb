//! What the reps of a region show together, and each rep's peers without it.

use super::beside::{Beside, ratio};
use super::window::Window;

/// Sums over the reps of a region, from which each rep's peers follow.
#[derive(Debug)]
pub(crate) struct Pool {
    /// Weight, weighted deviation and weight squared by bucket.
    pub(crate) sums: Vec<(f64, f64, f64)>,
    pub(crate) reps: usize,
}

/// Weight of a rep in what its peers say.
pub(crate) fn weight(noise: f64) -> f64 {
    1.0 / (0.01 + noise * noise)
}

/// The pools of all regions.
pub(crate) fn pools(window: &Window, beside: &Beside) -> Vec<Pool> {
    let empty = || Pool { sums: vec![(0.0, 0.0, 0.0); window.n], reps: 0 };
    let mut pools: Vec<Pool> = (0..window.n_regions).map(|_| empty()).collect();
    for (index, rep) in window.reps.iter().enumerate().filter(|(index, _)| beside.level[*index] > 0.0) {
        let weight = weight(beside.noise[index]);
        let pool = &mut pools[rep.region];
        pool.reps += 1;
        for &k in &rep.buckets {
            pool.sums[k].0 += weight;
            pool.sums[k].1 += weight * beside.deviation[index][k];
            pool.sums[k].2 += weight * weight;
        }
    }
    pools
}

impl Pool {
    /// The mean of a bucket without some of its weight and weighted deviation; none where nobody is left.
    pub(crate) fn mean(&self, k: usize, (weight, weighted): (f64, f64)) -> Option<f64> {
        let (weights, sum, _) = self.sums[k];
        let rest = weights - weight;
        (rest > 1e-9 * weights && weights > 0.0).then(|| (sum - weighted) / rest)
    }

    /// How many reps of equal weight say as much.
    pub(crate) fn effective(&self) -> f64 {
        let (sum, squares) = self.sums.iter().fold((0.0, 0.0), |(s, q), (w, _, w2)| (s + w * w, q + w2));
        ratio(sum, squares).max(1.0)
    }
}
