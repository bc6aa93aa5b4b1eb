//! One value: from its text to a typed, exact value, or the reason why not.

use super::reason;
use crate::time::{DAY, Day, Micros, Zone, day_number, parse_rfc3339};

/// The first and last instant that a column holds: years 1 to 9999.
const TIME_MIN: Micros = -719_162 * DAY;
const TIME_MAX: Micros = 2_932_897 * DAY - 1;
/// 1900-01-01T00:00:00Z: no event of a sale is older.
const EVENT_TIME_MIN: Micros = -25_567 * DAY;
/// The largest amount in minor units: 18 digits.
const MINOR_MAX: i64 = 999_999_999_999_999_999;
/// Powers of ten that fit beside 18 digits.
const SHIFT_MAX: i64 = 18;

/// An instant: RFC 3339, or whole microseconds since 1970 as digits.
pub(crate) fn time(text: &str) -> Result<Micros, &'static str> {
    let at = if is_integer(text) { text.parse().ok() } else { parse_rfc3339(text) };
    at.filter(|at| (TIME_MIN..=TIME_MAX).contains(at)).ok_or(reason::NOT_A_TIME)
}

/// An instant, or a date for its midnight in the business time zone.
pub(crate) fn time_or_date(text: &str, zone: &Zone) -> Result<Micros, &'static str> {
    calendar_date(text).map_or_else(|| time(text), |day| Ok(zone.start(day)))
}

/// Whether an instant is one that a column can hold.
pub(crate) fn in_range(at: Micros) -> bool {
    (TIME_MIN..=TIME_MAX).contains(&at)
}

/// Whether an event may have happened then: not before 1900, not after `latest`.
pub(crate) fn event_time(at: Micros, latest: Micros) -> Result<Micros, &'static str> {
    if at > latest {
        Err(reason::TOO_LATE)
    } else if at < EVENT_TIME_MIN {
        Err(if in_range(at) { reason::TOO_EARLY } else { reason::NOT_A_TIME })
    } else {
        Ok(at)
    }
}

/// A day: `YYYY-MM-DD`, or the business day of an RFC 3339 instant.
pub(crate) fn date(text: &str, zone: &Zone) -> Result<Day, &'static str> {
    calendar_date(text)
        .or_else(|| parse_rfc3339(text).filter(|&at| in_range(at)).map(|at| zone.day(at)))
        .ok_or(reason::NOT_A_DATE)
}

fn calendar_date(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let year = i32::try_from(year).ok().filter(|&year| year >= 1)?;
    chrono::NaiveDate::from_ymd_opt(year, month, day).map(day_number)
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An amount in minor units, exactly: sign, digits, point, exponent. Zeros past the second place are no more places.
pub(crate) fn money(text: &str) -> Result<i64, &'static str> {
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..]).ok_or(reason::NOT_AN_AMOUNT)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(reason::NOT_AN_AMOUNT);
    }
    let mut value: i64 = 0;
    let mut overflow = false;
    // Zeros are held back until a digit follows, so that trailing ones never count.
    let mut zeros: u32 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        match byte {
            b'0' => zeros = zeros.saturating_add(1),
            b'1'..=b'9' => {
                let wide = 10_i64.checked_pow(zeros.saturating_add(1)).and_then(|by| value.checked_mul(by));
                match wide.and_then(|wide| wide.checked_add(i64::from(byte - b'0'))) {
                    Some(next) => value = next,
                    None if value == 0 => value = i64::from(byte - b'0'),
                    None => overflow = true,
                }
                zeros = 0;
            }
            _ => return Err(reason::NOT_AN_AMOUNT),
        }
    }
    if value == 0 {
        return Ok(0);
    }
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX);
    let shift = exponent.saturating_add(2).saturating_add(i64::from(zeros)).saturating_sub(places);
    if shift < 0 {
        return Err(reason::TOO_FINE);
    }
    let minor = (!overflow && shift <= SHIFT_MAX)
        .then(|| u32::try_from(shift).ok().and_then(|shift| value.checked_mul(10_i64.checked_pow(shift)?)))
        .flatten()
        .filter(|minor| *minor <= MINOR_MAX)
        .ok_or(reason::TOO_LARGE)?;
    Ok(if negative { -minor } else { minor })
}

/// An amount in minor units from an unscaled decimal of `scale` places.
pub(crate) fn money_of_decimal(unscaled: i128, scale: i8) -> Result<i64, &'static str> {
    let places = u32::from(scale.unsigned_abs());
    let minor = if scale <= 2 {
        let up = if scale < 0 { places + 2 } else { 2 - places };
        10_i128.checked_pow(up).and_then(|by| unscaled.checked_mul(by)).ok_or(reason::TOO_LARGE)?
    } else {
        let down = 10_i128.checked_pow(places - 2).ok_or(reason::TOO_FINE)?;
        if unscaled % down != 0 {
            return Err(reason::TOO_FINE);
        }
        unscaled / down
    };
    i64::try_from(minor).ok().filter(|minor| minor.abs() <= MINOR_MAX).ok_or(reason::TOO_LARGE)
}

fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse().unwrap_or(i64::MAX / 4);
    Some(if text.starts_with('-') { -size } else { size })
}

/// A finite float.
pub(crate) fn number(text: &str) -> Result<f64, &'static str> {
    let value: f64 = text.parse().map_err(|_| reason::NOT_A_NUMBER)?;
    if value.is_finite() { Ok(value) } else { Err(reason::NOT_FINITE) }
}

/// A count: zero or more.
pub(crate) fn count(text: &str) -> Result<i32, &'static str> {
    text.parse().ok().filter(|count| *count >= 0).ok_or(reason::NOT_A_COUNT)
}

/// True or false, as spreadsheets and databases write them.
pub(crate) fn flag(text: &str) -> Result<bool, &'static str> {
    match text {
        "true" | "TRUE" | "True" | "1" => Ok(true),
        "false" | "FALSE" | "False" | "0" => Ok(false),
        _ => Err(reason::NOT_A_FLAG),
    }
}
