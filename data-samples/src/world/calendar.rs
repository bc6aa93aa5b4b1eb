//! Working days and seasons: public holidays in the Chinese manner, with the working weekends that pay for the
//! long ones, and the true season of sales.

use chrono::{Datelike, NaiveDate, Weekday};

use crate::clock::Clock;

/// Days of the calendar before the first day generated and after the last one.
pub(crate) const MARGIN_DAYS: i32 = 60;

/// Spring Festival, Dragon Boat and Mid-Autumn (month, day) of the years from 2020.
const LUNAR: [[(u32, u32); 3]; 16] = [
    [(1, 25), (6, 25), (10, 1)],
    [(2, 12), (6, 14), (9, 21)],
    [(2, 1), (6, 3), (9, 10)],
    [(1, 22), (6, 22), (9, 29)],
    [(2, 10), (6, 10), (9, 17)],
    [(1, 29), (5, 31), (10, 6)],
    [(2, 17), (6, 19), (9, 25)],
    [(2, 6), (6, 9), (9, 15)],
    [(1, 26), (5, 28), (10, 3)],
    [(2, 13), (6, 16), (9, 22)],
    [(2, 3), (6, 5), (9, 12)],
    [(1, 23), (6, 24), (10, 1)],
    [(2, 11), (6, 12), (9, 19)],
    [(1, 31), (6, 1), (9, 8)],
    [(2, 19), (6, 20), (9, 27)],
    [(2, 8), (6, 10), (9, 16)],
];

const MONTH_SEASON: [f64; 12] = [0.92, 0.78, 1.08, 1.0, 1.0, 1.12, 0.92, 0.94, 1.08, 0.96, 1.14, 1.06];
const WEEKDAY_SEASON: [f64; 7] = [0.95, 1.0, 1.03, 1.04, 0.98, 0.7, 0.7];
const DAY_OFF_SEASON: f64 = 0.08;

/// The calendar of the days around the world, by number.
#[derive(Debug)]
pub(crate) struct Calendar {
    first: i32,
    days: Vec<Day>,
}

/// One day of the calendar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    /// Its date.
    pub(crate) date: NaiveDate,
    /// Whether the company works.
    pub(crate) working: bool,
    /// The season it is in.
    pub(crate) tag: Option<&'static str>,
    /// True factor of sales: month × weekday; little on a day off.
    pub(crate) season: f64,
}

impl Calendar {
    /// The calendar of the clock's days, two months each way.
    pub(crate) fn new(clock: &Clock) -> Self {
        let first = -MARGIN_DAYS;
        let days = (first..clock.days() + MARGIN_DAYS).map(|day| describe(clock.date(day))).collect();
        Self { first, days }
    }

    /// A day; those outside are the nearest.
    pub(crate) fn day(&self, day: i32) -> Day {
        let slot = usize::try_from(day - self.first).unwrap_or(0).min(self.days.len() - 1);
        self.days[slot]
    }

    /// Every day, in order, with its number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, Day)> + '_ {
        (self.first..).zip(self.days.iter().copied())
    }
}

fn describe(date: NaiveDate) -> Day {
    let working = is_working(date);
    let season = if working {
        let month = usize::try_from(date.month0()).unwrap_or(0);
        let weekday = usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0);
        MONTH_SEASON[month] * WEEKDAY_SEASON[weekday]
    } else {
        DAY_OFF_SEASON
    };
    Day { date, working, tag: tag(date), season }
}

fn lunar(year: i32, which: usize) -> Option<NaiveDate> {
    let fallback = [(2, 5), (6, 10), (9, 20)][which];
    let slot = usize::try_from(year - 2020).ok();
    let (month, day) = slot.and_then(|slot| LUNAR.get(slot)).map_or(fallback, |dates| dates[which]);
    NaiveDate::from_ymd_opt(year, month, day)
}

/// Days from `date` back to the (month, day) of the same year.
fn since(date: NaiveDate, month: u32, day: u32) -> i64 {
    NaiveDate::from_ymd_opt(date.year(), month, day).map_or(i64::MAX, |from| (date - from).num_days())
}

fn since_lunar(date: NaiveDate, which: usize) -> i64 {
    lunar(date.year(), which).map_or(i64::MAX, |from| (date - from).num_days())
}

fn is_holiday(date: NaiveDate) -> bool {
    (0..1).contains(&since(date, 1, 1))
        || (-1..7).contains(&since_lunar(date, 0))
        || (0..3).contains(&since(date, 4, 4))
        || (0..5).contains(&since(date, 5, 1))
        || (0..1).contains(&since_lunar(date, 1))
        || (0..1).contains(&since_lunar(date, 2))
        || (0..7).contains(&since(date, 10, 1))
}

/// A Sunday shortly before, or a Saturday shortly after, one of the two long holidays.
fn is_working_weekend(date: NaiveDate) -> bool {
    let near = |since: i64, length: i64| match date.weekday() {
        Weekday::Sun => (-7..-1).contains(&since),
        Weekday::Sat => (length..length + 7).contains(&since),
        _ => false,
    };
    near(since_lunar(date, 0), 7) || near(since(date, 10, 1), 7)
}

fn is_working(date: NaiveDate) -> bool {
    let weekend = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    !is_holiday(date) && (!weekend || is_working_weekend(date))
}

fn tag(date: NaiveDate) -> Option<&'static str> {
    let quarter_ends = date.month().is_multiple_of(3);
    if (-14..16).contains(&since_lunar(date, 0)) {
        Some("spring_festival")
    } else if (0..7).contains(&since(date, 10, 1)) {
        Some("golden_week")
    } else if (0..18).contains(&since(date, 6, 1)) {
        Some("mid_year_sale")
    } else if (0..11).contains(&since(date, 11, 1)) {
        Some("double_eleven")
    } else if (0..17).contains(&since(date, 12, 15)) {
        Some("year_end")
    } else if quarter_ends && date.day() > 20 {
        Some("quarter_end")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{is_working, tag};
    use chrono::NaiveDate;

    #[test]
    fn holidays_and_working_weekends() {
        let check = |text: &str, working: bool| {
            let date: NaiveDate = text.parse().unwrap();
            assert_eq!(is_working(date), working, "{date}");
        };
        check("2026-01-01", false);
        check("2026-01-05", true);
        check("2026-01-10", false);
        check("2026-02-15", true); // the Sunday before Spring Festival
        check("2026-02-16", false);
        check("2026-02-23", false);
        check("2026-02-24", true);
        check("2026-02-28", true); // the Saturday after it
        check("2026-10-01", false);
        check("2090-06-12", true);
        assert_eq!(tag("2026-11-03".parse().unwrap()), Some("double_eleven"));
    }
}
