//! What simple rules would have said at the period's start.

use super::period::{Period, PeriodKind};
use crate::panel::Panel;

/// Forecasts of one rep by simple rules; none where the table doesn't reach back far enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Baselines {
    /// The same period a year before, times the company's growth: what companies usually set.
    pub static_quota: Option<f64>,
    /// The same period a year before.
    pub seasonal_naive: Option<f64>,
    /// The same, times the rep's own growth in the last 91 days.
    pub own_growth: Option<f64>,
    /// The last 91 days, by the length of the period.
    pub run_rate: f64,
}

/// Days over which growth and run-rate are taken.
const RECENT_DAYS: i32 = 91;
const YEAR_DAYS: i32 = 364;

/// The rules of one period, for all reps.
#[derive(Debug)]
pub(crate) struct Rules<'a> {
    panel: &'a Panel,
    period: Period,
    before: Period,
    has_year: bool,
    has_growth: bool,
    company_growth: f64,
}

impl<'a> Rules<'a> {
    pub(crate) fn of(panel: &'a Panel, kind: PeriodKind, period: Period) -> Self {
        let before = kind.year_before(period);
        let first = panel.span().map_or(i32::MAX, |span| span.0);
        // A week's grace: the rows of a week stand on one of its days.
        let has_year = first <= before.start + 7;
        let has_growth = first <= period.start - RECENT_DAYS - YEAR_DAYS + 7;
        // Growth of those who sold a year ago: hiring isn't growth.
        let (mut now, mut then) = (0.0, 0.0);
        for rep in 0..panel.n_reps() {
            let (recent, earlier) = recent(panel, rep, period.start);
            if earlier > 0.0 {
                (now, then) = (now + recent, then + earlier);
            }
        }
        let company_growth = if has_growth && then > 0.0 && now > 0.0 { now / then } else { 1.0 };
        Self { panel, period, before, has_year, has_growth, company_growth }
    }

    pub(crate) fn of_rep(&self, rep: usize) -> Baselines {
        let year = self.panel.actual(rep, self.before.start, self.before.end);
        let naive = (self.has_year && year > 0.0).then_some(year);
        let (now, then) = recent(self.panel, rep, self.period.start);
        let own = if self.has_growth && then > 0.0 { (now / then).max(0.0) } else { 1.0 };
        let days = f64::from(self.period.end - self.period.start);
        Baselines {
            static_quota: naive.map(|year| year * self.company_growth),
            seasonal_naive: naive,
            own_growth: naive.map(|year| year * own),
            run_rate: now * days / f64::from(RECENT_DAYS),
        }
    }
}

/// What a rep sold in the last 91 days, and in the same weeks a year before.
fn recent(panel: &Panel, rep: usize, start: i32) -> (f64, f64) {
    let sum = |end: i32| panel.actual(rep, end - RECENT_DAYS, end);
    (sum(start), sum(start - YEAR_DAYS))
}
