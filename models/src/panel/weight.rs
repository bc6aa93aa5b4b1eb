//! What a day weighs: the share of a usual week's or month's amount that it brings, by weekday and, where it is known, by
//! whether people work on it.

use super::calendar::{Cadence, Grid, month_index, month_start, weekday};
use super::input::{Panel, Workdays};

/// Days that the mean of all working days counts for, beside those of one weekday.
const PRIOR_DAYS: f64 = 6.0;
/// Days over which weights are learnt: a year of whole weeks.
const YEAR_DAYS: i32 = 364;
/// Weeks of a mean month.
const WEEKS_PER_MONTH: f64 = 365.25 / 12.0 / 7.0;

/// Weights of days, learnt from the year before an origin; those of a usual week sum to 1.
#[derive(Debug, Clone)]
pub(crate) struct DayWeights {
    /// Of working days by weekday; of all days where workdays are not known.
    working: [f64; 7],
    /// Of days off.
    off: f64,
    workdays: Option<Workdays>,
}

impl DayWeights {
    pub(crate) fn of(panel: &Panel, cadence: Cadence, origin: i32) -> Self {
        let even = [1.0 / 7.0; 7];
        let last_year = panel.days.partition_point(|&day| day < origin - YEAR_DAYS)
            ..panel.days.partition_point(|&day| day < origin);
        let Some(workdays) = &panel.workdays else {
            let mut sums = [0.0; 7];
            for place in last_year.filter(|_| cadence != Cadence::Monthly) {
                sums[weekday(panel.days[place])] += panel.totals[place];
            }
            let total: f64 = sums.iter().sum();
            let working = if total > 0.0 { sums.map(|sum| sum / total) } else { even };
            return Self { working, off: 0.0, workdays: None };
        };
        let first = panel.days.first().map_or(origin, |&first| first.max(origin - YEAR_DAYS));
        // Amount and days, by weekday where people work, and off.
        let (mut working, mut off) = ([(0.0, 0.0); 7], (0.0, 0.0));
        let mut totals = panel.days[last_year.clone()].iter().zip(&panel.totals[last_year]).peekable();
        for day in first..origin {
            let amount = totals.next_if(|row| *row.0 == day).map_or(0.0, |row| *row.1);
            let sum = if workdays.is_working(day) { &mut working[weekday(day)] } else { &mut off };
            *sum = (sum.0 + amount, sum.1 + 1.0);
        }
        let all = working.iter().fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
        if all.0 <= 0.0 || cadence == Cadence::Monthly {
            let working = [1.0 / 5.0; 7];
            return Self { working, off: 0.0, workdays: Some(workdays.clone()) };
        }
        let mean = all.0 / all.1;
        let weight = |(sum, days): (f64, f64)| (sum + PRIOR_DAYS * mean) / (days + PRIOR_DAYS);
        let (days_off, off) = (off.1, if off.1 > 0.0 { off.0 / off.1 } else { 0.0 });
        let week = (all.0 + days_off * off) / (all.1 + days_off) * 7.0;
        Self {
            working: working.map(|one| weight(one) / week),
            off: off / week,
            workdays: Some(workdays.clone()),
        }
    }

    fn day(&self, day: i32) -> f64 {
        match &self.workdays {
            Some(workdays) if !workdays.is_working(day) => self.off,
            _ => self.working[weekday(day)],
        }
    }

    /// What a bucket brings until `end`, against a usual whole one: 1 for a whole one where workdays are not known.
    pub(crate) fn until(&self, grid: Grid, bucket: i32, end: i32) -> f64 {
        let (from, to) = (grid.start(bucket), grid.start(bucket + 1));
        if self.workdays.is_some() {
            let days: f64 = (from..end.min(to)).map(|day| self.day(day)).sum();
            return if grid.cadence == Cadence::Monthly { days / WEEKS_PER_MONTH } else { days };
        }
        if to <= end {
            return 1.0;
        }
        if grid.cadence == Cadence::Monthly {
            return f64::from((end - from).max(0)) / f64::from(month_start(month_index(from) + 1) - from);
        }
        (from..end).map(|day| self.day(day)).sum()
    }
}
