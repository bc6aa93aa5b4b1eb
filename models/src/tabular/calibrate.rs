//! From margins to probabilities that come true, and the interval around each.
//!
//! The blend is a Platt scaling already (Platt 1999: a logistic regression on held-out margins). Where isotonic
//! regression (Zadrozny, Elkan 2002) validates better, its steps are put on top, joined by lines so that no order is
//! lost.

use serde::{Deserialize, Serialize};

use super::{log_loss, real, sigmoid};

/// Log-odds beyond which no probability is stated: 1 in a million.
const LOG_ODDS_MAX: f64 = 13.8;
/// Rows under which steps would be noise.
const ISOTONIC_ROWS_MIN: usize = 1_000;
/// Rows that a stretch of the interval is judged by, at least.
const STRETCH_ROWS_MIN: usize = 50;
const STRETCHES_MAX: usize = 40;
/// Two-sided 90 %.
const Z: f64 = 1.644_853_626_951_472_7;

/// A function through points, straight between them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

impl Curve {
    /// The value at `x`: constant beyond the ends.
    fn at(&self, x: f64) -> f64 {
        let after = self.x.partition_point(|&point| point < x);
        match (after.checked_sub(1), self.x.get(after)) {
            (None, _) => self.y.first().copied().unwrap_or_default(),
            (Some(before), None) => self.y[before],
            (Some(before), Some(&right)) => {
                let left = self.x[before];
                let share = if right > left { (x - left) / (right - left) } else { 1.0 };
                self.y[before] + share * (self.y[after] - self.y[before])
            }
        }
    }
}

impl Curve {
    /// Whether its points are in order and finite.
    fn is_sound(&self) -> bool {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        self.x.len() == self.y.len() && self.x.is_sorted() && finite(&self.x) && finite(&self.y)
    }
}

/// A probability with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// That the label is true.
    pub probability: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// What turns a margin into a probability.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Calibration {
    /// By how much isotonic regression moves the log-odds; nothing where Platt scaling validated better.
    shift: Option<Curve>,
    /// By how much the share of positive rows may lie lower and higher, in log-odds.
    lower: Curve,
    higher: Curve,
}

impl Calibration {
    /// Whether all curves are.
    pub(super) fn is_sound(&self) -> bool {
        self.shift.iter().chain([&self.lower, &self.higher]).all(Curve::is_sound)
    }

    /// Calibrates on held-out margins, each counting `weights` times; every other row judges the steps of the rest.
    /// `in_time`: no steps, since rows to come may lie beyond them, where a line goes on and steps end.
    pub(super) fn fit(margins: &[f64], labels: &[bool], weights: &[usize], in_time: bool) -> Self {
        let rows: Vec<Row> = margins
            .iter()
            .zip(labels)
            .zip(weights)
            .map(|((&margin, &label), &weight)| Row { margin, label, weight: real(weight) })
            .collect();
        let (even, odd): (Vec<_>, Vec<_>) =
            rows.iter().enumerate().partition(|(position, _)| position % 2 == 0);
        let halves = [even, odd].map(|half| half.into_iter().map(|(_, &row)| row).collect::<Vec<Row>>());
        let loss = |fit_on: &[Row], judge: &[Row]| {
            let shift = isotonic(fit_on);
            let of = |row: &Row, margin: f64| row.weight * log_loss(row.label, margin);
            judge
                .iter()
                .map(|row| of(row, moved(Some(&shift), row.margin)) - of(row, row.margin))
                .sum::<f64>()
        };
        let gained = loss(&halves[0], &halves[1]) + loss(&halves[1], &halves[0]);
        let shift = (!in_time && gained < 0.0 && rows.len() >= ISOTONIC_ROWS_MIN).then(|| isotonic(&rows));
        let (lower, higher) = interval(&rows, shift.as_ref());
        Self { shift, lower, higher }
    }

    /// Whether isotonic steps are in use.
    pub(super) fn is_isotonic(&self) -> bool {
        self.shift.is_some()
    }

    /// The calibrated log-odds of a margin.
    pub(super) fn log_odds(&self, margin: f64) -> f64 {
        moved(self.shift.as_ref(), margin)
    }

    /// The probability of a margin, and its interval.
    pub(super) fn apply(&self, margin: f64) -> Scored {
        let log_odds = self.log_odds(margin);
        Scored {
            probability: sigmoid(log_odds),
            low: sigmoid(log_odds + self.lower.at(margin)),
            high: sigmoid(log_odds + self.higher.at(margin)),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Row {
    margin: f64,
    label: bool,
    weight: f64,
}

fn moved(shift: Option<&Curve>, margin: f64) -> f64 {
    let moved = margin + shift.map_or(0.0, |shift| shift.at(margin));
    moved.clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX)
}

fn sorted(rows: &[Row]) -> Vec<Row> {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.margin.total_cmp(&b.margin));
    sorted
}

/// By how much the log-odds of the steps that fit best (pooled adjacent violators) differ from the margin, at the
/// middle of each step.
fn isotonic(rows: &[Row]) -> Curve {
    struct Step {
        weight: f64,
        positive: f64,
        margins: f64,
    }
    let mut steps: Vec<Step> = Vec::new();
    for row in sorted(rows) {
        let positive = row.weight * f64::from(u8::from(row.label));
        steps.push(Step { weight: row.weight, positive, margins: row.weight * row.margin });
        while let [.., before, last] = steps.as_mut_slice()
            && before.positive * last.weight >= last.positive * before.weight
        {
            before.weight += last.weight;
            before.positive += last.positive;
            before.margins += last.margins;
            steps.pop();
        }
    }
    let mut curve = Curve::default();
    for step in steps {
        let middle = step.margins / step.weight;
        let log_odds = ((step.positive + 0.5) / (step.weight - step.positive + 0.5)).ln();
        if curve.x.last().is_none_or(|&last| middle > last) {
            curve.x.push(middle);
            curve.y.push(log_odds - middle);
        }
    }
    curve
}

/// Wilson's interval (1927) for the share of positive rows in stretches of like margins, against what is stated there.
fn interval(rows: &[Row], shift: Option<&Curve>) -> (Curve, Curve) {
    let rows = sorted(rows);
    let stretches = (rows.len() / STRETCH_ROWS_MIN).clamp(1, STRETCHES_MAX);
    let (mut lower, mut higher) = (Curve::default(), Curve::default());
    for stretch in 0..stretches {
        let part = &rows[rows.len() * stretch / stretches..rows.len() * (stretch + 1) / stretches];
        if part.is_empty() {
            continue;
        }
        let n = real(part.len());
        let share = real(part.iter().filter(|row| row.label).count()) / n;
        let stated = part.iter().map(|row| sigmoid(moved(shift, row.margin))).sum::<f64>() / n;
        let centre = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let log_odds = |p: f64| (p.clamp(1e-9, 1.0 - 1e-9) / (1.0 - p.clamp(1e-9, 1.0 - 1e-9))).ln();
        let x = part.iter().map(|row| row.margin).sum::<f64>() / n;
        for (curve, end) in [(&mut lower, centre - half), (&mut higher, centre + half)] {
            let is_lower = end < centre;
            let away = (log_odds(end) - log_odds(stated)).clamp(-LOG_ODDS_MAX, LOG_ODDS_MAX);
            curve.x.push(x);
            curve.y.push(if is_lower { away.min(0.0) } else { away.max(0.0) });
        }
    }
    (lower, higher)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_scikit_learn() {
        // scikit-learn 1.9.1, IsotonicRegression().fit_transform(range(8), [0, 0, 1, 0, 1, 0, 1, 1]): 0, 0, .5 x 4, 1, 1.
        let labels = [false, false, true, false, true, false, true, true];
        let rows: Vec<Row> = (0_u32..)
            .zip(labels)
            .map(|(i, label)| Row { margin: f64::from(i), label, weight: 1.0 })
            .collect();
        let curve = isotonic(&rows);
        assert_eq!(curve.x, [0.5, 3.5, 6.5]);
        // Half a row is added to each side, so that no share is 0 or 1.
        let expected = [(0.5_f64 / 2.5).ln() - 0.5, 0.0 - 3.5, (2.5_f64 / 0.5).ln() - 6.5];
        for (found, expected) in curve.y.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
    }

    #[test]
    fn distorted_margins_are_put_right_and_keep_their_order() {
        // Every tenth row positive at margin 1, half of them at margin 2: far from what the margins say.
        let n = 4_000;
        let margins: Vec<f64> = (0..n).map(|i| if i % 4 < 2 { 1.0 } else { 2.0 }).collect();
        let labels: Vec<bool> =
            (0..n).map(|i| if i % 4 < 2 { i % 20 == 0 } else { i / 4 % 2 == 0 }).collect();
        let calibration = Calibration::fit(&margins, &labels, &vec![1; n], false);
        assert!(calibration.is_isotonic());
        let (one, two) = (calibration.apply(1.0), calibration.apply(2.0));
        assert!((one.probability - 0.1).abs() < 0.01 && (two.probability - 0.5).abs() < 0.01);
        assert!(one.low <= one.probability && one.probability <= one.high && one.high < two.low);
        assert!(calibration.log_odds(1.2) > calibration.log_odds(1.1));
        let far = calibration.apply(1e300);
        assert!(far.probability < 1.0 && far.high <= 1.0);
    }
}
