//! All reps beside the market of the others: levels, deviations, noise.

use rayon::prelude::*;

use super::kernel::Hyper;
use super::market::{Levels, Market, Others, level_of, mean};
use super::window::Window;

/// Least noise of a bucket, and the noise of a rep of whom nothing is known, as shares.
const NOISE_MIN: f64 = 0.003;
const NOISE_UNKNOWN: f64 = 0.3;
/// Reps are taken together where their noise agrees to this factor.
const NOISE_STEP: f64 = 1.15;
/// Differences that the pooled noise counts for, beside a rep's own.
const NOISE_PRIOR: f64 = 6.0;
/// In a company of more reps than this, reps are left out of the market in so many groups: one rep is too little of it for
/// a market of its own to be worth its cost.
const ALONE_MAX: usize = 256;
const GROUPS: usize = 64;
/// Deviations further out than this many times the noise are pulled in to it, where noise is regular.
const OUTLIER: f64 = 5.0;

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
    /// `recent` buckets at the end are kept out of each rep's own level and noise: what a rep sold last moves its quota by
    /// what the ratchet allows, and not by the size of its interval as well.
    pub(crate) fn of(window: &Window, amounts: &[Vec<f64>], recent: usize, hyper: Option<&Hyper>) -> Self {
        let levels = Levels::of(window, amounts);
        let first = noises(
            window,
            0,
            |rep, k| ratio(amounts[rep][k], levels.level[rep] * levels.at(k)),
            &levels.level,
        );
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
            let level = level_of(settled(&rep.buckets, window.n, recent), amount, |k| others.past[k]);
            let mut deviation = vec![0.0; window.n];
            for &k in rep.buckets.iter().filter(|_| level > 0.0) {
                deviation[k] = amount[k] / (level * others.past[k]) - 1.0;
            }
            beside.level.push(level);
            beside.deviation.push(deviation);
        }
        beside.noise = noises(window, recent, |rep, k| beside.deviation[rep][k], &beside.level);
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

/// The buckets before the last `recent` of `n`, where there are enough of them, else all.
fn settled(buckets: &[usize], n: usize, recent: usize) -> &[usize] {
    let older = older(buckets, n, recent);
    if older >= 2 * recent.max(1) { &buckets[..older] } else { buckets }
}

/// How many of the buckets, from the oldest, lie before the last `recent` of `n`.
pub(crate) fn older(buckets: &[usize], n: usize, recent: usize) -> usize {
    buckets.partition_point(|&k| k + recent < n)
}

/// Noise of each rep, from the differences of successive buckets, leaning on what is usual.
fn noises(window: &Window, recent: usize, value: impl Fn(usize, usize) -> f64, level: &[f64]) -> Vec<f64> {
    let own: Vec<(f64, f64)> = (window.reps.iter().enumerate())
        .map(|(rep, known)| {
            let pairs = settled(&known.buckets, window.n, recent).windows(2);
            let pairs = pairs.filter(|p| p[1] == p[0] + 1 && level[rep] > 0.0);
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
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| !odd);
    lower.map_or(*upper, |lower| 0.5 * (lower + *upper))
}

pub(crate) fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { 0.0 }
}

pub(crate) fn count(n: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let n = n as f64;
    n
}
