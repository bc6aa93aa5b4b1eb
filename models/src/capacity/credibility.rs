//! Shrunken rates per day of exposure: rep toward region, region toward company.
//!
//! With exposure `e` and rate `x = amount / e` of a month: `x ~ (θ_rep, σ²/e)`, `θ_rep ~ (θ_region, τ²)`,
//! `θ_region ~ (θ, b)`. Variances by moments: σ² and τ² of Bühlmann & Straub (1970), the hierarchy of Jewell (1975),
//! `b` as `DerSimonian` and Laird (1986). A negative estimate counts as 0; older months count less.

use ndarray::ArrayView2;

/// Rates and what is known of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rates {
    /// Shrunken rate, at least 0, `(n_reps)`.
    pub(super) rate: Vec<f64>,
    /// Variance left of the true rate, `(n_reps)`.
    pub(super) variance: Vec<f64>,
    /// σ² over the square of the mean rate: the relative variance of one day; `None` where it can't be estimated.
    pub(super) daily_variance: Option<f64>,
}

/// How much a month counts, and what stands for σ² while no rep has two months.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    pub(super) half_life_months: f64,
    pub(super) daily_cv: f64,
}

/// One rep's history: mean rate, the exposure it is worth, and the squares around it.
#[derive(Debug, Clone, Copy, Default)]
struct Record {
    rate: f64,
    exposure: f64,
    squares: f64,
    freedom: f64,
}

/// Estimates rates from `amount` and `exposure`, both `(n_reps, n_months)`; `region` is below `n_regions`.
pub(super) fn rates(
    amount: ArrayView2<'_, f64>,
    exposure: ArrayView2<'_, f64>,
    region: &[usize],
    n_regions: usize,
    prior: Prior,
) -> Rates {
    let decay: Vec<f64> =
        (0..amount.ncols()).rev().map(|age| 0.5_f64.powf(real(age) / prior.half_life_months)).collect();
    let records: Vec<Record> = (amount.rows().into_iter().zip(exposure.rows()))
        .map(|(a, e)| Record::of(a.iter().copied().zip(e.iter().copied()), &decay))
        .collect();
    let total: f64 = records.iter().map(|r| r.exposure).sum();
    let mean = ratio(records.iter().map(|r| r.exposure * r.rate).sum(), total);
    let freedom: f64 = records.iter().map(|r| r.freedom).sum();
    let seen = (freedom > 0.0).then(|| records.iter().map(|r| r.squares).sum::<f64>() / freedom);
    let noise = seen.unwrap_or((prior.daily_cv * mean).powi(2));

    let regions = pool(&records, region, n_regions, noise);
    let (rate, variance) = (records.iter().zip(region))
        .map(|(r, &g)| {
            let (level, level_variance) = regions.level[g];
            let own = regions.between_reps * r.exposure;
            let credibility = ratio(own, own + noise);
            let rate = credibility * r.rate + (1.0 - credibility) * level;
            let rest = 1.0 - credibility;
            (rate.max(0.0), rest * regions.between_reps + rest * rest * level_variance)
        })
        .unzip();
    let daily_variance = seen.filter(|_| mean > 0.0).map(|noise| noise / (mean * mean));
    Rates { rate, variance, daily_variance }
}

impl Record {
    fn of(months: impl Iterator<Item = (f64, f64)> + Clone, decay: &[f64]) -> Self {
        let (mut amount, mut weight, mut weight2, mut n) = (0.0, 0.0, 0.0, 0.0);
        for ((a, e), d) in months.clone().zip(decay).filter(|((_, e), _)| *e > 0.0) {
            amount += d * a;
            weight += d * e;
            weight2 += d * d * e;
            n += 1.0;
        }
        if weight <= 0.0 {
            return Self::default();
        }
        let rate = amount / weight;
        let squares = months.filter(|(_, e)| *e > 0.0).map(|(a, e)| e * (a / e - rate).powi(2)).sum();
        Self { rate, exposure: weight * weight / weight2, squares, freedom: f64::max(n - 1.0, 0.0) }
    }
}

/// Levels of the regions and the variance between reps of one region.
struct Regions {
    /// Shrunken rate of a region and the variance left of it.
    level: Vec<(f64, f64)>,
    between_reps: f64,
}

fn pool(records: &[Record], region: &[usize], n_regions: usize, noise: f64) -> Regions {
    let known = || records.iter().zip(region).filter(|(r, _)| r.exposure > 0.0);
    let by_exposure = weighted_means(known().map(|(r, &g)| (g, r.rate, r.exposure)), n_regions);
    let (mut spread, mut freedom, mut exposure2) = (0.0, 0.0, vec![0.0; n_regions]);
    for (r, &g) in known() {
        spread += r.exposure * (r.rate - by_exposure[g].0).powi(2);
        freedom += 1.0;
        exposure2[g] += r.exposure * r.exposure;
    }
    let (mut staffed, mut scale) = (0.0, 0.0);
    for (&(_, exposure), squares) in by_exposure.iter().zip(&exposure2).filter(|(m, _)| m.1 > 0.0) {
        staffed += 1.0;
        scale += exposure - squares / exposure;
    }
    let between_reps = ratio(spread - (freedom - staffed) * noise, scale).max(0.0);

    // The precision of a rep's mean as an estimate of its region; exposures alone, where nothing varies.
    let precision = |r: &Record| {
        let variance = between_reps + noise / r.exposure;
        if variance > 0.0 { 1.0 / variance } else { r.exposure }
    };
    let means = weighted_means(known().map(|(r, &g)| (g, r.rate, precision(r))), n_regions);
    let varies = between_reps > 0.0 || noise > 0.0;
    let between_regions = if varies { between(&means) } else { 0.0 };
    let one = |(mean, weight): (f64, f64)| (0, mean, 1.0 / (between_regions + 1.0 / weight));
    let company = weighted_means(means.iter().copied().filter(|m| m.1 > 0.0).map(one), 1)[0].0;
    let level = (means.iter())
        .map(|&(mean, weight)| {
            let credibility = ratio(between_regions * weight, between_regions * weight + 1.0);
            let level = credibility * mean + (1.0 - credibility) * company;
            (level, (1.0 - credibility) * between_regions)
        })
        .collect();
    Regions { level, between_reps }
}

/// The variance between groups, from their means and precisions.
fn between(means: &[(f64, f64)]) -> f64 {
    let grand = weighted_means(means.iter().map(|&(mean, weight)| (0, mean, weight)), 1)[0].0;
    let (mut spread, mut groups, mut weights, mut weights2) = (0.0, 0.0, 0.0, 0.0);
    for &(mean, weight) in means.iter().filter(|m| m.1 > 0.0) {
        spread += weight * (mean - grand).powi(2);
        groups += 1.0;
        weights += weight;
        weights2 += weight * weight;
    }
    ratio(spread - (groups - 1.0), weights - ratio(weights2, weights)).max(0.0)
}

/// Weighted mean and total weight of each group.
fn weighted_means(items: impl Iterator<Item = (usize, f64, f64)>, n_groups: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![(0.0, 0.0); n_groups];
    for (group, value, weight) in items {
        sums[group].0 += weight * value;
        sums[group].1 += weight;
    }
    sums.into_iter().map(|(sum, weight)| (ratio(sum, weight), weight)).collect()
}

/// A quotient that is 0 where it has no denominator.
pub(super) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator > 0.0 { numerator / denominator } else { 0.0 }
}

/// A small count as a real.
#[expect(clippy::cast_precision_loss, reason = "months are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const NO_DECAY: Prior = Prior { half_life_months: 1e18, daily_cv: 1.0 };

    /// Two contracts, three years, unit exposures: by hand, σ² = 1, τ² = 8 − 1/3, Z = 3τ² / (3τ² + 1) = 23/24.
    #[test]
    fn agrees_with_the_formulas_by_hand() {
        let amount = array![[1.0, 2.0, 3.0], [5.0, 6.0, 7.0]];
        let exposure = array![[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]];
        let found = rates(amount.view(), exposure.view(), &[0, 0], 1, NO_DECAY);
        let z = 23.0 / 24.0;
        for (rate, own) in found.rate.iter().zip([2.0, 6.0]) {
            assert!((rate - (z * own + (1.0 - z) * 4.0)).abs() < 1e-12, "{found:?}");
        }
        assert!((found.variance[0] - (8.0 - 1.0 / 3.0) / 24.0).abs() < 1e-12);
        assert!((found.daily_variance.unwrap() - 1.0 / 16.0).abs() < 1e-12);
    }

    #[test]
    fn a_rep_without_history_gets_the_region_and_a_region_without_reps_the_company() {
        let amount = array![[10.0, 10.0], [10.0, 10.0], [30.0, 30.0], [30.0, 30.0], [0.0, 0.0], [0.0, 0.0]];
        let exposure = array![[1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]];
        let mut noisy = amount.clone();
        noisy[[0, 0]] += 0.5;
        noisy[[1, 1]] -= 0.5;
        let found = rates(noisy.view(), exposure.view(), &[0, 0, 1, 1, 1, 2], 3, NO_DECAY);
        assert!((found.rate[4] - 30.0).abs() < 0.1 && (found.rate[5] - 20.0).abs() < 0.1, "{found:?}");
        assert!(found.variance[5] > found.variance[4]);
    }

    #[test]
    fn nothing_to_estimate_gives_no_nan() {
        let none = ndarray::Array2::<f64>::zeros((3, 0));
        let found = rates(none.view(), none.view(), &[0, 0, 1], 2, NO_DECAY);
        assert_eq!(found.rate, [0.0; 3]);
        let zero = ndarray::Array2::<f64>::zeros((3, 4));
        let one = ndarray::Array2::<f64>::ones((3, 4));
        let found = rates(zero.view(), one.view(), &[0, 0, 1], 2, NO_DECAY);
        assert_eq!((found.rate, found.variance), (vec![0.0; 3], vec![0.0; 3]));
        let found = rates(one.view(), one.view(), &[0, 0, 1], 2, NO_DECAY);
        assert!(found.rate.iter().all(|r| (r - 1.0).abs() < 1e-12));
    }
}
