//! Numbers that are the same on every machine: the few conversions and the exponential and logarithm that
//! the draws need, made of the four exact operations only (the platform's own differ in the last digit).

const LN_2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `n` as a float.
#[expect(clippy::cast_precision_loss, reason = "counts and cents stay far below 2^53")]
pub(crate) fn real(n: i64) -> f64 {
    n as f64
}

/// The nearest whole number, halves away from zero; the ends of `i64` where it does not fit, 0 for NaN.
#[expect(clippy::cast_possible_truncation, reason = "saturates by definition")]
pub(crate) fn whole(x: f64) -> i64 {
    x.round() as i64
}

/// The top 53 bits as a fraction in `[0, 1)`.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a float exactly")]
pub(crate) fn fraction(bits: u64) -> f64 {
    (bits >> 11) as f64 / 9_007_199_254_740_992.0
}

/// The low 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "cuts by definition")]
pub(crate) fn low(bits: u64) -> u32 {
    bits as u32
}

/// A `u32` as a position.
pub(crate) fn at(index: u32) -> usize {
    index as usize
}

/// A length or position as `u32`; the limits of [`crate::Scale`] keep every one in range.
pub(crate) fn narrow(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A day number as a position; days before the first are the first.
pub(crate) fn slot(day: i32) -> usize {
    usize::try_from(day).unwrap_or(0)
}

/// A position as a day number.
pub(crate) fn day_number(slot: usize) -> i32 {
    i32::try_from(slot).unwrap_or(i32::MAX)
}

/// A number of days, out of a float, at least 0.
pub(crate) fn whole_days(x: f64) -> i32 {
    i32::try_from(whole(x).clamp(0, 1_000_000)).unwrap_or(0)
}

/// eˣ, for |x| ≤ 700 (clamped), to about one unit in the last place.
pub(crate) fn exp(x: f64) -> f64 {
    let x = x.clamp(-700.0, 700.0);
    let k = (x / std::f64::consts::LN_2).round();
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut sum = 1.0;
    let mut n = 14.0;
    while n >= 1.0 {
        sum = 1.0 + sum * r / n;
        n -= 1.0;
    }
    let exponent = u64::try_from(whole(k) + 1023).unwrap_or(0);
    sum * f64::from_bits(exponent << 52)
}

/// The natural logarithm of a positive normal number; of anything else, that of the smallest normal one.
pub(crate) fn ln(x: f64) -> f64 {
    let x = if x >= f64::MIN_POSITIVE && x.is_finite() { x } else { f64::MIN_POSITIVE };
    let bits = x.to_bits();
    let mut exponent = real(i64::try_from(bits >> 52).unwrap_or(0) - 1023);
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa /= 2.0;
        exponent += 1.0;
    }
    // ln m = 2 (f + f³/3 + f⁵/5 + …)
    let f = (mantissa - 1.0) / (mantissa + 1.0);
    let mut sum = 0.0;
    let mut n = 25.0;
    while n >= 1.0 {
        sum = sum * f * f + 1.0 / n;
        n -= 2.0;
    }
    exponent * LN_2_HIGH + (exponent * LN_2_LOW + 2.0 * f * sum)
}

#[cfg(test)]
mod tests {
    use super::{exp, ln};

    #[test]
    fn exp_and_ln_agree_with_the_platform() {
        for i in -4000..4000 {
            let x = f64::from(i) * 0.017;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp {x}");
            let y = f64::from(i + 4001) * 0.37;
            assert!((ln(y) - y.ln()).abs() < 1e-14, "ln {y}");
        }
    }
}
