//! Draws as pure functions: every number is the hash of (seed, stream, entity, index) and its position in a
//! short sequence, so no draw depends on the order in which anything else was drawn.

use crate::number::{exp, fraction, ln, low, real, whole};

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a sequence of draws is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stream {
    /// Region tree and plans.
    Region = 1,
    /// A rep's nature and moves.
    Rep,
    /// A customer's nature and changes of owner.
    Customer,
    /// A product.
    Product,
    /// A market factor's shocks.
    Market,
    /// A lead's life.
    Lead,
    /// A hypothetical lead, to know the mean of all.
    LeadSurvey,
    /// Openings of opportunities.
    Opening,
    /// An opportunity's life.
    Opportunity,
    /// Deals of the run-rate.
    Deal,
    /// Orders and complaints.
    Order,
    /// Ordinary events.
    Ordinary,
    /// Dirt.
    Dirt,
}

/// The splitmix64 finaliser: a bijection of 64-bit words.
pub(crate) fn mix(word: u64) -> u64 {
    let mut z = word;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A sequence of draws.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// The sequence of an entity of a stream, at an index (a day, a version, a position).
    pub(crate) fn new(seed: u64, stream: Stream, entity: u64, index: u64) -> Self {
        let tag = mix(seed ^ GOLDEN.wrapping_mul(u64::from(stream as u8)));
        let owner = mix(tag.wrapping_add(entity.wrapping_mul(GOLDEN)));
        Self { state: mix(owner.wrapping_add(index.wrapping_mul(GOLDEN)) ^ tag) }
    }

    /// 64 uniform bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        fraction(self.bits())
    }

    /// Uniform in `[from, to)`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.unit()
    }

    /// Uniform in `0..n`; 0 when `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        low(((self.bits() >> 32) * u64::from(n)) >> 32)
    }

    /// Uniform in `from..=to`, whole days or other small counts.
    pub(crate) fn count(&mut self, from: i32, to: i32) -> i32 {
        let span = u32::try_from(to - from + 1).unwrap_or(1);
        from + i32::try_from(self.below(span)).unwrap_or(0)
    }

    /// True with probability `p`.
    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// One of `items`, all alike; `items` must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[crate::number::at(self.below(crate::number::narrow(items.len())))]
    }

    /// A position of `weights`, by weight.
    pub(crate) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut rest = self.unit() * weights.iter().sum::<f64>();
        for (i, w) in weights.iter().enumerate() {
            rest -= w;
            if rest < 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }

    /// Standard normal, by the inverse distribution function (Acklam's approximation, error below 1.2e-9).
    pub(crate) fn normal(&mut self) -> f64 {
        inverse_normal(self.unit() + 0.5 / 9_007_199_254_740_992.0)
    }

    /// Log-normal with the given median.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * exp(sigma * self.normal())
    }

    /// Log-normal with the given mean.
    pub(crate) fn log_normal_of_mean(&mut self, mean: f64, sigma: f64) -> f64 {
        mean * exp(sigma * self.normal() - sigma * sigma / 2.0)
    }

    /// Poisson, exact below a mean of 30 and a rounded normal above.
    pub(crate) fn poisson(&mut self, mean: f64) -> u32 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 30.0 {
            let n = whole(mean + self.normal() * mean.sqrt()).max(0);
            return u32::try_from(n).unwrap_or(u32::MAX);
        }
        let floor = exp(-mean);
        let mut product = self.unit();
        let mut n = 0;
        while product > floor {
            product *= self.unit();
            n += 1;
        }
        n
    }

    /// An amount of money in minor units, log-normal with the given mean, at least one major unit.
    pub(crate) fn amount(&mut self, mean_minor: f64, sigma: f64) -> i64 {
        whole(self.log_normal_of_mean(mean_minor, sigma)).max(100)
    }
}

/// An amount in major units, for the truth files.
pub(crate) fn major(minor: i64) -> f64 {
    real(minor) / 100.0
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

fn inverse_normal(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969_683_028_665_376e1,
        2.209_460_984_245_205e2,
        -2.759_285_104_469_687e2,
        1.383_577_518_672_69e2,
        -3.066_479_806_614_716e1,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -5.447_609_879_822_406e1,
        1.615_858_368_580_409e2,
        -1.556_989_798_598_866e2,
        6.680_131_188_771_972e1,
        -1.328_068_155_288_572e1,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784_894_002_430_293e-3,
        -3.223_964_580_411_365e-1,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] = [
        7.784_695_709_041_462e-3,
        3.224_671_290_700_398e-1,
        2.445_134_137_142_996,
        3.754_408_661_907_416,
        1.0,
    ];
    const TAIL: f64 = 0.024_25;
    if p < TAIL {
        let q = (-2.0 * ln(p)).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    } else if p > 1.0 - TAIL {
        let q = (-2.0 * ln(1.0 - p)).sqrt();
        -polynomial(&C, q) / polynomial(&D, q)
    } else {
        let q = p - 0.5;
        let r = q * q;
        polynomial(&A, r) * q / polynomial(&B, r)
    }
}

#[cfg(test)]
mod tests {
    use super::{Draw, Stream};

    #[test]
    fn moments_are_those_asked_for() {
        let n = 200_000_u32;
        let (mut sum, mut squares, mut poisson, mut money) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..n {
            let mut draw = Draw::new(7, Stream::Deal, u64::from(i), 0);
            let z = draw.normal();
            sum += z;
            squares += z * z;
            poisson += f64::from(draw.poisson(1.7));
            money += draw.log_normal_of_mean(100.0, 0.6);
        }
        let n = f64::from(n);
        assert!((sum / n).abs() < 0.01 && (squares / n - 1.0).abs() < 0.02);
        assert!((poisson / n - 1.7).abs() < 0.02 && (money / n - 100.0).abs() < 1.0);
    }

    #[test]
    fn sequences_are_functions_of_their_key() {
        let first = |seed, entity, index| Draw::new(seed, Stream::Rep, entity, index).bits();
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        assert_ne!(first(1, 2, 3), first(1, 3, 2));
        assert_ne!(first(1, 2, 3), first(2, 2, 3));
    }
}
