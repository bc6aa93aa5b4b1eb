//! What sets a rep apart from the market: its region's deviation, learnt from its peers there, and its own.

use std::collections::BTreeMap;

use super::beside::{Beside, class_noise, count};
use super::kernel::{Hyper, Moment, Parts};
use super::pool::{Pool, pools, weight};
use super::process::{Family, Process, Seen, fit};
use super::window::Window;

/// What a rep's deviation from its region is expected to do.
const PRIOR_REP: Hyper =
    Hyper { level: 0.3, slope: 0.04, wander: 0.08, bump: 0.03, season: 0.04, slot: 0.02, noise: 1.0 };
/// What a region's deviation from the company is expected to do.
const PRIOR_REGION: Hyper =
    Hyper { level: 0.0, slope: 0.02, wander: 0.03, bump: 0.01, season: 0.02, slot: 0.01, noise: 1.0 };
/// Series and families that a kernel is fitted on at most.
const SERIES_MAX: usize = 48;
const FAMILIES_MAX: usize = 16;
/// Regions that their kernel is fitted on at most; in a company of more, regions are taken together where as many reps say
/// as much, to this factor.
const REGIONS_MAX: usize = 48;
const EFFECTIVE_STEP: f64 = 1.3;

/// Kernels of a forecast, to be used again at other origins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Kernels {
    pub(crate) market: Hyper,
    pub(crate) region: Hyper,
    pub(crate) rep: Hyper,
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

    /// Of what a region's process is made: the buckets known of it, and how many reps of equal weight its others say as
    /// much as. In a company of many regions these are told apart in steps, so that regions share their processes. None for
    /// a region of one.
    pub(crate) fn region(&self, region: usize) -> Option<(Vec<usize>, f64)> {
        let pool = self.pools.get(region).filter(|pool| pool.reps >= 2)?;
        let known = (0..self.n).filter(|&k| pool.sums[k].0 > 0.0).collect();
        let effective = pool.effective() * (1.0 - 1.0 / count(pool.reps));
        let step =
            if self.pools.len() > REGIONS_MAX { (effective.ln() / EFFECTIVE_STEP.ln()).round() } else { 0.0 };
        Some((known, if step > 0.0 { EFFECTIVE_STEP.powf(step) } else { effective }))
    }

    /// What a region does as its other reps show it: the expectation of every bucket, past ones first.
    pub(crate) fn region_process(&self, known: &[usize], effective: f64) -> Process {
        let parts = self.parts.pick(known, known);
        let other = own_signal(&parts, &self.rep, effective);
        let seen =
            Seen { parts: &parts, noise: 0.01 / effective.max(1e-9), inflation: None, other: Some(&other) };
        let all: Vec<usize> = (0..self.parts.shape().0).collect();
        Process::of(&seen, &self.parts.pick(&all, known), &self.parts, &self.region)
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
