//! The periods of a backtest.

use crate::panel::{Cadence, Panel, month_index, month_start, weekday};

/// What a quota covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// 91 days, counted back from the table's last day.
    Weeks13,
}

/// A period `[start, end)`, in days from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub start: i32,
    /// The day after the last.
    pub end: i32,
}

/// Days of thirteen weeks.
const WEEKS13_DAYS: i32 = 91;
/// Days of a year, kept a whole number of weeks where periods are.
const YEAR_DAYS: i32 = 364;

impl PeriodKind {
    /// The period that many periods before or, under 0, after.
    fn shifted(self, end: i32, back: i32) -> Period {
        let months = match self {
            Self::Month => 1,
            Self::Quarter => 3,
            Self::Weeks13 => {
                let end = end - back * WEEKS13_DAYS;
                return Period { start: end - WEEKS13_DAYS, end };
            }
        };
        let end = month_index(end) - back * months;
        Period { start: month_start(end - months), end: month_start(end) }
    }

    /// The same period a year before.
    pub(crate) fn year_before(self, period: Period) -> Period {
        if self == Self::Weeks13 {
            return Period { start: period.start - YEAR_DAYS, end: period.end - YEAR_DAYS };
        }
        let before = |day: i32| month_start(month_index(day) - 12);
        Period { start: before(period.start), end: before(period.end) }
    }
}

/// The last `n` periods that the table covers to their end, in order; fewer where it doesn't reach back to any day before the
/// first of them. A calendar period counts as covered when the next rows would be due after its end.
pub fn last_periods(panel: &Panel, kind: PeriodKind, n: u32) -> Vec<Period> {
    let Some((first, last)) = panel.span() else { return Vec::new() };
    let end = match kind {
        PeriodKind::Weeks13 => last + 1,
        PeriodKind::Month | PeriodKind::Quarter => {
            let month = month_index(next_due(panel, last));
            month_start(if kind == PeriodKind::Quarter { month - month.rem_euclid(3) } else { month })
        }
    };
    let all = (0..i32::try_from(n).unwrap_or(i32::MAX)).map(|back| kind.shifted(end, back));
    let mut periods: Vec<Period> = all.take_while(|period| period.start > first).collect();
    periods.reverse();
    periods
}

/// The day on which the next rows would be due.
fn next_due(panel: &Panel, last: i32) -> i32 {
    match Cadence::of(&panel.days) {
        Cadence::Weekly => last + 7,
        Cadence::Monthly => month_start(month_index(last) + 1),
        Cadence::Daily => {
            let mut usual = [0_u32; 7];
            panel.days.iter().for_each(|&day| usual[weekday(day)] += 1);
            let busiest = usual.iter().max().copied().unwrap_or(0);
            // A weekday with rows in every fifth week is one on which rows are due.
            (last + 1..last + 8).find(|&day| 5 * usual[weekday(day)] >= busiest).unwrap_or(last + 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::panel::PanelRows;

    fn panel(days: &[i32]) -> Panel {
        let zeros = vec![0; days.len()];
        let (amount, factors) = (vec![1.0; days.len()], Array2::zeros((days.len(), 0)));
        let rows =
            PanelRows { day: days, rep: &zeros, region: &zeros, amount: &amount, factors: factors.view() };
        Panel::new(&rows).unwrap()
    }

    #[test]
    fn only_whole_periods_count() {
        // Fridays from 2010-02-05 to 2012-10-26: the next would be in November, so October is over, the quarter isn't.
        let fridays: Vec<i32> = (0..143).map(|week| 14_645 + 7 * week).collect();
        let weekly = panel(&fridays);
        let day = |year: i32, month: i32| month_start((year - 1970) * 12 + month - 1);
        let months = last_periods(&weekly, PeriodKind::Month, 2);
        assert_eq!(months[1], Period { start: day(2012, 10), end: day(2012, 11) });
        let quarters = last_periods(&weekly, PeriodKind::Quarter, 99);
        assert_eq!(quarters.last(), Some(&Period { start: day(2012, 7), end: day(2012, 10) }));
        assert_eq!(quarters[0].start, day(2010, 4));
        let blocks = last_periods(&weekly, PeriodKind::Weeks13, 3);
        assert_eq!(blocks[2], Period { start: 15_640 - 91, end: 15_640 });
        assert_eq!(PeriodKind::Weeks13.year_before(blocks[2]).start, 15_640 - 91 - 364);
        assert_eq!(PeriodKind::Quarter.year_before(quarters[1]).start, day(2009, 7));
    }

    #[test]
    fn a_month_that_ends_on_a_sunday_is_over_on_friday() {
        // Working days of February and March 2024, whose 29th is a Friday and 31st a Sunday.
        let days: Vec<i32> = (19_754..19_812).filter(|&day| weekday(day) < 5).collect();
        let last = last_periods(&panel(&days), PeriodKind::Month, 1)[0];
        assert_eq!(last.end, month_start((2024 - 1970) * 12 + 3));
    }
}
