//! The table as it was known at an origin: one value per rep and bucket, and what the buckets to come weigh.

use super::calendar::{Cadence, Grid, month_index, month_start, weekday};
use super::input::{Panel, RepRows};

/// Years of history that are read.
const YEARS_MAX: usize = 4;
/// A rep with rows in this share of its buckets has none missing by chance: a hole is then unknown, else it is a zero.
const FULL: f64 = 0.8;
/// A rep is taken to have left after this many silent buckets, and this many times its longest earlier silence.
const SILENT_MIN: usize = 4;
const SILENT_TIMES: usize = 3;

/// A rep as known at the origin.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) rep: usize,
    pub(crate) region: usize,
    /// Amount of each bucket, `(n)`; 0 where unknown.
    pub(crate) amount: Vec<f64>,
    /// Buckets that are known, in order; from 0, the oldest.
    pub(crate) buckets: Vec<usize>,
    /// Whether it began within the history that is read, so that the time since is its tenure.
    pub(crate) began: Option<usize>,
    pub(crate) left: bool,
}

/// All that is known before the origin of a period `[origin, end)`.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) grid: Grid,
    /// Buckets of history; bucket `k` of `n` is bucket `k − n` of the grid.
    pub(crate) n: usize,
    pub(crate) reps: Vec<Known>,
    pub(crate) n_regions: usize,
    /// Share of each bucket to come that lies in the period, `(n_future)`.
    pub(crate) future: Vec<f64>,
    /// Share of the amounts by weekday, summing to 1.
    pub(crate) weekdays: [f64; 7],
}

impl Window {
    /// None where nothing at all is known before the origin.
    pub(crate) fn of(panel: &Panel, cadence: Cadence, origin: i32, end: i32) -> Option<Self> {
        let first = *panel.days.first().filter(|&&day| day < origin)?;
        let grid = Grid { cadence, origin };
        let mut oldest = grid.bucket(first);
        if cadence == Cadence::Daily && grid.start(oldest) < first && oldest < -1 {
            oldest += 1;
        }
        let n = usize::try_from(-oldest).unwrap_or(1).min(YEARS_MAX * cadence.buckets_per_year());
        let weekdays = weekday_shares(panel, cadence, origin);
        let mut future = Vec::new();
        let mut bucket = 0;
        while grid.start(bucket) < end {
            future.push(share(grid, &weekdays, bucket, end));
            bucket += 1;
        }
        let known = |(rep, rows): (usize, &RepRows)| known(grid, n, rep, rows);
        let reps: Vec<Known> = panel.reps.iter().enumerate().filter_map(known).collect();
        Some(Self { grid, n, reps, n_regions: panel.n_regions, future, weekdays })
    }

    /// The grid's number of a bucket of history or, from `n` on, of one to come.
    pub(crate) fn number(&self, bucket: usize) -> i32 {
        i32::try_from(bucket).unwrap_or(i32::MAX) - i32::try_from(self.n).unwrap_or(0)
    }

    /// Share of each bucket to come that lies before `day`, `(n_future)`.
    pub(crate) fn elapsed(&self, day: i32) -> Vec<f64> {
        let share_until = |bucket: usize| {
            let bucket = i32::try_from(bucket).unwrap_or(0);
            if day <= self.grid.start(bucket) { 0.0 } else { share(self.grid, &self.weekdays, bucket, day) }
        };
        (0..self.future.len()).map(|bucket| share_until(bucket).min(self.future[bucket])).collect()
    }
}

/// Share of a bucket before `end`, by what its weekdays usually bring.
fn share(grid: Grid, weekdays: &[f64; 7], bucket: i32, end: i32) -> f64 {
    let (from, to) = (grid.start(bucket), grid.start(bucket + 1));
    if to <= end {
        return 1.0;
    }
    if grid.cadence == Cadence::Monthly {
        return f64::from(end - from) / f64::from(month_start(month_index(from) + 1) - from);
    }
    (from..end).map(|day| weekdays[weekday(day)]).sum()
}

/// Shares of the weekdays in the last year; even where there is nothing.
fn weekday_shares(panel: &Panel, cadence: Cadence, origin: i32) -> [f64; 7] {
    let even = [1.0 / 7.0; 7];
    if cadence == Cadence::Monthly {
        return even;
    }
    let mut sums = [0.0; 7];
    for rows in &panel.reps {
        for row in rows.before(origin - 364)..rows.before(origin) {
            sums[weekday(rows.day[row])] += rows.amount[row].max(0.0);
        }
    }
    let total: f64 = sums.iter().sum();
    if total > 0.0 { sums.map(|sum| sum / total) } else { even }
}

fn known(grid: Grid, n: usize, rep: usize, rows: &RepRows) -> Option<Known> {
    let seen = rows.before(grid.origin);
    let region = *rows.region.get(seen.checked_sub(1)?)? as usize;
    let offset = i32::try_from(n).ok()?;
    let (mut amount, mut has_rows) = (vec![0.0; n], vec![false; n]);
    let mut first_bucket = i32::MAX;
    for (&day, &value) in rows.day.iter().zip(&rows.amount).take(seen) {
        let bucket = grid.bucket(day);
        first_bucket = first_bucket.min(bucket);
        if let Some(k) = usize::try_from(bucket + offset).ok().filter(|&k| k < n) {
            amount[k] += value;
            has_rows[k] = true;
        }
    }
    let sold: Vec<usize> = (0..n).filter(|&k| amount[k] != 0.0).collect();
    let (Some(&first), Some(&last)) = (sold.first(), sold.last()) else {
        // Announced, or silent for years: nothing is known of what it sells.
        let left = first_bucket < -offset;
        return Some(Known { rep, region, amount, buckets: Vec::new(), began: Some(n), left });
    };
    let filled = has_rows[first..].iter().filter(|&&has| has).count();
    let full = ratio(filled, last + 1 - first) >= FULL;
    let longest = sold.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(0);
    let silent = n - 1 - last;
    let left = silent >= SILENT_MIN.max(SILENT_TIMES * longest);
    let began = (13 * first >= grid.cadence.buckets_per_year() && first_bucket >= -offset).then_some(first);
    // The bucket in which a rep began is only in part its own.
    let from =
        if began.is_some() && grid.cadence != Cadence::Weekly && first + 1 < n { first + 1 } else { first };
    let buckets = (from..n).filter(|&k| !full || has_rows[k]).collect();
    Some(Known { rep, region, amount, buckets, began, left })
}

#[expect(clippy::cast_precision_loss, reason = "counts of buckets")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
