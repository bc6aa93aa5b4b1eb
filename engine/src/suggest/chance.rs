//! How probable it is that as many approvals lie within a condition's reach as do, if it had nothing to do with them.
//!
//! ```text
//! day 1    N reps, K within reach, n approved    hits ~ Hypergeometric(N, K, n)  ┐
//! day 2    …                                                                     ├ the sum of all: P(hits ≥ those seen)
//! day 3    …                                                                     ┘
//! ```
//!
//! The exact conditional test of Cochran, Mantel and Haenszel: reps are compared with those of the same day only.

use crate::measure::{count, real};

/// What was drawn on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Draw {
    /// Reps to draw from.
    pub(super) all: usize,
    /// Of these, within reach.
    pub(super) marked: usize,
    /// Approved.
    pub(super) drawn: usize,
    /// Of these, within reach.
    pub(super) hits: usize,
}

/// Logarithms of factorials, by their number.
#[derive(Debug)]
pub(super) struct Factorials(Vec<f64>);

impl Factorials {
    /// Those of 0 to `most`.
    pub(super) fn up_to(most: usize) -> Self {
        let mut logs = vec![0.0];
        let mut sum = 0.0;
        for n in 1..=most {
            sum += real(count(n)).ln();
            logs.push(sum);
        }
        Self(logs)
    }

    fn of(&self, n: usize) -> f64 {
        self.0.get(n).copied().unwrap_or(f64::INFINITY)
    }

    /// The logarithm of the number of ways to choose `k` of `n`; `k` is at most `n`.
    fn ways(&self, n: usize, k: usize) -> f64 {
        self.of(n) - self.of(k) - self.of(n.saturating_sub(k))
    }

    /// The chance of at least as many hits in all draws together as there were.
    pub(super) fn at_least(&self, draws: &[Draw]) -> f64 {
        let mut sums = vec![1.0];
        for draw in draws {
            let least = (draw.drawn + draw.marked).saturating_sub(draw.all);
            let most = draw.drawn.min(draw.marked);
            let rest = draw.all - draw.marked;
            let mut next = vec![0.0; sums.len() + most];
            for hits in least..=most {
                let log = self.ways(draw.marked, hits) + self.ways(rest, draw.drawn - hits)
                    - self.ways(draw.all, draw.drawn);
                let chance = log.exp();
                for (place, sum) in sums.iter().enumerate() {
                    next[place + hits] += sum * chance;
                }
            }
            sums = next;
        }
        let seen: usize = draws.iter().map(|draw| draw.hits).sum();
        sums.iter().skip(seen).sum::<f64>().min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_those_of_drawing_without_putting_back() {
        let logs = Factorials::up_to(40);
        let draw = |all, marked, drawn, hits| Draw { all, marked, drawn, hits };
        // All four of the only four marked among ten: one way of 210.
        let one = logs.at_least(&[draw(10, 4, 4, 4)]);
        assert!((one - 1.0 / 210.0).abs() < 1e-12, "{one}");
        // The lady tasting tea: at least three of four cups of eight, 17 / 70 (Fisher 1935).
        let tea = logs.at_least(&[draw(8, 4, 4, 3)]);
        assert!((tea - 17.0 / 70.0).abs() < 1e-12, "{tea}");
        // Two days, one draw each with chances 1/4 and 1/2: at least one hit is 1 - 3/4 · 1/2.
        let days = logs.at_least(&[draw(4, 1, 1, 1), draw(2, 1, 1, 0)]);
        assert!((days - 0.625).abs() < 1e-12, "{days}");
        assert!((logs.at_least(&[draw(10, 9, 5, 4)]) - 1.0).abs() < 1e-12);
        assert!((logs.at_least(&[]) - 1.0).abs() < 1e-12);
    }
}
