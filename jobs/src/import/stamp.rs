//! Dates and times: from the formats of a source to UTC instants, days and periods.
//!
//! Rules for a local time: where clocks go back and it occurs twice, the first occurrence is
//! meant; where clocks go forward and it doesn't occur, it moves forward by the gap. A shift by days is by
//! calendar days of the mapping's time zone; a shift by hours, minutes or seconds is by elapsed time.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{
    DateTime, Datelike, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat,
    TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;

/// Years outside are taken for a misread format.
const YEARS: std::ops::RangeInclusive<i32> = 1900..=2199;

/// One way a source writes dates or times.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Rfc3339,
    /// Whole units since 1970 of this many microseconds.
    Epoch {
        unit_us: i64,
    },
    Pattern(Vec<Item<'static>>),
}

impl Format {
    /// `rfc3339`, `epoch_s`, `epoch_ms`, `epoch_us`, or a strftime pattern.
    pub(crate) fn new(text: &str) -> Option<Self> {
        Some(match text {
            "rfc3339" => Self::Rfc3339,
            "epoch_s" => Self::Epoch { unit_us: 1_000_000 },
            "epoch_ms" => Self::Epoch { unit_us: 1_000 },
            "epoch_us" => Self::Epoch { unit_us: 1 },
            _ if !text.contains('%') => return None,
            _ => Self::Pattern(StrftimeItems::new(text).parse_to_owned().ok()?),
        })
    }

    fn read(&self, text: &str) -> Option<Moment> {
        match self {
            Self::Rfc3339 => DateTime::parse_from_rfc3339(text).ok().map(|t| Moment::Instant(t.to_utc())),
            Self::Epoch { unit_us } => {
                let microseconds = text.parse::<i64>().ok()?.checked_mul(*unit_us)?;
                DateTime::from_timestamp_micros(microseconds).map(Moment::Instant)
            }
            Self::Pattern(items) => {
                let mut parsed = Parsed::new();
                parse(&mut parsed, text, items.iter()).ok()?;
                if parsed.offset().is_some() || parsed.timestamp().is_some() {
                    return parsed.to_datetime().ok().map(|t| Moment::Instant(t.to_utc()));
                }
                let day = parsed.to_naive_date().ok()?;
                Some(match parsed.hour_mod_12() {
                    Some(_) => Moment::Local(day.and_time(parsed.to_naive_time().ok()?)),
                    None => Moment::Day(day),
                })
            }
        }
    }
}

/// What a text said, before the time zone is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Instant(DateTime<Utc>),
    Local(NaiveDateTime),
    Day(NaiveDate),
}

/// A shift such as `+5d` or `-3h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shift {
    Days(i64),
    Elapsed(TimeDelta),
}

impl Shift {
    /// `+` or `-`, digits, and one of `d`, `h`, `m`, `s`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let unit = text.chars().last()?;
        let amount = text.strip_suffix(unit)?;
        if !amount.starts_with(['+', '-']) {
            return None;
        }
        let amount: i64 = amount.parse().ok().filter(|n: &i64| n.abs() <= 1_000_000)?;
        match unit {
            'd' => Some(Self::Days(amount)),
            'h' => TimeDelta::try_hours(amount).map(Self::Elapsed),
            'm' => TimeDelta::try_minutes(amount).map(Self::Elapsed),
            's' => TimeDelta::try_seconds(amount).map(Self::Elapsed),
            _ => None,
        }
    }
}

/// What a parsed moment is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// `2017-03-01T12:00:00.000000Z`
    Instant,
    /// `2017-03-01`, in the mapping's time zone
    Day,
    /// `2017-Q1`
    Quarter,
    /// `2017-03`
    Month,
}

/// How a column of dates or times is read and written.
#[derive(Debug, Clone)]
pub(crate) struct StampRule {
    pub(crate) formats: Vec<Format>,
    /// Time of day of a source that gives only the day.
    pub(crate) at: NaiveTime,
    pub(crate) shift: Option<Shift>,
    pub(crate) zone: Tz,
    pub(crate) output: Output,
}

impl StampRule {
    /// The canonical text of `text`; `None` where no format fits or the year is out of range.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let spaced;
        let text = if text.is_ascii() {
            text
        } else {
            // Spreadsheet exports put narrow and fixed spaces before AM and PM.
            spaced = text.replace(['\u{202f}', '\u{a0}'], " ");
            &spaced
        };
        let moment = self.formats.iter().find_map(|format| format.read(text))?;
        match self.output {
            Output::Instant => {
                let instant = self.instant(moment)?;
                YEARS.contains(&instant.year()).then(|| instant.to_rfc3339_opts(SecondsFormat::Micros, true))
            }
            output => {
                let day = self.day(moment)?;
                if !YEARS.contains(&day.year()) {
                    return None;
                }
                Some(match output {
                    Output::Quarter => format!("{}-Q{}", day.year(), day.month0() / 3 + 1),
                    Output::Month => format!("{}-{:02}", day.year(), day.month()),
                    _ => day.to_string(),
                })
            }
        }
    }

    fn instant(&self, moment: Moment) -> Option<DateTime<Utc>> {
        let instant = match (moment, self.shift) {
            (Moment::Instant(instant), Some(Shift::Days(days))) => {
                let local = instant.with_timezone(&self.zone).naive_local();
                to_utc(local.date().plus(days)?.and_time(local.time()), self.zone)?
            }
            (Moment::Instant(instant), _) => instant,
            (Moment::Local(local), Some(Shift::Days(days))) => {
                to_utc(local.date().plus(days)?.and_time(local.time()), self.zone)?
            }
            (Moment::Local(local), _) => to_utc(local, self.zone)?,
            (Moment::Day(day), Some(Shift::Days(days))) => {
                to_utc(day.plus(days)?.and_time(self.at), self.zone)?
            }
            (Moment::Day(day), _) => to_utc(day.and_time(self.at), self.zone)?,
        };
        match self.shift {
            Some(Shift::Elapsed(delta)) => instant.checked_add_signed(delta),
            _ => Some(instant),
        }
    }

    fn day(&self, moment: Moment) -> Option<NaiveDate> {
        match (moment, self.shift) {
            (Moment::Day(day), Some(Shift::Days(days))) => day.plus(days),
            (Moment::Local(local), Some(Shift::Days(days))) => local.date().plus(days),
            (Moment::Day(day), None) => Some(day),
            (Moment::Local(local), None) => Some(local.date()),
            _ => Some(self.instant(moment)?.with_timezone(&self.zone).date_naive()),
        }
    }
}

/// Calendar arithmetic that stays inside chrono's range.
trait PlusDays: Sized {
    fn plus(self, days: i64) -> Option<Self>;
}

impl PlusDays for NaiveDate {
    fn plus(self, days: i64) -> Option<Self> {
        let count = Days::new(days.unsigned_abs());
        if days < 0 { self.checked_sub_days(count) } else { self.checked_add_days(count) }
    }
}

/// The instant of a local time, by the rules at the top of this file.
fn to_utc(local: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => Some(instant.to_utc()),
        MappedLocalTime::None => {
            // No gap is longer than a day (a zone that crosses the date line skips one).
            let before = local.checked_sub_signed(TimeDelta::hours(25))?;
            let offset = zone.offset_from_local_datetime(&before).earliest()?.fix();
            let utc = local.checked_sub_signed(TimeDelta::seconds(i64::from(offset.local_minus_utc())))?;
            Some(utc.and_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(formats: &[&str], zone: &str, shift: Option<&str>, output: Output) -> StampRule {
        StampRule {
            formats: formats.iter().map(|format| Format::new(format).unwrap()).collect(),
            at: NaiveTime::from_hms_opt(12, 0, 0).unwrap(),
            shift: shift.map(|shift| Shift::parse(shift).unwrap()),
            zone: zone.parse().unwrap(),
            output,
        }
    }

    #[test]
    fn instants() {
        let check = |format: &str, zone: &str, shift: Option<&str>, text: &str, expected: Option<&str>| {
            assert_eq!(
                rule(&[format], zone, shift, Output::Instant).apply(text).as_deref(),
                expected,
                "{text}"
            );
        };
        let local = "%Y-%m-%d %H:%M:%S";
        let amsterdam = "Europe/Amsterdam";
        let stamp = "2011-10-01T00:38:44.546+02:00";
        check("rfc3339", amsterdam, None, stamp, Some("2011-09-30T22:38:44.546000Z"));
        check("%Y-%m-%dT%H:%M:%S%.f%:z", amsterdam, None, stamp, Some("2011-09-30T22:38:44.546000Z"));
        check("epoch_ms", amsterdam, None, "1500000000123", Some("2017-07-14T02:40:00.123000Z"));
        check(local, "Asia/Shanghai", None, "2024-01-01 07:30:00", Some("2023-12-31T23:30:00.000000Z"));
        check("%m/%d/%Y", "UTC", None, "3/4/2024", Some("2024-03-04T12:00:00.000000Z"));
        check(
            "%m/%d/%Y, %I:%M %p",
            "UTC",
            None,
            "3/4/2024, 2:05\u{202f}PM",
            Some("2024-03-04T14:05:00.000000Z"),
        );
        // Twice: the first. Never: forward by the gap.
        check(local, amsterdam, None, "2011-10-30 02:30:00", Some("2011-10-30T00:30:00.000000Z"));
        check(local, amsterdam, None, "2011-03-27 02:30:00", Some("2011-03-27T01:30:00.000000Z"));
        check("%Y-%m-%d", "Pacific/Apia", None, "2011-12-30", Some("2011-12-30T22:00:00.000000Z"));
        // A day by the calendar, and 24 hours, over the end of summer time.
        check(local, amsterdam, Some("+1d"), "2011-10-29 12:00:00", Some("2011-10-30T11:00:00.000000Z"));
        check(local, amsterdam, Some("+24h"), "2011-10-29 12:00:00", Some("2011-10-30T10:00:00.000000Z"));
        check(local, amsterdam, Some("-90s"), "2011-10-29 12:00:00", Some("2011-10-29T09:58:30.000000Z"));
        check(local, amsterdam, None, "2011-13-29 12:00:00", None);
        check("%m/%d/%Y", "UTC", None, "3/4/24", None);
        check(local, amsterdam, None, "2011-10-29 12:00:00 x", None);
    }

    #[test]
    fn days_and_periods() {
        let check = |zone: &str, shift: Option<&str>, output: Output, text: &str, expected: Option<&str>| {
            let rule = rule(&["%Y-%m-%d", "rfc3339"], zone, shift, output);
            assert_eq!(rule.apply(text).as_deref(), expected, "{text}");
        };
        check("UTC", Some("+5d"), Output::Quarter, "2010-12-29", Some("2011-Q1"));
        check("UTC", Some("+5d"), Output::Quarter, "2011-09-29", Some("2011-Q4"));
        check("UTC", None, Output::Month, "2011-09-29", Some("2011-09"));
        check("Asia/Shanghai", None, Output::Day, "2011-09-29T16:00:00Z", Some("2011-09-30"));
        check("UTC", Some("-1d"), Output::Day, "2012-03-01", Some("2012-02-29"));
        check("UTC", None, Output::Day, "2011-02-29", None);
    }

    #[test]
    fn wrong_formats_and_shifts_are_told() {
        for text in ["day", "%Q", ""] {
            assert!(Format::new(text).is_none(), "{text}");
        }
        for text in ["5d", "+d", "+5", "+5w", "", "+99999999999d"] {
            assert_eq!(Shift::parse(text), None, "{text}");
        }
    }
}
