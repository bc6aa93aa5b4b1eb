//! Quota periods: the calendar month or quarter that a day falls in.

use chrono::{Datelike, NaiveDate};

use crate::settings::Period;
use crate::time::{Day, date, day_number};

/// A period's name and days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// `2026-11` or `2026-Q4`.
    pub name: String,
    /// Its first day.
    pub first: Day,
    /// Its last day.
    pub last: Day,
}

impl Span {
    /// The period in which `day` falls.
    pub fn of(day: Day, period: Period) -> Self {
        let at = date(day);
        match period {
            Period::Month => {
                let (first, last) = month(at.year(), at.month());
                Self { name: format!("{}-{:02}", at.year(), at.month()), first, last }
            }
            Period::Quarter => {
                let quarter = at.month0() / 3;
                let (first, _) = month(at.year(), quarter * 3 + 1);
                let (_, last) = month(at.year(), quarter * 3 + 3);
                Self { name: format!("{}-Q{}", at.year(), quarter + 1), first, last }
            }
        }
    }

    /// The calendar months (1–12) of the period.
    pub fn months(&self) -> Vec<u8> {
        let (first, last) = (date(self.first).month(), date(self.last).month());
        (first..=last).filter_map(|month| u8::try_from(month).ok()).collect()
    }
}

/// The first and last day of a calendar month.
pub fn month(year: i32, month: u32) -> (Day, Day) {
    let first = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
    let next = if month == 12 { NaiveDate::from_ymd_opt(year + 1, 1, 1) } else { NaiveDate::from_ymd_opt(year, month + 1, 1) };
    (day_number(first), next.map_or(day_number(first) + 30, |next| day_number(next) - 1))
}

/// The `n` whole months before the one in which `day` falls, oldest first, each as first and last day.
pub fn months_before(day: Day, n: usize) -> Vec<(Day, Day)> {
    let at = date(day);
    let (mut year, mut number) = (at.year(), at.month());
    let mut months = Vec::with_capacity(n);
    for _ in 0..n {
        (year, number) = if number == 1 { (year - 1, 12) } else { (year, number - 1) };
        months.push(month(year, number));
    }
    months.reverse();
    months
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_falls_in_its_month_and_quarter() {
        let day = day_number(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap());
        let month = Span::of(day, Period::Month);
        assert_eq!((month.name.as_str(), month.last, month.months()), ("2024-02", day, vec![2]));
        let quarter = Span::of(day, Period::Quarter);
        assert_eq!((quarter.name.as_str(), quarter.last - quarter.first, quarter.months()), ("2024-Q1", 90, vec![1, 2, 3]));
        let before = months_before(day, 3);
        assert_eq!(before.iter().map(|(first, _)| date(*first).to_string()).collect::<Vec<_>>(), ["2023-11-01", "2023-12-01", "2024-01-01"]);
    }
}
