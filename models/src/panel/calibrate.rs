//! Calibration: how wide and how high earlier forecasts should have been, by making them again.
//!
//! The same forecast is made at earlier origins, each from what was known before it and for a period that is over by now.
//! A score is what came against what was forecast, in standard deviations of the forecast. The 80 % interval is set by the
//! quantile of the scores' sizes that would have covered 80 % (split conformal, Vovk et al. 2005), leaning on the
//! normal distribution while origins are few. The level of the quota's quantile and of the interval are then moved,
//! origin by origin and region by region, against what was missed (adaptive conformal inference, Gibbs & Candès 2021).

use rayon::prelude::*;

use super::beside::count;
use super::calendar::{Cadence, month_index, month_start};
use super::factors::{changes, coefficients};
use super::forecast::{Ask, Raw, raw};
use super::input::Panel;
use crate::normal::{normal_cdf, normal_quantile};

/// Earlier origins at most, and how many lie in a period.
const ORIGINS_MAX: i32 = 12;
const ORIGINS_PER_PERIOD: i32 = 3;
/// Buckets of history that an earlier origin needs: this many, and this many periods.
const BUCKETS_MIN: usize = 8;
const PERIODS_MIN: usize = 2;
/// Weight of an origin that hadn't seen a year, where this one has.
const YOUNG: f64 = 0.3;
/// Periods that the normal distribution counts for.
const PRIOR_PERIODS: f64 = 2.0;
/// Step of the adaptive levels.
const STEP: f64 = 0.04;
/// Scores beyond this are all alike.
const SCORE_MAX: f64 = 8.0;
/// Share that the interval covers.
const COVERAGE: f64 = 0.8;
/// Levels of quantiles that are told apart.
const LEVELS: u32 = 200;
/// Reps that earlier forecasts are made of at most: more would tell the scores' quantiles no better.
const REPS_MAX: usize = 2_048;

/// A log-normal distribution of that mean and spread (standard deviation over mean), at a number of standard deviations.
pub(crate) fn at(mean: f64, spread: f64, deviations: f64) -> f64 {
    let variance = (spread * spread).ln_1p();
    mean * (variance.sqrt() * deviations - 0.5 * variance).exp()
}

/// How many standard deviations from the middle of that distribution an amount lies.
fn score(mean: f64, spread: f64, amount: f64) -> Option<f64> {
    let variance = (spread * spread).ln_1p();
    if mean <= 0.0 || variance <= 0.0 {
        return None;
    }
    let score =
        if amount > 0.0 { ((amount / mean).ln() + 0.5 * variance) / variance.sqrt() } else { -SCORE_MAX };
    Some(score.clamp(-SCORE_MAX, SCORE_MAX))
}

/// One earlier forecast beside what came.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) region: usize,
    /// Scores of the forecast and of the one that holds the rep's latest sales back.
    pub(crate) full: f64,
    pub(crate) held: f64,
    pub(crate) weight: f64,
    /// Logarithm of what came over what was expected, within a few standard deviations.
    pub(crate) error: f64,
    /// Changes of the factors as known then.
    pub(crate) changes: Vec<f64>,
}

/// Scores in order, each with the weight of all up to it.
#[derive(Debug)]
struct Sorted(Vec<(f64, f64)>);

impl Sorted {
    fn of(mut values: Vec<(f64, f64)>) -> Self {
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut below = 0.0;
        for value in &mut values {
            below += value.1;
            value.1 = below;
        }
        Self(values)
    }

    /// The weighted quantile, as conformal prediction takes it: one more value, as far out as any.
    fn quantile(&self, level: f64) -> Option<f64> {
        let total = self.0.last()?.1;
        let place = self.0.partition_point(|value| value.1 < level * total);
        self.0.get(place).or(self.0.last()).map(|value| value.0)
    }
}

/// Where quotas and intervals lie, in standard deviations, by region.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// All levels of quantiles that are told apart, the quota's among them, rising.
    pub(crate) levels: Vec<f64>,
    /// `(n_regions)`.
    pub(crate) regions: Vec<Region>,
    /// Of a region that no earlier forecast was made for.
    pub(crate) elsewhere: Region,
    /// Periods' worth of earlier forecasts it rests on.
    pub(crate) periods: f64,
    /// Coefficients of the factors' changes, `(n_factors)`.
    pub(crate) coefficients: Vec<f64>,
}

/// Where quotas and intervals of a region lie, in standard deviations.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Region {
    /// Of either end of the interval from the middle.
    pub(crate) half: f64,
    /// Where the levels lie, rising, `(n_levels)`.
    pub(crate) nodes: Vec<f64>,
}

/// What earlier forecasts missed by.
struct Scores {
    /// Scores of forecasts that hold a rep's latest sales back, and sizes of those of the others.
    held: Sorted,
    sizes: Sorted,
    /// Weight of earlier forecasts against the normal distribution.
    trust: f64,
    /// The level of the quota's quantile, and all that are told apart.
    wanted: f64,
    levels: Vec<f64>,
}

impl Scores {
    fn blend(&self, empirical: Option<f64>, normal: f64) -> f64 {
        empirical.map_or(normal, |e| self.trust * e + (1.0 - self.trust) * normal)
    }

    fn held_at(&self, level: f64) -> f64 {
        self.blend(self.held.quantile(level), normal_quantile(level))
    }

    fn half_at(&self, level: f64) -> f64 {
        self.blend(self.sizes.quantile(level), normal_quantile(0.5 + 0.5 * level))
    }

    /// A region whose levels were moved to these, from those wanted.
    fn region(&self, below: f64, cover: f64) -> Region {
        let (wanted, shift) = (self.wanted, below - self.wanted);
        let node = |&p: &f64| {
            // The shift fades toward the ends, where there is nothing to be moved to.
            let room = if p < wanted { p / wanted } else { (1.0 - p) / (1.0 - wanted) };
            self.held_at(p + shift * room)
        };
        Region { half: self.half_at(cover), nodes: self.levels.iter().map(node).collect() }
    }
}

impl Calibration {
    /// For what is asked, with `n` buckets of history, where a quota shall be reached with the chance `attain`.
    pub(crate) fn of(panel: &Panel, ask: &Ask<'_>, n: usize, attain: f64) -> Self {
        let origins = origins(panel, ask, n);
        let periods =
            origins.iter().filter_map(|trials| trials.first()).map(|trial| trial.weight).sum::<f64>()
                / f64::from(ORIGINS_PER_PERIOD);
        let sorted = |value: fn(&Trial) -> f64| {
            Sorted::of(origins.iter().flatten().map(|trial| (value(trial), trial.weight)).collect())
        };
        let wanted = 1.0 - attain;
        let scores = Scores {
            held: sorted(|trial| trial.held),
            sizes: sorted(|trial| trial.full.abs()),
            trust: periods / (periods + PRIOR_PERIODS),
            wanted,
            levels: levels(wanted),
        };
        let region = |region: usize| {
            let (mut below, mut cover) = (wanted, COVERAGE);
            for trials in origins.iter().rev() {
                let own: Vec<&Trial> = trials.iter().filter(|trial| trial.region == region).collect();
                if own.is_empty() {
                    continue;
                }
                let share = |hit: &dyn Fn(&Trial) -> bool| {
                    count(own.iter().filter(|t| hit(t)).count()) / count(own.len())
                };
                let (quota, half) = (scores.held_at(below), scores.half_at(cover));
                let step = STEP * own[0].weight;
                below = (below + step * (wanted - share(&|t| t.held < quota))).clamp(0.05, 0.95);
                cover = (cover + step * (COVERAGE - share(&|t| t.full.abs() <= half))).clamp(0.5, 0.98);
            }
            scores.region(below, cover)
        };
        Self {
            regions: (0..panel.n_regions()).map(region).collect(),
            elsewhere: scores.region(wanted, COVERAGE),
            levels: scores.levels.clone(),
            periods,
            coefficients: coefficients(&origins, panel.n_factors),
        }
    }

    pub(crate) fn region(&self, region: usize) -> &Region {
        self.regions.get(region).unwrap_or(&self.elsewhere)
    }

    /// How many standard deviations from the middle an amount lies that stays out of reach with the chance `p`. Rises with
    /// `p`; minus infinity at 0, infinity at 1, the normal distribution's beyond the levels that are told apart.
    pub(crate) fn deviations(&self, region: usize, p: f64) -> f64 {
        let plain = normal_quantile(p);
        if !plain.is_finite() {
            return plain;
        }
        let nodes = &self.region(region).nodes;
        let after = self.levels.partition_point(|&level| level < p);
        let edge = |place: usize| nodes[place] + plain - normal_quantile(self.levels[place]);
        match after {
            0 => edge(0),
            n if n == nodes.len() => edge(n - 1),
            n => {
                let share = (p - self.levels[n - 1]) / (self.levels[n] - self.levels[n - 1]);
                if share >= 1.0 { nodes[n] } else { nodes[n - 1] + share * (nodes[n] - nodes[n - 1]) }
            }
        }
    }

    /// The chance with which an amount so many standard deviations from the middle stays out of reach.
    pub(crate) fn chance_below(&self, region: usize, deviations: f64) -> f64 {
        let nodes = &self.region(region).nodes;
        let after = nodes.partition_point(|&node| node < deviations);
        let edge = |place: usize| normal_cdf(deviations - nodes[place] + normal_quantile(self.levels[place]));
        match after {
            0 => edge(0),
            n if n == nodes.len() => edge(n - 1),
            n => {
                let share = (deviations - nodes[n - 1]) / (nodes[n] - nodes[n - 1]);
                self.levels[n - 1] + share * (self.levels[n] - self.levels[n - 1])
            }
        }
    }
}

/// Levels of quantiles that are told apart, `wanted` among them, rising.
fn levels(wanted: f64) -> Vec<f64> {
    let mut levels: Vec<f64> = (1..LEVELS).map(|level| f64::from(level) / f64::from(LEVELS)).collect();
    levels.push(wanted);
    levels.sort_unstable_by(f64::total_cmp);
    levels.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    levels
}

/// Forecasts at earlier origins, the latest first.
fn origins(panel: &Panel, ask: &Ask<'_>, n: usize) -> Vec<Vec<Trial>> {
    let step = panel.n_reps().div_ceil(REPS_MAX);
    let region = |rep: usize| {
        let last = panel.reps[rep].region.last().copied();
        panel.staff.get(rep).map(|staff| staff.region).or(last).unwrap_or(0) as usize
    };
    let some = (step > 1).then(|| panel.every(step, region));
    let panel = some.as_ref().unwrap_or(panel);
    let all: Vec<Option<Vec<Trial>>> =
        (0..ORIGINS_MAX).into_par_iter().map(|k| origin(panel, ask, n, k)).collect();
    // Where one lacks history, so do those before it.
    all.into_iter().map_while(|trials| trials).collect()
}

/// The forecast at one earlier origin, beside what came; none where there was too little before it.
fn origin(panel: &Panel, ask: &Ask<'_>, n: usize, k: i32) -> Option<Vec<Trial>> {
    let (from, to) = earlier(ask.cadence, ask.start, ask.end, k);
    let forecast = raw(panel, &Ask { start: from, end: to, ..*ask })?;
    let needed = BUCKETS_MIN.max(PERIODS_MIN * forecast.window.future.len());
    if forecast.window.n < needed {
        return None;
    }
    let per_year = ask.cadence.buckets_per_year();
    let weight = if n >= per_year && forecast.window.n < per_year { YOUNG } else { 1.0 };
    let trial = |raw: &Raw| {
        let came = panel.reps[raw.rep].sum(from, to);
        let full = score(raw.expected, raw.spread, came)?;
        let held = score(raw.held, raw.held_spread, came)?;
        let error = full.clamp(-3.0, 3.0) * raw.spread;
        let changes = changes(&panel.reps[raw.rep], from, panel.n_factors);
        Some(Trial { region: raw.region, full, held, weight, error, changes })
    };
    Some(forecast.reps.iter().filter_map(trial).collect())
}

/// A period as long as this one, `k` steps before the last that is over at the origin.
fn earlier(cadence: Cadence, origin: i32, end: i32, k: i32) -> (i32, i32) {
    if cadence == Cadence::Monthly {
        let (first, last) = (month_index(origin), month_index(end));
        let shift = (last - first) + k * ((last - first) / ORIGINS_PER_PERIOD).max(1);
        return (month_start(first - shift), month_start(last - shift));
    }
    let length = end - origin;
    let step = (length / ORIGINS_PER_PERIOD / 7 * 7).max(7);
    let from = origin - length - k * step;
    (from, from + length)
}
