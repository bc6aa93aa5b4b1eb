//! The forecast of a period from what was known before it.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::beside::{Beside, class_noise, count, older};
use super::calendar::Cadence;
use super::deviation::{Deviations, Kernels};
use super::input::Panel;
use super::peers::{Peers, Regions, peers, regions};
use super::process::Process;
use super::ramp::Ramp;
use super::usual::Usual;
use super::window::{Known, Window};

/// A rep's forecast stays above this share of its level in the market.
const SHARE_MIN: f64 = 0.02;
/// What peers may add or take.
const PEERS_RANGE: (f64, f64) = (0.7, 1.4);
/// Share of the ratchet's limit that is used: what a rep sells moves its noise a little too.
const RATCHET_MARGIN: f64 = 0.9;
/// From this many periods of history on, the ratchet is held to its limit; below one not at all.
const PERIODS_MATURE: f64 = 3.0;

/// What a rep's forecast rests on most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeansOn {
    /// A year or more of its own history.
    OwnYears,
    /// Its own history, and the seasons of the others.
    OwnHistory,
    /// Less than a quarter of its own: its level is in good part the region's.
    Region,
    /// No history: a usual new rep of the region.
    RegionAlone,
    /// No history, and nobody else in its region: a usual new rep of the company.
    CompanyAlone,
    /// Its own history before it fell silent, though it is on duty.
    BeforeSilence,
}

/// Mean and spread of a rep's sum over the period, before calibration.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) rep: usize,
    pub(crate) region: usize,
    /// Expected amounts of the buckets of the period, `(n_future)`.
    pub(crate) profile: Vec<f64>,
    pub(crate) expected: f64,
    /// Standard deviation over the mean.
    pub(crate) spread: f64,
    /// Parts of its square: what all of the region share, what is the rep's own and lasts, and what each bucket adds anew.
    pub(crate) shared: f64,
    pub(crate) own: f64,
    pub(crate) noise: f64,
    /// The same where the rep's own latest sales count no more than the ratchet allows.
    pub(crate) held: f64,
    pub(crate) held_spread: f64,
    /// What its peers' latest sales add to it, as a factor: already in `held` where all reps were forecast.
    pub(crate) peers: f64,
    /// What the factors' changes multiply all amounts by: in them already.
    pub(crate) factors: f64,
    pub(crate) tenure: Option<f64>,
    pub(crate) leans_on: LeansOn,
    /// Its place among the reps of the window.
    pub(crate) place: usize,
}

impl Raw {
    /// Multiplies all amounts.
    pub(crate) fn scale(&mut self, factor: f64) {
        self.factors *= factor;
        self.expected *= factor;
        self.held *= factor;
        self.profile.iter_mut().for_each(|amount| *amount *= factor);
    }
}

/// A forecast of all reps, and the kernels it used.
#[derive(Debug)]
pub(crate) struct RawForecast {
    pub(crate) window: Window,
    pub(crate) reps: Vec<Raw>,
    pub(crate) kernels: Kernels,
    /// The season of the period against that of the year, where kernels were fitted; else 1.
    pub(crate) season: f64,
}

/// What is asked for: a period, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) cadence: Cadence,
    pub(crate) start: i32,
    pub(crate) end: i32,
    pub(crate) ratchet: f64,
    /// Kernels to use; fitted where there are none.
    pub(crate) kernels: Option<&'a Kernels>,
    /// The rep wanted; all where there is none.
    pub(crate) only: Option<usize>,
    /// Months of history that are read.
    pub(crate) months: usize,
}

/// Forecasts a period; none where nothing is known before it.
pub(crate) fn raw(panel: &Panel, ask: &Ask<'_>) -> Option<RawForecast> {
    let Ask { cadence, ratchet, kernels, .. } = *ask;
    let window = Window::of(panel, cadence, ask.start, ask.end, ask.months)?;
    let ramp = Ramp::of(&window);
    let amounts: Vec<Vec<f64>> = window.reps.par_iter().map(|rep| ramp.mature(&window, rep)).collect();
    let beside = Beside::of(&window, &amounts, window.future.len(), kernels.map(|k| &k.market));
    let deviations = Deviations::of(&window, &beside, kernels);
    let kernels = Kernels { market: beside.market.hyper, region: deviations.region, rep: deviations.rep };
    let usual = Usual::of(&window, &beside);
    let wanted: Vec<usize> = (0..window.reps.len())
        .filter(|&rep| !window.reps[rep].left && ask.only.is_none_or(|only| window.reps[rep].rep == only))
        .collect();
    let maker = Maker::of(&window, (&beside, &deviations), (usual, &ramp), ratchet, &wanted);
    let mut reps: Vec<Raw> = wanted.par_iter().map(|&rep| maker.rep(rep)).collect();
    if ask.only.is_none() {
        follow_peers(&mut reps, window.n_regions);
    }
    let season = beside.market.season;
    Some(RawForecast { window, reps, kernels, season })
}

/// Holding every rep's own latest sales back would hold back what the region shows as a whole. So each follows what the
/// others of its region would lose by that: their quotas add up to what is expected of them.
fn follow_peers(reps: &mut [Raw], n_regions: usize) {
    let mut sums = vec![(0.0, 0.0); n_regions];
    for raw in reps.iter() {
        let sum = &mut sums[raw.region];
        *sum = (sum.0 + raw.expected, sum.1 + raw.held);
    }
    for raw in reps {
        let (expected, held) = sums[raw.region];
        let (expected, held) = (expected - raw.expected, held - raw.held);
        if held > 1e-9 * sums[raw.region].1 && expected > 0.0 {
            raw.peers = (expected / held).clamp(PEERS_RANGE.0, PEERS_RANGE.1);
            raw.held *= raw.peers;
        }
    }
}

struct Maker<'a> {
    window: &'a Window,
    beside: &'a Beside,
    deviations: &'a Deviations,
    regions: Regions,
    usual: Usual,
    ramp: &'a Ramp,
    recent: usize,
    ratchet: f64,
    /// What peers show, by group, and the group of each rep; 0 for one that isn't wanted.
    peers: Vec<Peers>,
    peers_of: Vec<usize>,
    /// By the buckets known and the class of noise: solved once for all reps that share them.
    processes: BTreeMap<(&'a [usize], i32), Process>,
}

impl<'a> Maker<'a> {
    fn of(
        window: &'a Window,
        (beside, deviations): (&'a Beside, &'a Deviations),
        (usual, ramp): (Usual, &'a Ramp),
        ratchet: f64,
        wanted: &[usize],
    ) -> Self {
        let regions = regions(window.n_regions, deviations);
        let recent = window.future.len();
        let keys: BTreeSet<(&[usize], i32)> = (wanted.iter())
            .flat_map(|&rep| {
                let (buckets, class) = (&window.reps[rep].buckets, beside.noise_class[rep]);
                [(buckets.as_slice(), class), (&buckets[..older(buckets, window.n, recent)], class)]
            })
            .collect();
        let keys: Vec<_> = keys.into_iter().collect();
        let solve = |&(buckets, class): &(&'a [usize], i32)| {
            ((buckets, class), deviations.rep_process(buckets, class))
        };
        let processes = keys.par_iter().map(solve).collect();
        let (peers, peers_of) = peers(window, (beside, deviations), &regions, wanted);
        Self { window, beside, deviations, regions, usual, ramp, recent, ratchet, peers, peers_of, processes }
    }

    fn rep(&self, rep: usize) -> Raw {
        let (window, beside) = (self.window, self.beside);
        let known = &window.reps[rep];
        let peers = &self.peers[self.peers_of[rep]];
        let class = beside.noise_class[rep];
        let variance_noise = class_noise(class) * self.deviations.rep.noise.powi(2);
        let (level, level_variance) = self.level(rep, variance_noise);
        let others = beside.others(rep);
        let share = window.future_of(known, None);
        let base: Vec<f64> = (0..share.len())
            .map(|h| level * others.future[h] * share[h] * self.ramp.ahead(window, known, h))
            .collect();
        let weights = normalised(&base);

        let seen: Vec<f64> =
            known.buckets.iter().map(|&k| beside.deviation[rep][k] - peers.past[k]).collect();
        let older = &known.buckets[..older(&known.buckets, window.n, self.recent)];
        // Of every rep wanted there are both.
        let (full, held_process) =
            (&self.processes[&(known.buckets.as_slice(), class)], &self.processes[&(older, class)]);
        let shares = |own: Vec<f64>| -> Vec<f64> {
            own.iter().zip(&peers.future).map(|(own, region)| (1.0 + own + region).max(SHARE_MIN)).collect()
        };
        let full_shares = shares(full.predict(&seen));
        let profile: Vec<f64> = base.iter().zip(&full_shares).map(|(base, share)| base * share).collect();
        let expected: f64 = profile.iter().sum();

        let held_shares = shares(held_process.predict(&seen[..older.len()]));
        let without: f64 = base.iter().zip(&held_shares).map(|(base, share)| base * share).sum();
        // What the sum gains for every percent that the rep's latest buckets gain.
        let mut lift = seen.clone();
        lift[..older.len()].fill(0.0);
        for (lift, &k) in lift.iter_mut().zip(&known.buckets).skip(older.len()) {
            *lift = 1.0 + beside.deviation[rep][k];
        }
        let gain: f64 = full.predict(&lift).iter().zip(&base).map(|(gain, base)| gain * base).sum();
        let elasticity = if expected > 0.0 { (gain / expected).max(0.0) } else { 0.0 };
        let allowed = self.allowed(known.buckets.len());
        let kept = if elasticity > allowed { allowed / elasticity } else { 1.0 };

        let noise: f64 = weights.iter().map(|w| w * w).sum::<f64>() * variance_noise;
        let in_common = beside.market.variance(&weights)
            + self.regions[known.region]
                .as_ref()
                .map_or(self.deviations_prior(), |(process, _)| process.variance_of_last(&weights));
        let (own_full, own_held) = (full.variance_of_last(&weights), held_process.variance_of_last(&weights));
        let own = own_full + level_variance;
        let variance = in_common + own + noise;
        let held_variance = variance + (1.0 - kept).powi(2) * (own_held - own_full).max(0.0);
        Raw {
            rep: known.rep,
            region: known.region,
            expected,
            profile,
            spread: variance.sqrt(),
            shared: in_common,
            own,
            noise,
            held: without + kept * (expected - without),
            held_spread: held_variance.sqrt(),
            peers: 1.0,
            factors: 1.0,
            tenure: known.tenure(window.n).map(count),
            leans_on: self.leans_on(known),
            place: rep,
        }
    }

    fn deviations_prior(&self) -> f64 {
        let h = &self.deviations.region;
        h.wander * h.wander + h.season * h.season
    }

    /// A rep's level leaning on what is usual in its region, and the variance that is left of it.
    fn level(&self, rep: usize, noise: f64) -> (f64, f64) {
        let known = &self.window.reps[rep];
        let usual = self.usual.region[known.region];
        let spread = self.usual.spread * self.usual.spread;
        let n = count(known.buckets.len());
        if n == 0.0 || self.beside.level[rep] <= 0.0 && n < 4.0 {
            return (usual, spread);
        }
        let own = noise / n;
        let credibility = spread / (spread + own);
        (credibility * self.beside.level[rep] + (1.0 - credibility) * usual, credibility * own)
    }

    /// The share of its latest sales that a rep's quota may follow, by the buckets of its history.
    fn allowed(&self, buckets: usize) -> f64 {
        let periods = count(buckets) / count(self.recent.max(1));
        let mature = ((periods - 1.0) / (PERIODS_MATURE - 1.0)).clamp(0.0, 1.0);
        1.0 + mature * (RATCHET_MARGIN * self.ratchet - 1.0)
    }

    fn leans_on(&self, known: &Known) -> LeansOn {
        let per_year = self.window.grid.cadence.buckets_per_year();
        match known.buckets.len() {
            0 if self.window.reps.iter().any(|r| r.region == known.region && !r.buckets.is_empty()) => {
                LeansOn::RegionAlone
            }
            0 => LeansOn::CompanyAlone,
            _ if known.away => LeansOn::BeforeSilence,
            n if n >= per_year => LeansOn::OwnYears,
            n if 4 * n >= per_year => LeansOn::OwnHistory,
            _ => LeansOn::Region,
        }
    }
}

fn normalised(weights: &[f64]) -> Vec<f64> {
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 { weights.iter().map(|w| w / sum).collect() } else { vec![0.0; weights.len()] }
}
