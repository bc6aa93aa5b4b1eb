//! How alike two moments are: the covariance of a level that wanders, grows and has seasons.
//!
//! `k(s, t) = c² + b²·g(s)·g(t) + q²·min(|s|, |t|)·[same side] + o²·e^(−|s−t|/ℓ) + p²·e^(−2 sin²(π(s−t))/w²) + e²·[same slot]`
//!
//! | name | stands for | unit |
//! |---|---|---|
//! | `level` c | what the level may differ from its prior mean | share |
//! | `slope` b | growth; beyond the origin it fades, `g(t) = (1 − e^(−φt))/φ` | share a year |
//! | `wander` q | a random walk of the level | share per square root of a year |
//! | `bump` o | deviations that pass, with memory ℓ | share |
//! | `season` p | smooth seasons | share |
//! | `slot` e | single weeks or months of the year, such as holidays | share |
//! | `noise` | what is seen once | share |

use super::calendar::Grid;

/// Memory of a passing deviation, in years.
const BUMP_YEARS: f64 = 0.125;
/// Width of a smooth season, in radians of half the year's circle.
const SEASON_WIDTH: f64 = 0.6;
/// Growth fades at this rate a year beyond the origin.
const FADE: f64 = 0.7;

/// Standard deviations of the parts; see the module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hyper {
    pub(crate) level: f64,
    pub(crate) slope: f64,
    pub(crate) wander: f64,
    pub(crate) bump: f64,
    pub(crate) season: f64,
    pub(crate) slot: f64,
    /// Noise of one bucket; where series have noise of their own, a factor on it.
    pub(crate) noise: f64,
}

impl Hyper {
    /// The parts that are estimated: all but the level.
    pub(crate) const FREE: usize = 6;

    pub(crate) fn free(&mut self) -> [&mut f64; Self::FREE] {
        [&mut self.slope, &mut self.wander, &mut self.bump, &mut self.season, &mut self.slot, &mut self.noise]
    }
}

/// A bucket as the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    years: f64,
    growth: f64,
    phase: f64,
    slot: usize,
}

impl Moment {
    pub(crate) fn of(grid: Grid, bucket: i32) -> Self {
        let years = grid.years(bucket);
        let slot = grid.slot(bucket);
        #[expect(clippy::cast_precision_loss, reason = "slots of a year")]
        let phase = slot as f64 / grid.cadence.buckets_per_year() as f64;
        let growth = if years > 0.0 { (1.0 - (-FADE * years).exp()) / FADE } else { years };
        Self { years, growth, phase, slot }
    }
}

/// Covariances of all pairs of moments, part by part, so that a change of a standard deviation costs a sum only.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    rows: usize,
    columns: usize,
    /// Per pair: growth, wander, bump, season, slot.
    pairs: Vec<[f64; 5]>,
}

impl Parts {
    pub(crate) fn of(rows: &[Moment], columns: &[Moment]) -> Self {
        let pairs = rows.iter().flat_map(|a| columns.iter().map(|b| pair(a, b))).collect();
        Self { rows: rows.len(), columns: columns.len(), pairs }
    }

    /// The covariance of the signal, by rows.
    pub(crate) fn signal(&self, h: &Hyper) -> Vec<f64> {
        let variance = [h.slope, h.wander, h.bump, h.season, h.slot].map(|sd| sd * sd);
        let level = h.level * h.level;
        let sum = |p: &[f64; 5]| level + p.iter().zip(&variance).map(|(p, v)| p * v).sum::<f64>();
        self.pairs.iter().map(sum).collect()
    }

    /// The rows and columns picked.
    pub(crate) fn pick(&self, rows: &[usize], columns: &[usize]) -> Self {
        let places = rows.iter().flat_map(|&row| columns.iter().map(move |&c| (row, c)));
        Self {
            rows: rows.len(),
            columns: columns.len(),
            pairs: places.map(|(row, column)| self.pairs[row * self.columns + column]).collect(),
        }
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }
}

fn pair(a: &Moment, b: &Moment) -> [f64; 5] {
    let apart = (a.years - b.years).abs();
    let same_side = (a.years > 0.0) == (b.years > 0.0);
    let turn = (std::f64::consts::PI * (a.phase - b.phase)).sin();
    [
        a.growth * b.growth,
        if same_side { a.years.abs().min(b.years.abs()) } else { 0.0 },
        (-apart / BUMP_YEARS).exp(),
        (-2.0 * turn * turn / (SEASON_WIDTH * SEASON_WIDTH)).exp(),
        if a.slot == b.slot { 1.0 } else { 0.0 },
    ]
}
