//! Whether quotas are equally hard for groups of reps: their chances, quotas against potential, moves, and whether
//! attainment goes with potential; with bootstrap intervals (Efron, Annals of Statistics 7, 1979).

use rayon::prelude::*;

use crate::measure::{count, real};

/// Resamples of a group.
const RESAMPLES: usize = 200;
/// The share of resamples outside an interval, on each side.
const TAIL: f64 = 0.025;
/// Reps from which on a group is judged.
const REPS_JUDGED_MIN: usize = 5;

/// What is compared of one rep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// The chance of reaching the quota.
    pub(crate) p_attain: f64,
    /// Money of any one unit.
    pub(crate) quota: f64,
    /// What the rep is expected to achieve, in the same unit.
    pub(crate) potential: f64,
    /// Signed so far ÷ quota.
    pub(crate) attainment: f64,
    /// Quota ÷ the quota before − 1.
    pub(crate) step: Option<f64>,
}

/// A value with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// How hard quotas are for one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GroupFairness {
    pub(crate) reps: usize,
    /// The mean chance.
    pub(crate) p_attain: Option<Interval>,
    /// The sum of quotas ÷ the sum of potentials.
    pub(crate) quota_per_potential: Option<Interval>,
    /// The mean step.
    pub(crate) step: Option<Interval>,
    /// Spearman's rank correlation of attainment with potential: 0 where quotas are as hard for the strong as for the
    /// weak.
    pub(crate) rank_correlation: Option<f64>,
    /// Whether the interval of the chance lies outside everyone's mean ± the tolerance.
    pub(crate) off: bool,
}

/// Compares groups, each a list of positions in `standings`, with all of them.
pub(crate) fn fairness(standings: &[Standing], groups: &[Vec<usize>], tolerance: f64) -> Vec<GroupFairness> {
    let everyone = Sums::of(standings.iter().copied()).chance();
    let judge = |(number, members): (usize, &Vec<usize>)| {
        let members: Vec<Standing> =
            members.iter().filter_map(|&place| standings.get(place)).copied().collect();
        let mut found = of_group(&members, count(number));
        found.off = members.len() >= REPS_JUDGED_MIN
            && found.p_attain.zip(everyone).is_some_and(|(chance, everyone)| {
                chance.low > everyone + tolerance || chance.high < everyone - tolerance
            });
        found
    };
    groups.par_iter().enumerate().map(judge).collect()
}

/// Sums over a sample of reps.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    reps: f64,
    chance: f64,
    quota: f64,
    potential: f64,
    stepped: f64,
    step: f64,
}

impl Sums {
    fn of(sample: impl Iterator<Item = Standing>) -> Self {
        let mut sums = Self::default();
        for rep in sample {
            sums.reps += 1.0;
            sums.chance += rep.p_attain;
            sums.quota += rep.quota;
            sums.potential += rep.potential;
            sums.stepped += if rep.step.is_some() { 1.0 } else { 0.0 };
            sums.step += rep.step.unwrap_or(0.0);
        }
        sums
    }

    fn chance(&self) -> Option<f64> {
        (self.reps > 0.0).then(|| self.chance / self.reps)
    }

    fn share(&self) -> Option<f64> {
        (self.potential > 0.0).then(|| self.quota / self.potential)
    }

    fn step(&self) -> Option<f64> {
        (self.stepped > 0.0).then(|| self.step / self.stepped)
    }
}

/// Measures a group; the draws are the same for the same number.
fn of_group(members: &[Standing], number: i64) -> GroupFairness {
    let whole = Sums::of(members.iter().copied());
    let mut draws = Draws(number.unsigned_abs());
    let resamples: Vec<Sums> = (0..RESAMPLES)
        .map(|_| Sums::of((0..members.len()).map(|_| members[draws.below(members.len())])))
        .collect();
    let interval = |statistic: fn(&Sums) -> Option<f64>| {
        let value = statistic(&whole)?;
        let mut found: Vec<f64> = resamples.iter().filter_map(statistic).collect();
        found.sort_by(f64::total_cmp);
        let at = |share: f64| quantile(&found, share).unwrap_or(value);
        Some(Interval { value, low: at(TAIL).min(value), high: at(1.0 - TAIL).max(value) })
    };
    let attainments: Vec<f64> = members.iter().map(|rep| rep.attainment).collect();
    let potentials: Vec<f64> = members.iter().map(|rep| rep.potential).collect();
    GroupFairness {
        reps: members.len(),
        p_attain: interval(Sums::chance),
        quota_per_potential: interval(Sums::share),
        step: interval(Sums::step),
        rank_correlation: rank_correlation(&attainments, &potentials),
        off: false,
    }
}

/// The value at a share of sorted ones, the nearest rank.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank among some hundred values"
)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * real(count(last))).round() as usize).copied()
}

/// Spearman's rank correlation; `None` for fewer than three pairs, or where one side doesn't vary.
fn rank_correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() < 3 || left.len() != right.len() {
        return None;
    }
    let (left, right) = (ranks(left), ranks(right));
    let middle = f64::midpoint(real(count(left.len())), 1.0);
    let (mut both, mut of_left, mut of_right) = (0.0, 0.0, 0.0);
    for (a, b) in left.iter().zip(&right) {
        both += (a - middle) * (b - middle);
        of_left += (a - middle) * (a - middle);
        of_right += (b - middle) * (b - middle);
    }
    (of_left > 0.0 && of_right > 0.0).then(|| both / (of_left * of_right).sqrt())
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&a, &b| values[a].total_cmp(&values[b]).is_eq()) {
        let rank = real(before) + f64::midpoint(real(count(equal.len())), 1.0);
        for &place in equal {
            ranks[place] = rank;
        }
        before += count(equal.len());
    }
    ranks
}

/// Draws that are the same on every run: `SplitMix64`.
struct Draws(u64);

impl Draws {
    /// A position below `n`, which is above 0.
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let wide = u128::from(mixed) * u128::try_from(n).unwrap_or(1);
        usize::try_from(wide >> 64).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(p_attain: f64, potential: f64) -> Standing {
        Standing { p_attain, quota: 90.0, potential, attainment: 0.5, step: Some(0.01) }
    }

    #[test]
    fn a_group_that_has_it_harder_is_found_and_only_that() {
        // Chances of 0.6 ± 0.04 but for the third group, at 0.35.
        let chance = |rep: usize| 0.56 + 0.02 * real(count(rep % 5)) - if rep >= 40 { 0.25 } else { 0.0 };
        let standings: Vec<Standing> = (0..60).map(|rep| standing(chance(rep), 100.0)).collect();
        let groups: Vec<Vec<usize>> =
            vec![(0..60).collect(), (0..40).collect(), (40..60).collect(), vec![40, 41], vec![]];
        let found = fairness(&standings, &groups, 0.10);
        assert_eq!(
            found.iter().map(|group| group.off).collect::<Vec<_>>(),
            [false, false, true, false, false]
        );
        assert_eq!(found.iter().map(|group| group.reps).collect::<Vec<_>>(), [60, 40, 20, 2, 0]);
        let chance = found[2].p_attain.unwrap();
        assert!((chance.value - 0.35).abs() < 1e-9 && chance.low > 0.33 && chance.high < 0.37, "{chance:?}");
        let share = found[1].quota_per_potential.unwrap();
        assert!([share.value, share.low, share.high].iter().all(|share| (share - 0.9).abs() < 1e-9));
        assert_eq!(found[4].p_attain, None);
    }

    #[test]
    fn a_group_whose_interval_reaches_everyones_is_not_off() {
        let chances = [0.1, 0.9, 0.1, 0.9, 0.1, 0.5];
        let standings: Vec<Standing> =
            (0..60).map(|rep| standing(chances.get(rep).copied().unwrap_or(0.6), 100.0)).collect();
        let found = fairness(&standings, &[(0..6).collect()], 0.10);
        let chance = found[0].p_attain.unwrap();
        assert!(chance.low < 0.45 && chance.high > 0.55, "{chance:?}");
        assert!(!found[0].off);
    }

    #[test]
    fn intervals_hold_the_mean_of_normal_samples_about_as_often_as_they_say() {
        // Sums of twelve uniform draws: mean 6, and enough like a normal distribution.
        let mut draws = Draws(5);
        let mut held = 0;
        for number in 0..200 {
            let mut value =
                || (0..12).map(|_| real(count(draws.below(1 << 20))) / f64::from(1 << 20)).sum::<f64>();
            let members: Vec<Standing> = (0..40).map(|_| standing(value(), 1.0)).collect();
            let interval = of_group(&members, number).p_attain.unwrap();
            held += usize::from(interval.low <= 6.0 && 6.0 <= interval.high);
        }
        assert!((180..=198).contains(&held), "{held} of 200");
    }

    #[test]
    fn ranks_correlate_as_in_the_textbook() {
        // With ties: scipy.stats.spearmanr gives 0.8207826816681233 for these.
        let found = rank_correlation(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 6.0, 7.0, 8.0, 7.0]).unwrap();
        assert!((found - 0.820_782_681_668_123_3).abs() < 1e-12, "{found}");
        assert_eq!(rank_correlation(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(rank_correlation(&[1.0, 2.0], &[1.0, 2.0]), None);
    }
}
