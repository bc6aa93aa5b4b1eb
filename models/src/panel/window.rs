//! The table as it was known at an origin: one value per rep and bucket, and what the buckets to come weigh.

use super::calendar::{Cadence, Grid};
use super::input::{Panel, RepRows, Staff};
use super::weight::DayWeights;

/// Months of history that are read at most.
pub(crate) const MONTHS_MAX: usize = 48;
/// A bucket that brings less than this share of a usual one says nothing.
const EXPOSURE_MIN: f64 = 0.2;
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
    /// Amount of each bucket, had it been a usual one, `(n)`; 0 where unknown.
    pub(crate) amount: Vec<f64>,
    /// Buckets that are known, in order; from 0, the oldest.
    pub(crate) buckets: Vec<usize>,
    /// The bucket in which it began, where that is known: the time since is its tenure. Before 0 where it began before the
    /// history that is read.
    pub(crate) began: Option<i32>,
    pub(crate) left: bool,
    /// Silent for long, and on duty nonetheless: what it sells is known of before that.
    pub(crate) away: bool,
    /// The first day that it is there, and the first that it isn't any more, where these lie after the origin.
    pub(crate) from: Option<i32>,
    pub(crate) until: Option<i32>,
}

/// All that is known before the origin of a period `[origin, end)`.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) grid: Grid,
    /// Buckets of history; bucket `k` of `n` is bucket `k − n` of the grid.
    pub(crate) n: usize,
    pub(crate) reps: Vec<Known>,
    pub(crate) n_regions: usize,
    /// What each bucket to come brings within the period, against a usual whole one, `(n_future)`.
    pub(crate) future: Vec<f64>,
    weights: DayWeights,
}

impl Window {
    /// Of at most so many months before the origin; none where nothing at all is known then.
    pub(crate) fn of(panel: &Panel, cadence: Cadence, origin: i32, end: i32, months: usize) -> Option<Self> {
        let first = *panel.days.first().filter(|&&day| day < origin)?;
        let grid = Grid { cadence, origin };
        let mut oldest = grid.bucket(first);
        if cadence == Cadence::Daily && grid.start(oldest) < first && oldest < -1 {
            oldest += 1;
        }
        let n_max = months.clamp(1, MONTHS_MAX) * cadence.buckets_per_year() / 12;
        let n = usize::try_from(-oldest).unwrap_or(1).min(n_max.max(1));
        let weights = DayWeights::of(panel, cadence, origin);
        let mut future = Vec::new();
        let mut bucket = 0;
        while grid.start(bucket) < end {
            future.push(weights.until(grid, bucket, end));
            bucket += 1;
        }
        let mut window = Self { grid, n, reps: Vec::new(), n_regions: panel.n_regions, future, weights };
        let exposure: Vec<f64> = (0..n).map(|k| window.whole(window.number(k))).collect();
        let known = |(rep, rows): (usize, &RepRows)| {
            known(&window, &exposure, rep, (rows, panel.staff.get(rep)), end)
        };
        window.reps = panel.reps.iter().enumerate().filter_map(known).collect();
        Some(window)
    }

    /// What the days from `from` up to `to` bring, in usual buckets.
    pub(crate) fn usual(&self, from: i32, to: i32) -> f64 {
        let first = self.grid.bucket(from);
        let before = self.weights.until(self.grid, first, from);
        let (mut sum, mut bucket) = (-before, first);
        while self.grid.start(bucket) < to {
            sum += self.weights.until(self.grid, bucket, to);
            bucket += 1;
        }
        sum
    }

    /// What a whole bucket of the grid brings, against a usual one.
    fn whole(&self, bucket: i32) -> f64 {
        self.weights.until(self.grid, bucket, self.grid.start(bucket + 1))
    }

    /// The grid's number of a bucket of history or, from `n` on, of one to come.
    pub(crate) fn number(&self, bucket: usize) -> i32 {
        i32::try_from(bucket).unwrap_or(i32::MAX) - i32::try_from(self.n).unwrap_or(0)
    }

    /// What each bucket to come brings before `day`, `(n_future)`.
    pub(crate) fn elapsed(&self, day: i32) -> Vec<f64> {
        let share_until = |bucket: usize| {
            let number = i32::try_from(bucket).unwrap_or(0);
            let begins = self.grid.start(number);
            if day <= begins { 0.0 } else { self.weights.until(self.grid, number, day) }
        };
        (0..self.future.len()).map(|bucket| share_until(bucket).min(self.future[bucket])).collect()
    }

    /// What each bucket to come brings of a rep's time in the period before `day`, `(n_future)`; all of it where none is given.
    pub(crate) fn future_of(&self, known: &Known, day: Option<i32>) -> Vec<f64> {
        let until = known.until.map_or(day, |until| Some(day.map_or(until, |day| day.min(until))));
        let through = until.map_or_else(|| self.future.clone(), |until| self.elapsed(until));
        let Some(from) = known.from else { return through };
        through.iter().zip(self.elapsed(from)).map(|(through, before)| (through - before).max(0.0)).collect()
    }
}

fn known(
    window: &Window,
    exposure: &[f64],
    rep: usize,
    (rows, staff): (&RepRows, Option<&Staff>),
    end: i32,
) -> Option<Known> {
    let (grid, n) = (window.grid, window.n);
    let seen = rows.before(grid.origin);
    let region = match staff {
        Some(staff) if staff.hired.is_none_or(|hired| hired < end) => staff.region,
        Some(_) => return None,
        None => *rows.region.get(seen.checked_sub(1)?)?,
    } as usize;
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
    for (amount, exposure) in amount.iter_mut().zip(exposure) {
        *amount = if *exposure >= EXPOSURE_MIN { *amount / exposure } else { 0.0 };
    }
    let mut known = Known {
        rep,
        region,
        amount,
        buckets: Vec::new(),
        began: Some(offset),
        left: first_bucket < -offset,
        away: false,
        from: None,
        until: None,
    };
    if let Some(staff) = staff {
        known.by_staff(window, staff, &sold, (first_bucket, rows.day.is_empty()));
    } else if let (Some(&first), Some(&last)) = (sold.first(), sold.last()) {
        let filled = has_rows[first..].iter().filter(|&&has| has).count();
        let full = ratio(filled, last + 1 - first) >= FULL;
        known.left = is_long(n - 1 - last, &sold);
        let from = known.began_with(grid, n, first, first_bucket);
        known.buckets = (from..n).filter(|&k| !full || has_rows[k]).collect();
    }
    // Announced, or silent for years: nothing is known of what it sells.
    known.buckets.retain(|&k| exposure[k] >= EXPOSURE_MIN);
    Some(known)
}

/// Whether a silence after the last of these buckets is longer than any before makes plausible.
fn is_long(silent: usize, sold: &[usize]) -> bool {
    let longest = sold.windows(2).map(|pair| pair[1] - pair[0] - 1).max().unwrap_or(0);
    silent >= SILENT_MIN.max(SILENT_TIMES * longest)
}

impl Known {
    /// Buckets since it began, at bucket `k`.
    pub(crate) fn tenure(&self, k: usize) -> Option<usize> {
        let k = i32::try_from(k).unwrap_or(i32::MAX);
        self.began.map(|began| usize::try_from(k.saturating_sub(began)).unwrap_or(0))
    }

    /// Takes the first sale for the beginning, where it lies within the history; returns the first bucket that is wholly
    /// its own.
    fn began_with(&mut self, grid: Grid, n: usize, first: usize, first_bucket: i32) -> usize {
        let offset = i32::try_from(n).unwrap_or(i32::MAX);
        let began = 13 * first >= grid.cadence.buckets_per_year() && first_bucket >= -offset;
        self.began = began.then(|| i32::try_from(first).unwrap_or(i32::MAX));
        if began && grid.cadence != Cadence::Weekly && first + 1 < n { first + 1 } else { first }
    }

    /// What a company knows of a rep goes before what its rows suggest: when it began, and whether it is there.
    fn by_staff(&mut self, window: &Window, staff: &Staff, sold: &[usize], (first_bucket, new): (i32, bool)) {
        let (grid, n) = (window.grid, window.n);
        let offset = i32::try_from(n).unwrap_or(i32::MAX);
        let place = |day: i32| grid.bucket(day).saturating_add(offset);
        self.left = staff.left.is_some_and(|left| left <= grid.origin);
        self.until = staff.left.filter(|_| !self.left);
        let until = staff.left.map_or(n, |left| usize::try_from(place(left)).unwrap_or(0).min(n));
        let from = match (staff.hired, sold.first()) {
            (Some(hired), first) => {
                let began = place(hired);
                self.began = Some(began);
                self.from = (hired > grid.origin).then_some(hired);
                // Of somebody who has been there for longer than the history, silence before the first sale says nothing.
                let own = usize::try_from(began + 1).unwrap_or(0);
                if began < 0 { first.copied().unwrap_or(0) } else { own.min(n) }
            }
            (None, Some(&first)) => self.began_with(grid, n, first, first_bucket),
            (None, None) => {
                // Nobody knows since when: new, unless it sold before the history.
                self.began = new.then_some(offset);
                n
            }
        };
        let until = match sold.last() {
            Some(&last) if is_long(until.saturating_sub(last + 1), sold) && !self.left => {
                self.away = true;
                last + 1
            }
            _ => until,
        };
        self.buckets = (from..until.max(from)).collect();
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of buckets")]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
