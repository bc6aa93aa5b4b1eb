//! Exact decimal numbers: what an importer compares, sums and rounds. No float is involved.

use std::fmt::Write as _;

/// Decimal places kept; digits of the input after them are cut.
const PLACES: u32 = 18;
const ONE: i128 = 10_i128.pow(PLACES);
/// Largest magnitude of an amount, in whole units: `Decimal128(18, 2)` holds sixteen digits before the point.
const AMOUNT_UNITS_MAX: i128 = 10_i128.pow(16);

/// A number as a count of 10⁻¹⁸.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Decimal(i128);

/// How an amount with more than two decimal places becomes minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rounding {
    /// It doesn't: the row is rejected.
    Exact,
    /// To the nearest; a tie goes away from zero.
    HalfUp,
    /// To the nearest; a tie goes to the even neighbour.
    HalfEven,
}

/// How a source writes numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    pub(crate) decimal_point: char,
    pub(crate) thousands: Option<char>,
    /// Texts removed wherever they stand: currency signs and codes.
    pub(crate) strip: Vec<String>,
}

impl Default for NumberStyle {
    fn default() -> Self {
        Self { decimal_point: '.', thousands: None, strip: Vec::new() }
    }
}

impl NumberStyle {
    pub(crate) fn parse(&self, text: &str) -> Option<Decimal> {
        if *self == Self::default() {
            return Decimal::parse(text);
        }
        let mut plain = text.to_owned();
        for removed in &self.strip {
            plain = plain.replace(removed.as_str(), "");
        }
        let plain: String = plain
            .trim()
            .chars()
            .filter(|&c| Some(c) != self.thousands)
            .map(|c| match c {
                c if c == self.decimal_point => '.',
                '.' => '!', // a point that is neither: let the number be refused
                c => c,
            })
            .collect();
        Decimal::parse(&plain)
    }
}

impl Decimal {
    /// Reads `[+-]digits[.digits]`; `None` for anything else and for magnitudes of 10²⁰ and more.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mut value: i128 = 0;
        for byte in whole.bytes() {
            value = value.checked_mul(10)?.checked_add(i128::from(byte - b'0'))?;
        }
        value = value.checked_mul(ONE)?;
        let mut unit = ONE;
        for byte in fraction.bytes() {
            unit /= 10;
            value = value.checked_add(unit * i128::from(byte - b'0'))?;
        }
        Some(Self(if negative { -value } else { value }))
    }

    pub(crate) fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The amount with exactly two places, `None` where `rounding` or the range forbids it.
    pub(crate) fn to_amount(self, rounding: Rounding) -> Option<String> {
        const MINOR: i128 = ONE / 100;
        let (whole, rest) = (self.0.div_euclid(MINOR), self.0.rem_euclid(MINOR));
        let up = match (rounding, rest * 2) {
            (_, 0) => false,
            (Rounding::Exact, _) => return None,
            (_, double) if double != MINOR => double > MINOR,
            (Rounding::HalfUp, _) => whole >= 0,
            (Rounding::HalfEven, _) => whole.rem_euclid(2) == 1,
        };
        let minor = whole + i128::from(up);
        if minor.abs() >= AMOUNT_UNITS_MAX * 100 {
            return None;
        }
        let sign = if minor < 0 { "-" } else { "" };
        Some(format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100))
    }
}

/// The shortest exact text: no trailing zeros, no exponent.
impl std::fmt::Display for Decimal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0.abs() / ONE, self.0.abs() % ONE);
        if self.0 < 0 {
            f.write_char('-')?;
        }
        write!(f, "{whole}")?;
        if rest != 0 {
            let digits = format!("{rest:018}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_by_the_stated_rule() {
        let check = |text: &str, exact: Option<&str>, up: &str, even: &str| {
            let number = Decimal::parse(text).unwrap();
            assert_eq!(number.to_amount(Rounding::Exact).as_deref(), exact, "{text}");
            assert_eq!(number.to_amount(Rounding::HalfUp).as_deref(), Some(up), "{text}");
            assert_eq!(number.to_amount(Rounding::HalfEven).as_deref(), Some(even), "{text}");
        };
        check("1054", Some("1054.00"), "1054.00", "1054.00");
        check("0.10", Some("0.10"), "0.10", "0.10");
        check("2.345", None, "2.35", "2.34");
        check("2.355", None, "2.36", "2.36");
        check("-2.345", None, "-2.35", "-2.34");
        check("-2.355", None, "-2.36", "-2.36");
        check("-0.001", None, "0.00", "0.00");
        check("2.3450001", None, "2.35", "2.35");
        check("-7.5", Some("-7.50"), "-7.50", "-7.50");
        check(
            "9999999999999999.99",
            Some("9999999999999999.99"),
            "9999999999999999.99",
            "9999999999999999.99",
        );
    }

    #[test]
    fn what_is_no_plain_decimal_is_refused() {
        for text in ["", "-", ".", "1,234", "1e5", "NaN", "12a", "1.2.3", "999999999999999999999999"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse("10000000000000000").unwrap().to_amount(Rounding::HalfUp), None);
        assert_eq!(Decimal::parse("-001.2500").unwrap().to_string(), "-1.25");
    }

    #[test]
    fn other_ways_to_write_numbers() {
        let european = NumberStyle { decimal_point: ',', thousands: Some('.'), strip: vec!["EUR".into()] };
        assert_eq!(european.parse("EUR 1.234,5").unwrap().to_string(), "1234.5");
        let plain_comma = NumberStyle { decimal_point: ',', ..NumberStyle::default() };
        assert_eq!(plain_comma.parse("1.234,5"), None);
        let american =
            NumberStyle { thousands: Some(','), strip: vec!["$".into()], ..NumberStyle::default() };
        assert_eq!(american.parse("$1,234.50").unwrap().to_string(), "1234.5");
    }
}
