//! The ramp: how productive a rep is in the first months, against one who has settled in.

use ndarray::ArrayView2;

/// Months until a rep counts as settled.
pub const RAMP_MONTHS: usize = 6;
/// Productivity of the first month by default; it rises in equal steps to 1.
const START: f64 = 0.3;
/// Rep-months of one tenure below which the default isn't touched.
const REP_MONTHS_MIN: f64 = 20.0;
/// Rep-months that the default is worth.
const PRIOR_REP_MONTHS: f64 = 30.0;

/// Mean productivity in each month of tenure, 1 after [`RAMP_MONTHS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ramp {
    level: [f64; RAMP_MONTHS],
}

/// From 0.3 in the first month in equal steps to 1 in the seventh.
impl Default for Ramp {
    fn default() -> Self {
        let mut level = [START; RAMP_MONTHS];
        let step = (1.0 - START) / 6.0;
        let mut next = START;
        for slot in &mut level {
            *slot = next;
            next += step;
        }
        Self { level }
    }
}

impl Ramp {
    /// A ramp of your own: each level is brought into `[0.05, 1]` and not below the one before; NaN counts as 1.
    pub fn new(level: [f64; RAMP_MONTHS]) -> Self {
        let mut floor = 0.05;
        Self {
            level: level.map(|x| {
                floor = if x.is_nan() { 1.0 } else { x.clamp(floor, 1.0) };
                floor
            }),
        }
    }

    /// Productivity by month of tenure.
    pub fn levels(&self) -> &[f64; RAMP_MONTHS] {
        &self.level
    }

    /// Productivity at a tenure in months; before the first day that of the first month.
    pub fn at(&self, tenure_months: f64) -> f64 {
        self.level.get(month_of(tenure_months)).copied().unwrap_or(1.0)
    }

    /// The ramp that the history shows, shrunk to the default.
    ///
    /// For each month of tenure: what its reps signed against what settled reps of the company would have, over the
    /// same days and seasons. A month of tenure with under 20 rep-months keeps its default; the default weighs as
    /// much as 30. Shapes as in [`super::CapacityInput`].
    pub(super) fn estimate(
        history: ArrayView2<'_, f64>,
        worked: ArrayView2<'_, f64>,
        season: &[f64],
        tenure_months: &[f64],
    ) -> Self {
        let mut amount = [0.0; RAMP_MONTHS + 1];
        let mut days = [0.0; RAMP_MONTHS + 1];
        let mut rep_months = [0.0; RAMP_MONTHS + 1];
        let n_months = season.len();
        for ((signed, on_duty), &tenure) in history.rows().into_iter().zip(worked.rows()).zip(tenure_months) {
            for (m, ((&a, &d), &s)) in signed.iter().zip(on_duty).zip(season).enumerate() {
                if d > 0.0 {
                    let k = month_of(tenure_at(tenure, n_months, m)).min(RAMP_MONTHS);
                    amount[k] += a;
                    days[k] += d * s;
                    rep_months[k] += 1.0;
                }
            }
        }
        let default = Self::default();
        let settled = amount[RAMP_MONTHS] / days[RAMP_MONTHS];
        if rep_months[RAMP_MONTHS] < REP_MONTHS_MIN || !settled.is_finite() || settled <= 0.0 {
            return default;
        }
        let mut level = default.level;
        for (k, slot) in level.iter_mut().enumerate() {
            if rep_months[k] >= REP_MONTHS_MIN {
                let seen = amount[k] / (settled * days[k]);
                *slot =
                    (rep_months[k] * seen + PRIOR_REP_MONTHS * *slot) / (rep_months[k] + PRIOR_REP_MONTHS);
            }
        }
        Self::new(level)
    }
}

/// Tenure at the start of closed month `m` of `n_months`.
pub(super) fn tenure_at(tenure_now: f64, n_months: usize, m: usize) -> f64 {
    tenure_now - months(n_months - m)
}

/// The month of tenure, 0 for the first and before.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at 0 and above"
)]
fn month_of(tenure_months: f64) -> usize {
    tenure_months.floor() as usize
}

/// A number of months as a real.
#[expect(clippy::cast_precision_loss, reason = "months are far below 2^53")]
fn months(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn rises_to_one() {
        let ramp = Ramp::default();
        assert!((ramp.at(-3.0) - 0.3).abs() < 1e-12 && (ramp.at(3.9) - 0.65).abs() < 1e-12);
        assert_eq!(
            (ramp.at(6.0).to_bits(), ramp.at(1e300).to_bits()),
            (1.0_f64.to_bits(), 1.0_f64.to_bits())
        );
        assert_eq!(
            Ramp::new([0.5, 0.2, f64::NAN, 9.0, 0.0, 0.3]),
            Ramp { level: [0.5, 0.5, 1.0, 1.0, 1.0, 1.0] }
        );
    }

    #[test]
    fn is_estimated_where_there_is_enough_to_see() {
        // Everybody sells 10 a day, half of it in the first month, a twentieth less of that noise aside.
        let n = 200;
        let tenure: Vec<f64> = (0..n).map(|i| f64::from(i % 24) + 0.5).collect();
        let worked =
            Array2::from_shape_fn(
                (200, 24),
                |(i, m)| if tenure_at(tenure[i], 24, m) < -1.0 { 0.0 } else { 20.0 },
            );
        let history = Array2::from_shape_fn((200, 24), |(i, m)| {
            let level = if tenure_at(tenure[i], 24, m) < 1.0 { 0.5 } else { 1.0 };
            10.0 * level * worked[[i, m]]
        });
        let ramp = Ramp::estimate(history.view(), worked.view(), &[1.0; 24], &tenure);
        assert!((ramp.at(0.0) - 0.5).abs() < 0.06, "{ramp:?}");
        assert!((ramp.at(1.5) - 1.0).abs() < 0.12, "{ramp:?}");
        let few = Ramp::estimate(
            history.slice(ndarray::s![..1, ..]),
            worked.slice(ndarray::s![..1, ..]),
            &[1.0; 24],
            &[9.0],
        );
        assert_eq!(few, Ramp::default());
    }
}
