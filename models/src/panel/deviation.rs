//! What sets a rep apart from the market: its region's deviation, learnt from its peers there, and its own.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::kernel::{Hyper, Moment, Parts};
use super::market::{Levels, Market, Others, level_of, mean};
use super::pool::{Pool, pools, weight};
use super::process::{Family, Process, Seen, fit};
use super::window::Window;

/// What a rep's deviation from its region is expected to do.
const PRIOR_REP: Hyper =
    Hyper { level: 0.3, slope: 0.04, wander: 0.08, bump: 0.03, season: 0.04, slot: 0.02, noise: 1.0 };
/// What a region's deviation from the company is expected to do.
const PRIOR_REGION: Hyper =
    Hyper { level: 0.0, slope: 0.02, wander: 0.03, bump: 0.01, season: 0.02, slot: 0.01, noise: 1.0 };
/// Least noise of a bucket, and the noise of a rep of whom nothing is known, as shares.
const NOISE_MIN: f64 = 0.003;
const NOISE_UNKNOWN: f64 = 0.3;
/// Reps are taken together where their noise agrees to this factor.
const NOISE_STEP: f64 = 1.15;
/// Differences that the pooled noise counts for, beside a rep's own.
const NOISE_PRIOR: f64 = 6.0;
/// Series and families that a kernel is fitted on at most.
const SERIES_MAX: usize = 48;
const FAMILIES_MAX: usize = 16;
/// In a company of more reps than this, reps are left out of the market in so many groups: one rep is too little of it for
/// a market of its own to be worth its cost.
const ALONE_MAX: usize = 256;
const GROUPS: usize = 64;
/// Regions that their kernel is fitted on at most.
const REGIONS_MAX: usize = 48;
/// Deviations further out than this many times the noise are pulled in to it, where noise is regular.
const OUTLIER: f64 = 5.0;

/// Kernels of a forecast, to be used again at other origins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernels {
    pub(crate) market: Hyper,
    pub(crate) region: Hyper,
    pub(crate) rep: Hyper,
}

/// All reps beside the market, before any forecast.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) market: Market,
    /// The market by group of reps, and each rep's group: its own sales, and those of its group, are not in it.
    others: Vec<Others>,
    group: Vec<usize>,
    /// Level of each rep against the others, from its older buckets where there are enough.
    pub(crate) level: Vec<f64>,
    /// `amount ÷ (level · others) − 1` by bucket, `(n)`, 0 where unknown.
    pub(crate) deviation: Vec<Vec<f64>>,
    /// Noise of a bucket as a share, by rep, and its number on the scale of [`NOISE_STEP`].
    pub(crate) noise: Vec<f64>,
    pub(crate) noise_class: Vec<i32>,
}

impl Beside {
    /// `recent` buckets at the end are kept out of each rep's own level.
    pub(crate) fn of(window: &Window, amounts: &[Vec<f64>], recent: usize, hyper: Option<&Hyper>) -> Self {
        let levels = Levels::of(window, amounts);
        let first =
            noises(window, |rep, k| ratio(amounts[rep][k], levels.level[rep] * levels.at(k)), &levels.level);
        let market = Market::of(window, &levels, &first, hyper);
        let mut beside = Self {
            market,
            others: Vec::new(),
            group: groups(window.reps.len(), ALONE_MAX, GROUPS),
            level: Vec::new(),
            deviation: Vec::new(),
            noise: first,
            noise_class: Vec::new(),
        };
        let mut members: Vec<Vec<usize>> =
            vec![Vec::new(); beside.group.iter().max().map_or(0, |max| max + 1)];
        for (rep, &group) in beside.group.iter().enumerate() {
            members[group].push(rep);
        }
        beside.others = (members.par_iter())
            .map(|members| {
                let own = |&rep: &usize| (&window.reps[rep], amounts[rep].as_slice(), levels.level[rep]);
                beside.market.without(&levels.without(members.iter().map(own)))
            })
            .collect();
        for (number, (rep, amount)) in window.reps.iter().zip(amounts).enumerate() {
            let others = beside.others(number);
            let older: Vec<usize> = rep.buckets.iter().copied().filter(|&k| k + recent < window.n).collect();
            let used = if older.len() >= 2 * recent.max(1) { &older } else { &rep.buckets };
            let level = level_of(used, amount, |k| others.past[k]);
            let mut deviation = vec![0.0; window.n];
            for &k in rep.buckets.iter().filter(|_| level > 0.0) {
                deviation[k] = amount[k] / (level * others.past[k]) - 1.0;
            }
            beside.level.push(level);
            beside.deviation.push(deviation);
        }
        beside.noise = noises(window, |rep, k| beside.deviation[rep][k], &beside.level);
        beside.noise_class = beside.noise.iter().map(|noise| class(*noise)).collect();
        for (deviation, noise) in beside.deviation.iter_mut().zip(&beside.noise) {
            // Only where amounts come regularly: what is nearly always 0 is all outliers.
            if *noise < 0.25 {
                let middle = median(deviation.iter().copied().filter(|d| *d != 0.0).collect());
                let limit = (OUTLIER * noise).max(0.4);
                deviation
                    .iter_mut()
                    .filter(|d| **d != 0.0)
                    .for_each(|d| *d = d.clamp(middle - limit, middle + limit));
            }
        }
        beside
    }

    /// The market as a rep meets it.
    pub(crate) fn others(&self, rep: usize) -> &Others {
        &self.others[self.group[rep]]
    }
}

/// Groups of reps that are left out of a market together: each alone up to so many reps, else so many groups by turns.
pub(crate) fn groups(reps: usize, alone_max: usize, groups: usize) -> Vec<usize> {
    (0..reps).map(|rep| if reps <= alone_max { rep } else { rep % groups }).collect()
}

fn class(noise: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a noise has a logarithm of a few units")]
    let class = (noise.ln() / NOISE_STEP.ln()).round() as i32;
    class
}

/// Variance of the noise of a class.
pub(crate) fn class_noise(class: i32) -> f64 {
    NOISE_STEP.powi(2 * class)
}

/// Noise of each rep, from the differences of successive buckets, leaning on what is usual.
fn noises(window: &Window, value: impl Fn(usize, usize) -> f64, level: &[f64]) -> Vec<f64> {
    let own: Vec<(f64, f64)> = (window.reps.iter().enumerate())
        .map(|(rep, known)| {
            let pairs = known.buckets.windows(2).filter(|p| p[1] == p[0] + 1 && level[rep] > 0.0);
            let squares: Vec<f64> =
                pairs.map(|p| 0.5 * (value(rep, p[1]) - value(rep, p[0])).powi(2)).collect();
            // Robust where most differences are alike: half way between the mean square and the median's.
            let (plain, middle) = (mean(&squares), median(squares.clone()) / 0.455);
            #[expect(clippy::cast_precision_loss, reason = "counts")]
            let n = squares.len() as f64;
            (if middle > 0.3 * plain { 0.5 * (plain + middle) } else { plain }, n)
        })
        .collect();
    let usual = median(own.iter().filter(|o| o.1 >= 4.0).map(|o| o.0).collect());
    let usual = if usual > 0.0 { usual } else { NOISE_UNKNOWN * NOISE_UNKNOWN };
    own.iter()
        .map(|(v, n)| ((v * n + usual * NOISE_PRIOR) / (n + NOISE_PRIOR)).sqrt().max(NOISE_MIN))
        .collect()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => 0.5 * (values[middle - 1] + values[middle]),
    }
}

pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

/// Deviations of regions and reps, their kernels fitted.
#[derive(Debug)]
pub(crate) struct Deviations {
    pools: Vec<Pool>,
    parts: Parts,
    n: usize,
    pub(crate) region: Hyper,
    pub(crate) rep: Hyper,
}

impl Deviations {
    pub(crate) fn of(window: &Window, beside: &Beside, kernels: Option<&Kernels>) -> Self {
        let moments: Vec<Moment> =
            (0..window.n + window.future.len()).map(|k| Moment::of(window.grid, window.number(k))).collect();
        let parts = Parts::of(&moments, &moments);
        let pools = pools(window, beside);
        let mut found = Self { pools, parts, n: window.n, region: PRIOR_REGION, rep: PRIOR_REP };
        if let Some(kernels) = kernels {
            (found.region, found.rep) = (kernels.region, kernels.rep);
        } else {
            found.rep = found.fit_rep(window, beside);
            found.region = found.fit_region();
        }
        found
    }

    /// The reps' kernel, from their contrasts with the mean of their region.
    fn fit_rep(&self, window: &Window, beside: &Beside) -> Hyper {
        let mut families: BTreeMap<(&[usize], i32), Vec<usize>> = BTreeMap::new();
        for (index, rep) in
            window.reps.iter().enumerate().filter(|(_, rep)| rep.buckets.len() >= 8 && !rep.left)
        {
            families.entry((&rep.buckets, beside.noise_class[index])).or_default().push(index);
        }
        let mut order: Vec<_> = families.into_iter().collect();
        order.sort_by_key(|((buckets, _), members)| std::cmp::Reverse((members.len(), buckets.len())));
        order.truncate(FAMILIES_MAX);
        let each = (SERIES_MAX / order.len().max(1)).max(1);
        let parts: Vec<Parts> =
            order.iter().map(|((buckets, _), _)| self.parts.pick(buckets, buckets)).collect();
        let families: Vec<Family<'_>> = (order.iter().zip(&parts))
            .map(|(((buckets, class), members), parts)| {
                let step = members.len().div_ceil(each).max(1);
                let series =
                    members.iter().step_by(step).map(|&rep| self.contrast(window, beside, rep, buckets));
                let seen = Seen { parts, noise: class_noise(*class), inflation: None, other: None };
                Family { seen, series: series.collect() }
            })
            .collect();
        fit(&PRIOR_REP, &families)
    }

    /// A rep's deviation from its peers', of the size it has on its own.
    fn contrast(&self, window: &Window, beside: &Beside, rep: usize, buckets: &[usize]) -> Vec<f64> {
        let pool = &self.pools[window.reps[rep].region];
        let own = weight(beside.noise[rep]);
        let contrast = |&k: &usize| {
            let (weights, sum, _) = pool.sums[k];
            let deviation = beside.deviation[rep][k];
            if weights - own <= 1e-9 {
                return deviation;
            }
            let share = own / weights;
            (deviation - sum / weights) / (1.0 - share).sqrt()
        };
        buckets.iter().map(contrast).collect()
    }

    /// The regions' kernel, from the means of their reps beside what those do by themselves.
    fn fit_region(&self) -> Hyper {
        let mut series = Vec::new();
        let shown: Vec<&Pool> = self.pools.iter().filter(|pool| pool.reps >= 2).collect();
        let step = shown.len().div_ceil(REGIONS_MAX).max(1);
        for pool in shown.into_iter().step_by(step) {
            let (buckets, values): (Vec<usize>, Vec<f64>) =
                (0..self.n).filter_map(|k| Some((k, pool.mean(k, (0.0, 0.0))?))).unzip();
            series.push((buckets, values, pool.effective()));
        }
        if series.len() < 2 {
            return PRIOR_REGION;
        }
        let prepared: Vec<(Parts, Vec<f64>)> = (series.iter())
            .map(|(buckets, _, effective)| {
                let parts = self.parts.pick(buckets, buckets);
                let other = own_signal(&parts, &self.rep, *effective);
                (parts, other)
            })
            .collect();
        let families: Vec<Family<'_>> = (series.iter().zip(&prepared))
            .map(|((_, values, effective), (parts, other))| {
                let seen = Seen { parts, noise: 0.01 / effective, inflation: None, other: Some(other) };
                Family { seen, series: vec![values.clone()] }
            })
            .collect();
        fit(&PRIOR_REGION, &families)
    }

    /// What a region does as its other reps show it: the expectation of every bucket, past ones first, and the process behind.
    pub(crate) fn region_process(&self, region: usize) -> Option<(Process, Vec<usize>)> {
        let pool = &self.pools[region];
        if pool.reps < 2 {
            return None;
        }
        let known: Vec<usize> = (0..self.n).filter(|&k| pool.sums[k].0 > 0.0).collect();
        let effective = pool.effective() * (1.0 - 1.0 / count(pool.reps));
        let parts = self.parts.pick(&known, &known);
        let other = own_signal(&parts, &self.rep, effective);
        let seen =
            Seen { parts: &parts, noise: 0.01 / effective.max(1e-9), inflation: None, other: Some(&other) };
        let all: Vec<usize> = (0..self.parts.shape().0).collect();
        Some((Process::of(&seen, &self.parts.pick(&all, &known), &self.parts, &self.region), known))
    }

    /// The mean deviation, in the buckets known of their region, of the peers of some of its reps; 0 where these were alone.
    pub(crate) fn peers(
        &self,
        window: &Window,
        beside: &Beside,
        reps: &[usize],
        known: &[usize],
    ) -> Vec<f64> {
        let Some(&first) = reps.first() else { return vec![0.0; known.len()] };
        let pool = &self.pools[window.reps[first].region];
        let mut own = vec![(0.0, 0.0); self.n];
        for &rep in reps.iter().filter(|&&rep| beside.level[rep] > 0.0) {
            let weight = weight(beside.noise[rep]);
            for &k in &window.reps[rep].buckets {
                own[k].0 += weight;
                own[k].1 += weight * beside.deviation[rep][k];
            }
        }
        known.iter().map(|&k| pool.mean(k, own[k]).unwrap_or(0.0)).collect()
    }

    /// The process of a rep's own deviation, from those buckets.
    pub(crate) fn rep_process(&self, buckets: &[usize], class: i32) -> Process {
        let future: Vec<usize> = (self.n..self.parts.shape().0).collect();
        let parts = self.parts.pick(buckets, buckets);
        let seen = Seen { parts: &parts, noise: class_noise(class), inflation: None, other: None };
        Process::of(&seen, &self.parts.pick(&future, buckets), &self.parts.pick(&future, &future), &self.rep)
    }
}

/// What the reps of a mean do by themselves adds to it.
fn own_signal(parts: &Parts, rep: &Hyper, effective: f64) -> Vec<f64> {
    let scale = 1.0 / effective.max(1.0);
    parts.signal(rep).iter().map(|covariance| covariance * scale).collect()
}

pub(crate) fn count(n: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let n = n as f64;
    n
}
