//! Days of the business time zone as instants: `calendar.day`, which the metrics join instead of counting offsets.

use std::iter;
use std::sync::Arc;

use arrow::array::{Date32Array, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, TimeUnit};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use super::MetricError;

/// Longest stretch of local time that a zone has skipped: a whole day, when the date line moved.
const GAP_SECONDS_MAX: i64 = 2 * 86_400;

/// One row per day from `from` to `to`, both included, ascending: `date` (Date32), `starts_at` and `ends_at`
/// (Timestamp µs UTC), none null. A day ends where the next one starts, so its length may be other than 24 hours.
///
/// # Errors
/// [`MetricError::DayOutOfRange`] at the ends of the calendar.
pub fn day_table(zone: Tz, from: NaiveDate, to: NaiveDate) -> Result<RecordBatch, MetricError> {
    let days: Vec<NaiveDate> =
        iter::successors(Some(from), NaiveDate::succ_opt).take_while(|day| *day <= to).collect();
    let mut midnights = Vec::with_capacity(days.len() + 1);
    for &day in &days {
        midnights.push(start_of_day(zone, day)?);
    }
    if let Some(&last) = days.last() {
        midnights.push(start_of_day(zone, offset_day(last, 1)?)?);
    }
    let starts = midnights.iter().copied().take(days.len());
    let ends = midnights.iter().copied().skip(1);
    let dates = days.iter().map(|&day| Date32Type::from_naive_date(day));
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(Date32Array::from_iter_values(dates)),
            Arc::new(TimestampMicrosecondArray::from_iter_values(starts).with_timezone("UTC")),
            Arc::new(TimestampMicrosecondArray::from_iter_values(ends).with_timezone("UTC")),
        ],
    )
    .map_err(|source| MetricError::Table { table: "calendar.day", source })
}

/// The instant a day starts at, in µs since the epoch: its midnight; the first of two where the clock is set back
/// over it, the first second after it where the clock is set forward over it.
///
/// # Errors
/// [`MetricError::DayOutOfRange`] where there is none.
pub(super) fn start_of_day(zone: Tz, day: NaiveDate) -> Result<i64, MetricError> {
    let midnight = day.and_time(NaiveTime::MIN);
    (0..=GAP_SECONDS_MAX)
        .map_while(|seconds| midnight.checked_add_signed(TimeDelta::seconds(seconds)))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map(|instant| instant.timestamp_micros())
        .ok_or(MetricError::DayOutOfRange { day })
}

/// The day that many days later; earlier, if negative.
///
/// # Errors
/// [`MetricError::DayOutOfRange`] past the ends of the calendar.
pub(super) fn offset_day(day: NaiveDate, days: i64) -> Result<NaiveDate, MetricError> {
    let distance = Days::new(days.unsigned_abs());
    if days < 0 { day.checked_sub_days(distance) } else { day.checked_add_days(distance) }
        .ok_or(MetricError::DayOutOfRange { day })
}

fn schema() -> SchemaRef {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("date", DataType::Date32, false),
        Field::new("starts_at", instant.clone(), false),
        Field::new("ends_at", instant, false),
    ]))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::TimestampMicrosecondType;
    use chrono::DateTime;

    use super::*;

    #[track_caller]
    fn check(zone: Tz, day: &str, starts_at: &str, hours: i64) {
        let day: NaiveDate = day.parse().unwrap();
        let table = day_table(zone, day, day).unwrap();
        let instant =
            |column: usize| table.column(column).as_primitive::<TimestampMicrosecondType>().value(0);
        let start = DateTime::from_timestamp_micros(instant(1)).unwrap();
        assert_eq!(start.to_rfc3339(), starts_at);
        assert_eq!(instant(2) - instant(1), hours * 3_600_000_000);
    }

    #[test]
    fn a_day_lasts_from_midnight_to_midnight() {
        check(Tz::Asia__Shanghai, "2026-11-20", "2026-11-19T16:00:00+00:00", 24);
        check(Tz::Europe__Berlin, "2026-03-29", "2026-03-28T23:00:00+00:00", 23);
        check(Tz::Europe__Berlin, "2026-10-25", "2026-10-24T22:00:00+00:00", 25);
    }

    #[test]
    fn a_day_without_midnight_starts_when_the_clock_has_passed_it() {
        check(Tz::America__Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00+00:00", 23);
        // The date line moved over Samoa: it never had this day.
        check(Tz::Pacific__Apia, "2011-12-30", "2011-12-30T10:00:00+00:00", 0);
    }

    #[test]
    fn a_range_is_ascending_and_may_be_empty() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let rows = |from, to| day_table(Tz::Asia__Shanghai, day(from), day(to)).unwrap().num_rows();
        assert_eq!(rows("2026-11-20", "2026-12-01"), 12);
        assert_eq!(rows("2026-11-20", "2026-11-19"), 0);
        assert!(day_table(Tz::UTC, NaiveDate::MAX, NaiveDate::MAX).is_err());
    }
}
