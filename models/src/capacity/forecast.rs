//! The forecast: what a rep can achieve in the period, as a shifted log-normal distribution.

use super::normal::{normal_cdf, normal_quantile};

/// The lower and the upper end of the 80 % interval.
const LOW: f64 = 0.1;
const HIGH: f64 = 0.9;

/// `achievable = attained + remaining` of every rep; amounts in the unit of the input.
///
/// `remaining` is log-normal with the given mean and standard deviation; a mean of 0 is the certain 0.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacityForecast {
    /// What the whole period would bring at neutral factors, `(n_reps)`.
    pub base: Vec<f64>,
    /// Amount signed so far, `(n_reps)`.
    pub attained: Vec<f64>,
    /// Mean of what is still to come, `(n_reps)`.
    pub remaining: Vec<f64>,
    /// Standard deviation of what is still to come, `(n_reps)`.
    pub remaining_sd: Vec<f64>,
    /// Mean of `achievable`, `(n_reps)`.
    pub expected: Vec<f64>,
    /// What closed months say of each rep, `(n_reps)`.
    pub outlook: Vec<Outlook>,
}

/// What closed months say of a rep: all that a forecast of the running period needs beside what is attained and the
/// factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Amount a day of exposure.
    pub rate: f64,
    /// The variance of that as an estimate.
    pub rate_variance: f64,
    /// Variance of a day's amount relative to the rate.
    pub daily_variance: f64,
    /// Days of exposure left.
    pub left: f64,
}

impl Outlook {
    /// Mean and standard deviation of what is still to come.
    fn remaining(&self, effects: impl IntoIterator<Item = f64>) -> (f64, f64) {
        let Self { rate, left, .. } = *self;
        let effect: f64 = effects.into_iter().product();
        let remaining = rate * left * effect;
        let variance = self.daily_variance * rate * rate * left + left * left * self.rate_variance;
        (remaining, if remaining > 0.0 { effect * variance.sqrt() } else { 0.0 })
    }
}

impl CapacityForecast {
    /// Adds a rep.
    pub(super) fn push(
        &mut self,
        outlook: Outlook,
        base: f64,
        attained: f64,
        effects: impl IntoIterator<Item = f64>,
    ) {
        let (remaining, sd) = outlook.remaining(effects);
        self.base.push(base);
        self.attained.push(attained);
        self.remaining.push(remaining);
        self.remaining_sd.push(sd);
        self.expected.push(attained + remaining);
        self.outlook.push(outlook);
    }

    /// Forecasts one rep again, of whom more is attained or other factors hold: what forecasting all of them anew would
    /// come to. `effects` is `(n_factors)`. Nothing for a rep that isn't there.
    pub fn revise(&mut self, rep: usize, attained: f64, effects: &[f64]) {
        let Some(outlook) = self.outlook.get(rep) else { return };
        let (remaining, sd) = outlook.remaining(effects.iter().copied());
        self.attained[rep] = attained;
        self.remaining[rep] = remaining;
        self.remaining_sd[rep] = sd;
        self.expected[rep] = attained + remaining;
    }

    /// The same forecast at other factors: `effect` is the product of a rep's factor effects, `(n_reps)`. Reps beyond
    /// its end have neutral factors.
    #[must_use]
    pub fn with_effects(&self, effect: &[f64]) -> Self {
        let mut other = self.clone();
        for rep in 0..self.n_reps() {
            other.revise(rep, self.attained[rep], &[effect.get(rep).copied().unwrap_or(1.0)]);
        }
        other
    }

    /// Reps forecast.
    pub fn n_reps(&self) -> usize {
        self.expected.len()
    }

    /// The amount that `achievable` stays below with probability `p`; the quota that is reached with probability τ
    /// is the quantile of 1 − τ. NaN for a rep that isn't there, or `p` outside `[0, 1]`.
    pub fn quantile(&self, rep: usize, p: f64) -> f64 {
        let Some((attained, shape)) = self.shape(rep) else { return f64::NAN };
        let z = normal_quantile(p);
        match shape {
            Some((log_mean, log_sd)) if log_sd > 0.0 => attained + (log_mean + log_sd * z).exp(),
            Some((log_mean, _)) if !z.is_nan() => attained + log_mean.exp(),
            None if !z.is_nan() => attained,
            _ => f64::NAN,
        }
    }

    /// The lower end of the 80 % interval of `achievable`.
    pub fn low(&self, rep: usize) -> f64 {
        self.quantile(rep, LOW)
    }

    /// The upper end of the 80 % interval of `achievable`.
    pub fn high(&self, rep: usize) -> f64 {
        self.quantile(rep, HIGH)
    }

    /// The probability that `achievable` reaches `amount`. NaN for a rep that isn't there or a NaN amount.
    pub fn p_at_least(&self, rep: usize, amount: f64) -> f64 {
        let Some((attained, shape)) = self.shape(rep).filter(|_| !amount.is_nan()) else { return f64::NAN };
        let missing = amount - attained;
        if missing <= 0.0 {
            return 1.0;
        }
        match shape {
            Some((log_mean, log_sd)) if log_sd > 0.0 => normal_cdf((log_mean - missing.ln()) / log_sd),
            Some((log_mean, _)) if missing.ln() <= log_mean => 1.0,
            _ => 0.0,
        }
    }

    /// What is attained, and the log-normal's parameters where something is still to come.
    fn shape(&self, rep: usize) -> Option<(f64, Option<(f64, f64)>)> {
        let (&attained, &mean, &sd) =
            (self.attained.get(rep)?, self.remaining.get(rep)?, self.remaining_sd.get(rep)?);
        let log_normal = (mean > 0.0).then(|| {
            let log_variance = (sd / mean).powi(2).ln_1p();
            (mean.ln() - 0.5 * log_variance, log_variance.sqrt())
        });
        Some((attained, log_normal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(attained: f64, mean: f64, sd: f64) -> CapacityForecast {
        CapacityForecast {
            base: vec![mean],
            attained: vec![attained],
            remaining: vec![mean],
            remaining_sd: vec![sd],
            expected: vec![attained + mean],
            outlook: Vec::new(),
        }
    }

    #[test]
    fn quantiles_and_probabilities_agree() {
        let f = forecast(100.0, 50.0, 30.0);
        for p in [0.01, 0.1, 0.4, 0.9, 0.999] {
            assert!((f.p_at_least(0, f.quantile(0, p)) - (1.0 - p)).abs() < 1e-12);
        }
        assert!(100.0 < f.low(0) && f.low(0) < 150.0 && 150.0 < f.high(0));
        assert_eq!(f.p_at_least(0, 100.0).to_bits(), 1.0_f64.to_bits());
    }

    /// Mean and variance of the log-normal, by summing over its quantiles.
    #[test]
    fn mean_and_spread_are_matched() {
        let f = forecast(0.0, 50.0, 30.0);
        let n = 200_000;
        let (mut sum, mut squares) = (0.0, 0.0);
        for i in 0..n {
            let x = f.quantile(0, (f64::from(i) + 0.5) / f64::from(n));
            sum += x;
            squares += x * x;
        }
        let mean = sum / f64::from(n);
        assert!((mean - 50.0).abs() < 0.01);
        assert!(((squares / f64::from(n) - mean * mean).sqrt() - 30.0).abs() < 0.1);
    }

    #[test]
    fn certain_amounts_are_certain() {
        let f = forecast(100.0, 0.0, 0.0);
        assert_eq!((f.quantile(0, 0.4), f.p_at_least(0, 100.0), f.p_at_least(0, 100.1)), (100.0, 1.0, 0.0));
        let f = forecast(0.0, 50.0, 0.0);
        assert!((f.quantile(0, 0.99) - 50.0).abs() < 1e-9);
        assert_eq!((f.p_at_least(0, 49.0), f.p_at_least(0, 51.0)), (1.0, 0.0));
        assert!(
            f.quantile(1, 0.5).is_nan() && f.quantile(0, 1.5).is_nan() && f.p_at_least(0, f64::NAN).is_nan()
        );
    }
}
