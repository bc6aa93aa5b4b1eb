//! The market as each rep meets it: the level of all others, so that a rep's own sales never enter it.

use super::beside::median;
use super::kernel::{Hyper, Moment, Parts};
use super::process::{Family, Process, Seen, component, fit};
use super::window::{Known, Window};

/// Rounds of proportional fitting; each rep's level and the market settle in a handful.
const ROUNDS: usize = 12;
/// The market stays above this share of its mean: a bucket without sales has no logarithm.
const MARKET_MIN: f64 = 0.02;
/// Rounds of weighing outliers down, and the degrees of freedom that the noise is taken to have.
const ROBUST_ROUNDS: usize = 3;
const TAIL: f64 = 4.0;
/// What a company's logarithm is expected to do.
const PRIOR: Hyper =
    Hyper { level: 1.0, slope: 0.08, wander: 0.05, bump: 0.02, season: 0.1, slot: 0.1, noise: 0.01 };

/// Levels of reps and the market of each bucket: `amount ≈ level · market`, fitted over the buckets that each rep is known in
/// (the Poisson two-way model, by iterated proportional fitting), so that who joins and leaves doesn't move the market.
#[derive(Debug, Clone)]
pub(crate) struct Levels {
    /// Level of each rep, 0 without sales, `(n_reps)`.
    pub(crate) level: Vec<f64>,
    /// Sum of amounts and of levels by bucket, `(n)`.
    total: Vec<(f64, f64)>,
    floor: f64,
}

impl Levels {
    pub(crate) fn of(window: &Window, amounts: &[Vec<f64>]) -> Self {
        let mut market = vec![1.0; window.n];
        let mut level = vec![0.0; window.reps.len()];
        let mut total = vec![(0.0, 0.0); window.n];
        for _ in 0..ROUNDS {
            for ((rep, amount), level) in window.reps.iter().zip(amounts).zip(&mut level) {
                *level = level_of(&rep.buckets, amount, |k| market[k]);
            }
            total.fill((0.0, 0.0));
            for ((rep, amount), level) in window.reps.iter().zip(amounts).zip(&level) {
                for &k in &rep.buckets {
                    total[k].0 += amount[k];
                    total[k].1 += level;
                }
            }
            let seen: Vec<f64> = total.iter().filter(|t| t.1 > 0.0).map(|t| (t.0 / t.1).max(0.0)).collect();
            let mean = mean(&seen);
            let scale = if mean > 0.0 { mean } else { 1.0 };
            for (market, t) in market.iter_mut().zip(&total) {
                *market = if t.1 > 0.0 { (t.0 / t.1 / scale).max(MARKET_MIN) } else { 1.0 };
            }
        }
        let seen: Vec<f64> = total.iter().filter(|t| t.1 > 0.0).map(|t| (t.0 / t.1).max(0.0)).collect();
        Self { level, floor: (MARKET_MIN * mean(&seen)).max(f64::MIN_POSITIVE), total }
    }

    /// Logarithm of the market without some reps, by bucket; with them where they are alone.
    pub(crate) fn without<'a>(&self, reps: impl Iterator<Item = (&'a Known, &'a [f64], f64)>) -> Vec<f64> {
        let mut own = vec![(0.0, 0.0); self.total.len()];
        for (rep, amount, level) in reps {
            for &k in &rep.buckets {
                own[k].0 += amount[k];
                own[k].1 += level;
            }
        }
        let ratio = |(&(sum, levels), own): (&(f64, f64), &(f64, f64))| {
            let others = (sum - own.0, levels - own.1);
            let (sum, levels) = if others.1 > 1e-9 * levels { others } else { (sum, levels) };
            let value = if levels > 0.0 { sum / levels } else { 1.0 };
            value.max(self.floor).ln()
        };
        self.total.iter().zip(&own).map(ratio).collect()
    }

    /// The market of a bucket; 0 where nobody is known.
    pub(crate) fn at(&self, k: usize) -> f64 {
        let (sum, levels) = self.total[k];
        if levels > 0.0 { (sum / levels).max(self.floor) } else { 0.0 }
    }

    /// Logarithm of the market by bucket.
    fn all(&self) -> Vec<f64> {
        self.total.iter().map(|t| if t.1 > 0.0 { (t.0 / t.1).max(self.floor).ln() } else { 0.0 }).collect()
    }

    /// Buckets in which anybody is known.
    fn known(&self) -> Vec<usize> {
        (0..self.total.len()).filter(|&k| self.total[k].1 > 0.0).collect()
    }

    /// The variance of the market that the reps' own noise accounts for, `noise` being each rep's.
    fn own_noise(&self, noise: &[f64]) -> f64 {
        let sum: f64 = self.level.iter().sum();
        let squares: f64 = self.level.iter().zip(noise).map(|(level, noise)| (level * noise).powi(2)).sum();
        if sum > 0.0 { squares / (sum * sum) } else { 0.0 }
    }
}

/// A rep's level against a market.
pub(crate) fn level_of(buckets: &[usize], amount: &[f64], market: impl Fn(usize) -> f64) -> f64 {
    let (sum, weight) =
        buckets.iter().fold((0.0, 0.0), |(sum, weight), &k| (sum + amount[k], weight + market(k)));
    if weight > 0.0 { (sum / weight).max(0.0) } else { 0.0 }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let n = values.len() as f64;
    if n > 0.0 { values.iter().sum::<f64>() / n } else { 0.0 }
}

/// The market's past and future, solved once for all reps.
#[derive(Debug)]
pub(crate) struct Market {
    /// Past buckets smoothed, then the ones to come.
    process: Process,
    known: Vec<usize>,
    n: usize,
    /// Share of the market's noise that all reps feel.
    shared: f64,
    pub(crate) hyper: Hyper,
    /// The season of the buckets to come against that of a year; 1 where the kernel was given, or history is under a year.
    pub(crate) season: f64,
}

/// The market without one rep.
#[derive(Debug)]
pub(crate) struct Others {
    /// By past bucket, `(n)`.
    pub(crate) past: Vec<f64>,
    /// By bucket to come, `(n_future)`.
    pub(crate) future: Vec<f64>,
}

impl Market {
    /// Fits the market's kernel, or takes `hyper` as it is. `noise` is each rep's own.
    pub(crate) fn of(window: &Window, levels: &Levels, noise: &[f64], hyper: Option<&Hyper>) -> Self {
        let moments: Vec<Moment> =
            (0..window.n + window.future.len()).map(|k| Moment::of(window.grid, window.number(k))).collect();
        let known = levels.known();
        let all: Vec<usize> = (0..moments.len()).collect();
        let parts = Parts::of(&moments, &moments);
        let past = parts.pick(&known, &known);
        let market = levels.all();
        let values = centred(known.iter().map(|&k| market[k]).collect()).0;
        let mut inflation = vec![1.0; known.len()];
        // Noise that all share is a percent or so; the reps' own adds to it.
        let own = levels.own_noise(noise);
        let prior = Hyper { noise: (own + PRIOR.noise * PRIOR.noise).sqrt(), ..PRIOR };
        let (fitted, mut found) = (hyper.is_none(), hyper.copied().unwrap_or(prior));
        for _ in 0..ROBUST_ROUNDS {
            let seen = Seen { parts: &past, noise: 1.0, inflation: Some(&inflation), other: None };
            if hyper.is_none() {
                found = fit(&prior, &[Family { seen, series: vec![values.clone()] }]);
            }
            let smooth = Process::of(&seen, &past, &past, &found).predict(&values);
            inflation = inflations(&values, &smooth);
        }
        let hyper = found;
        let seen = Seen { parts: &past, noise: 1.0, inflation: Some(&inflation), other: None };
        let process = Process::of(&seen, &parts.pick(&all, &known), &parts, &hyper);
        let shared = (1.0 - own / (hyper.noise * hyper.noise)).clamp(0.0, 1.0);
        let season = if fitted { season(window, (&seen, &known, &values), &hyper) } else { 1.0 };
        Self { process, known, n: window.n, shared, hyper, season }
    }

    /// The market as one rep meets it, from the logarithms of [`Levels::without`].
    pub(crate) fn without(&self, logarithms: &[f64]) -> Others {
        let (values, mean) = centred(self.known.iter().map(|&k| logarithms[k]).collect());
        let signal = self.process.predict(&values);
        let mut past: Vec<f64> = signal[..self.n].iter().map(|s| s + mean).collect();
        // What the reps didn't do themselves, they all met: it belongs to the market of that bucket.
        for &k in &self.known {
            past[k] += self.shared * (logarithms[k] - past[k]);
        }
        // Levels are set against the past: where that is smooth, they hold the noise's mean already.
        let half = 0.5 * self.shared * self.hyper.noise * self.hyper.noise;
        Others {
            past: past.iter().map(|log| log.exp()).collect(),
            future: signal[self.n..].iter().map(|s| (s + mean + half).exp()).collect(),
        }
    }

    /// Variance of the market's sum over the buckets to come, relative, for the weights of the buckets.
    pub(crate) fn variance(&self, weights: &[f64]) -> f64 {
        let noise: f64 = weights.iter().map(|w| w * w).sum();
        self.process.variance_of_last(weights) + self.shared * self.hyper.noise * self.hyper.noise * noise
    }
}

/// What seasons and single weeks of the year bring in the buckets to come, against a year's mean.
fn season(window: &Window, (seen, known, values): (&Seen<'_>, &[usize], &[f64]), hyper: &Hyper) -> f64 {
    let per_year = window.grid.cadence.buckets_per_year();
    if window.n < per_year {
        return 1.0;
    }
    let moment = |bucket: i32| Moment::of(window.grid, bucket);
    let ahead = i32::try_from(per_year.max(window.future.len())).unwrap_or(0);
    let year: Vec<Moment> = (0..ahead).map(moment).collect();
    let past: Vec<Moment> = known.iter().map(|&k| moment(window.number(k))).collect();
    let seasonal = Hyper { level: 0.0, slope: 0.0, wander: 0.0, bump: 0.0, ..*hyper };
    let found: Vec<f64> = component(seen, &Parts::of(&year, &past), (hyper, &seasonal), values)
        .into_iter()
        .map(f64::exp)
        .collect();
    let (sum, weight) = (found.iter().zip(&window.future))
        .fold((0.0, 0.0), |(sum, weight), (found, share)| (sum + found * share, weight + share));
    let usual = mean(&found[..per_year]);
    if weight > 0.0 && usual > 0.0 { sum / weight / usual } else { 1.0 }
}

/// How much more noise a bucket has than the others, from what is left of it beside the signal: as if the noise had a
/// Student distribution, so that a holiday that moved doesn't make every week look noisy.
fn inflations(values: &[f64], smooth: &[f64]) -> Vec<f64> {
    let rest: Vec<f64> = values.iter().zip(smooth).map(|(value, smooth)| (value - smooth).powi(2)).collect();
    let usual = median(rest.clone()) / 0.455;
    rest.iter()
        .map(|square| if usual > 0.0 { (TAIL + square / usual) / (TAIL + 1.0) } else { 1.0 }.max(1.0))
        .collect()
}

fn centred(values: Vec<f64>) -> (Vec<f64>, f64) {
    let mean = mean(&values);
    (values.into_iter().map(|value| value - mean).collect(), mean)
}
