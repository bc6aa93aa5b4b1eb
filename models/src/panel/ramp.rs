//! The tenure ramp: what a new rep sells against what it will sell.

use super::beside::count;
use super::market::Levels;
use super::window::{Known, Window};

/// Upper ends of the steps of tenure, in thirteenths of a year (four weeks, or about a month).
const STEPS: [usize; 5] = [1, 2, 3, 6, 9];
/// New reps that "no ramp at all" counts for.
const PRIOR_REPS: f64 = 2.0;
/// Fewer new reps than this say nothing.
const REPS_MIN: usize = 3;
/// A step stays within these.
const RANGE: (f64, f64) = (0.1, 1.1);

/// Share of the later level that each step of tenure brings.
#[derive(Debug)]
pub(crate) struct Ramp([f64; STEPS.len()]);

impl Ramp {
    /// From the reps that began within the history and have been there for longer than the last step.
    pub(crate) fn of(window: &Window) -> Self {
        let mut ramp = Self([1.0; STEPS.len()]);
        let amounts: Vec<Vec<f64>> = window.reps.iter().map(|rep| rep.amount.clone()).collect();
        let market = Levels::of(window, &amounts);
        let mut sums = [(0.0, 0.0); STEPS.len()];
        let mut reps = 0;
        for rep in window.reps.iter().filter(|rep| !rep.left) {
            let step_at = |k: usize| rep.tenure(k).and_then(|tenure| step(window, tenure));
            let Some(tenure) = rep.tenure(window.n) else { continue };
            let (mut late, mut late_market) = (0.0, 0.0);
            for &k in rep.buckets.iter().filter(|&&k| step_at(k).is_none()) {
                late += rep.amount[k];
                late_market += market.at(k);
            }
            let new = rep.buckets.first().is_some_and(|&k| step_at(k).is_some());
            if late <= 0.0 || !new || tenure < window.grid.cadence.buckets_per_year() {
                continue;
            }
            reps += 1;
            for &k in &rep.buckets {
                if let Some(step) = step_at(k) {
                    sums[step].0 += rep.amount[k] / (late / late_market);
                    sums[step].1 += market.at(k);
                }
            }
        }
        if reps >= REPS_MIN {
            for (share, (sum, weight)) in ramp.0.iter_mut().zip(sums) {
                let prior = PRIOR_REPS * weight / count(reps);
                *share = if weight > 0.0 {
                    ((sum + prior) / (weight + prior)).clamp(RANGE.0, RANGE.1)
                } else {
                    1.0
                };
            }
        }
        ramp
    }

    fn at(&self, window: &Window, buckets: usize) -> f64 {
        step(window, buckets).map_or(1.0, |step| self.0[step])
    }

    /// What a rep would have sold had it been there for long, by bucket.
    pub(crate) fn mature(&self, window: &Window, rep: &Known) -> Vec<f64> {
        if rep.began.is_none() {
            return rep.amount.clone();
        }
        let share = |k: usize| rep.tenure(k).map_or(1.0, |tenure| self.at(window, tenure));
        rep.amount.iter().enumerate().map(|(k, amount)| amount / share(k)).collect()
    }

    /// The ramp of a bucket to come.
    pub(crate) fn ahead(&self, window: &Window, rep: &Known, bucket: usize) -> f64 {
        rep.tenure(window.n + bucket).map_or(1.0, |tenure| self.at(window, tenure))
    }
}

fn step(window: &Window, buckets: usize) -> Option<usize> {
    let per_year = window.grid.cadence.buckets_per_year();
    STEPS.iter().position(|&end| buckets * 13 < end * per_year)
}
