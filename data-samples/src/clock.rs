//! Days and instants of the business time zone, and how an instant is written.

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::number::{day_number, real, whole};

/// Microseconds of a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds of an hour.
pub(crate) const HOUR: i64 = 3_600 * SECOND;

/// The calendar days of the world, by number: 0 is the first day generated, -1 the day before.
#[derive(Debug)]
pub(crate) struct Clock {
    zone: Tz,
    first: NaiveDate,
    /// Of days 0 ..= n, as UTC microseconds.
    midnights: Vec<i64>,
    /// Seconds east of UTC all day; `None` on a day when the clocks change.
    offsets: Vec<Option<i32>>,
}

impl Clock {
    /// The clock of `days` days from `first`.
    pub(crate) fn new(zone: Tz, first: NaiveDate, days: u32) -> Self {
        let date = |day: u32| first.checked_add_days(Days::new(u64::from(day))).unwrap_or(NaiveDate::MAX);
        let midnights: Vec<i64> = (0..=days).map(|day| midnight_of(zone, date(day))).collect();
        let offsets = midnights
            .windows(2)
            .map(|pair| {
                let (open, close) = (offset_at(zone, pair[0]), offset_at(zone, pair[1] - 1));
                (open == close).then_some(open)
            })
            .collect();
        Self { zone, first, midnights, offsets }
    }

    /// The date of a day.
    pub(crate) fn date(&self, day: i32) -> NaiveDate {
        self.first.checked_add_signed(Duration::days(i64::from(day))).unwrap_or(self.first)
    }

    /// The instant at which a day begins.
    pub(crate) fn midnight(&self, day: i32) -> i64 {
        match usize::try_from(day).ok().and_then(|i| self.midnights.get(i)) {
            Some(&us) => us,
            None => midnight_of(self.zone, self.date(day)),
        }
    }

    /// The instant `offset` microseconds into a day, kept inside it.
    pub(crate) fn instant(&self, day: i32, offset: i64) -> i64 {
        let (from, to) = (self.midnight(day), self.midnight(day + 1));
        (from + offset).clamp(from, to - 1)
    }

    /// The instant of an hour (such as 8.5) of a day.
    pub(crate) fn hour(&self, day: i32, hour: f64) -> i64 {
        self.instant(day, whole(hour * real(HOUR)))
    }

    /// The day of an instant, at least `from`, looking forward.
    pub(crate) fn day_of(&self, us: i64, from: i32) -> i32 {
        let mut day = from;
        while self.midnight(day + 1) <= us {
            day += 1;
        }
        day
    }

    /// Seconds east of UTC at an instant.
    pub(crate) fn offset_seconds(&self, us: i64) -> i32 {
        let after = self.midnights.partition_point(|&midnight| midnight <= us);
        let known = after.checked_sub(1).and_then(|i| self.offsets.get(i).copied().flatten());
        known.unwrap_or_else(|| offset_at(self.zone, us))
    }

    /// The number of days generated.
    pub(crate) fn days(&self) -> i32 {
        day_number(self.offsets.len())
    }

    /// Appends an instant as RFC 3339 with microseconds and the zone's offset.
    pub(crate) fn write(&self, us: i64, out: &mut Vec<u8>) {
        write_instant(us, self.offset_seconds(us), out);
    }

    /// An instant as RFC 3339 with microseconds and the zone's offset.
    pub(crate) fn text(&self, us: i64) -> String {
        let mut out = Vec::with_capacity(32);
        self.write(us, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// The instant of an hour of a day, as text.
    pub(crate) fn hour_text(&self, day: i32, hour: f64) -> String {
        self.text(self.hour(day, hour))
    }
}

fn offset_at(zone: Tz, us: i64) -> i32 {
    let utc = DateTime::from_timestamp_micros(us).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

/// The first instant of a date; where the clocks skip midnight, the first that exists.
fn midnight_of(zone: Tz, date: NaiveDate) -> i64 {
    let mut local = date.and_time(NaiveTime::MIN);
    for _ in 0..96 {
        if let Some(found) = zone.from_local_datetime(&local).earliest() {
            return found.timestamp_micros();
        }
        local += Duration::minutes(15);
    }
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

/// Appends an instant as RFC 3339 with microseconds, at an offset of whole minutes.
pub(crate) fn write_instant(us: i64, offset_seconds: i32, out: &mut Vec<u8>) {
    let local = us + i64::from(offset_seconds) * SECOND;
    let (day, mut rest) = (local.div_euclid(24 * HOUR), local.rem_euclid(24 * HOUR));
    let (year, month, date) = civil(day);
    digits(year, 4, out);
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(date, 2, out);
    for (unit, mark) in [(HOUR, b'T'), (60 * SECOND, b':'), (SECOND, b':')] {
        out.push(mark);
        digits(rest / unit, 2, out);
        rest %= unit;
    }
    out.push(b'.');
    digits(rest, 6, out);
    out.push(if offset_seconds < 0 { b'-' } else { b'+' });
    let minutes = i64::from(offset_seconds.abs()) / 60;
    digits(minutes / 60, 2, out);
    out.push(b':');
    digits(minutes % 60, 2, out);
}

/// Appends a non-negative number with leading zeros.
pub(crate) fn digits(number: i64, width: usize, out: &mut Vec<u8>) {
    let mut text = [b'0'; 20];
    let mut rest = number.unsigned_abs();
    let mut from = text.len();
    while rest > 0 {
        from -= 1;
        text[from] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    from = from.min(text.len() - width.clamp(1, 20));
    out.extend_from_slice(&text[from..]);
}

/// Year, month and day of a day since 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, date)
}

#[cfg(test)]
mod tests {
    use super::{Clock, HOUR};
    use chrono::{DateTime, NaiveDate};

    #[test]
    fn instants_are_written_as_chrono_reads_them() {
        for zone in [chrono_tz::Asia::Shanghai, chrono_tz::America::New_York] {
            let clock = Clock::new(zone, NaiveDate::from_ymd_opt(2024, 2, 27).unwrap(), 40);
            for day in -3..45 {
                for hour in [0, 1, 2, 3, 9, 22] {
                    let us = clock.instant(day, hour * HOUR + 123_456);
                    let back = DateTime::parse_from_rfc3339(&clock.text(us)).unwrap();
                    assert_eq!(back.timestamp_micros(), us);
                    assert_eq!(back.date_naive(), clock.date(day), "{zone} day {day} hour {hour}");
                }
            }
        }
    }
}
