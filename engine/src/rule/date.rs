//! Dates as rules write them.

use chrono::{Datelike, NaiveDate};

use crate::time::{Day, date, day_number};

/// The day number of a date; `None` if the calendar has no such day or the year isn't 1 to 9999.
pub(super) fn day(year: i32, month: i32, day: i32) -> Option<Day> {
    let found = NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)?;
    (1..=9999).contains(&year).then(|| day_number(found))
}

/// `2026-11-22`.
pub(super) fn iso(day: Day) -> String {
    date(day).format("%Y-%m-%d").to_string()
}

/// `2026年11月22日`.
pub(super) fn chinese(day: Day) -> String {
    let date = date(day);
    format!("{:04}年{}月{}日", date.year(), date.month(), date.day())
}
