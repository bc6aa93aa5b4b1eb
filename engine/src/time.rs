//! Business days: which calendar day an instant falls on, and where a day begins, in the business time zone.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, TimeZone};
use chrono_tz::Tz;

/// Days since 1970-01-01, as in Arrow's `Date32`.
pub type Day = i32;
/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// Microseconds of a second.
pub const SECOND: Micros = 1_000_000;
/// Microseconds of 24 hours.
pub const DAY: Micros = 86_400 * SECOND;

/// The first day whose start a [`Zone`] keeps.
const KEPT_FIRST: Day = 3_652; // 1980-01-01
/// Days whose starts are found together, and how often: up to 2080.
const BLOCK_DAYS: Day = 512;
const BLOCKS: usize = 72;

/// The business time zone; the starts of days from 1980 to 2080 are found once.
#[derive(Debug, Clone)]
pub struct Zone {
    tz: Tz,
    starts: Arc<[OnceLock<Box<[Micros]>>; BLOCKS]>,
}

impl Zone {
    /// Reads an IANA name such as `Asia/Shanghai`.
    ///
    /// # Errors
    /// A sentence that names the unknown zone.
    pub fn new(name: &str) -> Result<Self, String> {
        let tz: Tz = name.parse().map_err(|_| {
            format!("unknown time zone '{name}'; use an IANA name such as \"Asia/Shanghai\" or \"UTC\"")
        })?;
        Ok(Self { tz, starts: Arc::new([const { OnceLock::new() }; BLOCKS]) })
    }

    /// The zone's IANA name.
    pub fn name(&self) -> &'static str {
        self.tz.name()
    }

    /// The zone itself.
    pub fn tz(&self) -> Tz {
        self.tz
    }

    /// The instant at which `day` begins.
    pub fn start(&self, day: Day) -> Micros {
        let since = day.saturating_sub(KEPT_FIRST);
        let place = |days: Day| usize::try_from(days).unwrap_or(usize::MAX);
        let Some(block) = self.starts.get(place(since.div_euclid(BLOCK_DAYS))) else {
            return midnight(self.tz, day);
        };
        let at = since.rem_euclid(BLOCK_DAYS);
        let starts = || (day - at..).take(place(BLOCK_DAYS)).map(|day| midnight(self.tz, day)).collect();
        block.get_or_init(starts)[place(at)]
    }

    /// The instant at which `day` ends: the midnight after it.
    pub fn end(&self, day: Day) -> Micros {
        self.start(day.saturating_add(1))
    }

    /// The day on which `at` falls.
    pub fn day(&self, at: Micros) -> Day {
        let mut day = clamp_day(at.div_euclid(DAY));
        while self.start(day) > at {
            day -= 1;
        }
        while self.end(day) <= at {
            day += 1;
        }
        day
    }
}

/// The first instant of `day` in `tz`; where its midnight, or the whole day, is skipped, the first instant after.
fn midnight(tz: Tz, day: Day) -> Micros {
    let local = date(day).and_hms_opt(0, 0, 0).unwrap_or_default();
    for quarter in 0..=96 {
        let at = local + chrono::Duration::minutes(15 * quarter);
        match tz.from_local_datetime(&at) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => return found.timestamp_micros(),
            LocalResult::None => {}
        }
    }
    i64::from(day) * DAY
}

fn clamp_day(day: i64) -> Day {
    Day::try_from(day).unwrap_or(if day < 0 { -700_000 } else { 2_900_000 })
}

/// The calendar date of a day number (outside years ±7000 the nearest representable one).
pub fn date(day: Day) -> NaiveDate {
    let epoch = NaiveDate::default();
    let days = Days::new(u64::from(day.unsigned_abs()));
    if day >= 0 {
        epoch.checked_add_days(days).unwrap_or(NaiveDate::MAX)
    } else {
        epoch.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
    }
}

/// The day number of a calendar date.
pub fn day_number(date: NaiveDate) -> Day {
    date.num_days_from_ce() - 719_163
}

/// Reads an RFC 3339 instant, e.g. `2026-01-05T09:00:00.25+08:00`, cutting what is finer than a microsecond.
pub fn parse_rfc3339(text: &str) -> Option<Micros> {
    parse_fixed(text.as_bytes())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_micros()))
}

/// The common layout `YYYY-MM-DDTHH:MM:SS[.f{1,9}](Z|±HH:MM)` without a general parser's cost.
fn parse_fixed(text: &[u8]) -> Option<Micros> {
    let (head, mut rest) = text.split_first_chunk::<19>()?;
    if head[4] != b'-' || head[7] != b'-' || head[13] != b':' || head[16] != b':' {
        return None;
    }
    if !matches!(head[10], b'T' | b't' | b' ') {
        return None;
    }
    let year = i64::from(digits(&head[..4])?);
    let (month, day) = (two_digits(head[5], head[6])?, two_digits(head[8], head[9])?);
    let (hour, minute) = (two_digits(head[11], head[12])?, two_digits(head[14], head[15])?);
    let second = two_digits(head[17], head[18])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut at = days_of_date(year, month, day)? * DAY + (hour * 3600 + minute * 60 + second) * SECOND;
    if rest.first() == Some(&b'.') {
        let length = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 || length > 9 {
            return None;
        }
        let mut micros = i64::from(digits(&rest[1..=length.min(6)])?);
        for _ in length..6 {
            micros *= 10;
        }
        at += micros;
        rest = &rest[1 + length..];
    }
    match rest {
        b"Z" | b"z" => Some(at),
        [sign @ (b'+' | b'-'), offset @ ..] if offset.len() == 5 && offset[2] == b':' => {
            let (hours, minutes) = (two_digits(offset[0], offset[1])?, two_digits(offset[3], offset[4])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let offset = (hours * 3600 + minutes * 60) * SECOND;
            Some(if *sign == b'+' { at - offset } else { at + offset })
        }
        _ => None,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; none where there is no such day. Years are counted from
/// March, so that a leap day is the last of its year.
fn days_of_date(year: i64, month: i64, day: i64) -> Option<i64> {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = LENGTHS.get(usize::try_from(month - 1).ok()?)? + i64::from(leap);
    if !(1..=length).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens * 10 + ones))
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit().then(|| value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_day(zone: &str, at: &str, expected: &str) {
        let zone = Zone::new(zone).unwrap();
        let at = parse_rfc3339(at).unwrap();
        let day = zone.day(at);
        assert_eq!(date(day).to_string(), expected);
        assert!(zone.start(day) <= at && at < zone.end(day));
    }

    #[test]
    fn an_instant_belongs_to_its_business_day() {
        check_day("Asia/Shanghai", "2026-01-04T15:59:59.999999Z", "2026-01-04");
        check_day("Asia/Shanghai", "2026-01-04T16:00:00Z", "2026-01-05");
        check_day("America/New_York", "2026-03-08T04:59:59Z", "2026-03-07");
        check_day("America/New_York", "2026-03-09T03:59:59Z", "2026-03-08");
        check_day("America/Sao_Paulo", "2018-11-04T02:59:59Z", "2018-11-03");
        check_day("UTC", "1969-12-31T23:59:59Z", "1969-12-31");
        // Samoa crossed the date line: there was no 30 December 2011.
        check_day("Pacific/Apia", "2011-12-30T09:59:59Z", "2011-12-29");
        check_day("Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for day in (-719_528..=2_932_896).step_by(13).chain([-719_528, -719_469, -1, 0, 2_932_896]) {
            let date = date(day);
            let (year, month, of_month) = (date.year().into(), date.month().into(), date.day().into());
            assert_eq!(days_of_date(year, month, of_month), Some(day.into()), "{date}");
        }
        for (year, month, day) in
            [(2026, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 0, 1), (2026, 13, 1), (2026, 1, 0)]
        {
            assert_eq!(days_of_date(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn the_fast_parser_agrees_with_the_general_one() {
        for text in
            ["2026-02-28T23:59:59Z", "2026-02-28T23:59:59.5+05:30", "2024-02-29T00:00:00.123456-08:00"]
        {
            let general = DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
            assert_eq!(parse_fixed(text.as_bytes()), Some(general), "{text}");
        }
        for text in ["2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01", "", "2026-01-01T25:00:00Z"]
        {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
