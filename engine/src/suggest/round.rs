//! The roundest number of an interval, so that a rule's threshold is one that a person would have written.

/// Digits that a threshold may have, zeros at its end aside.
const DIGITS_MAX: usize = 3;
/// The largest power of ten that is tried.
const EXPONENT_MAX: i32 = 12;

/// The number with the fewest digits that is above `low` and at most `high`, with how many it has; `None` where all of
/// them have too many.
///
/// Of several with as few, a multiple of five goes first, then the one nearest to the middle.
pub(super) fn roundest(low: f64, high: f64) -> Option<(f64, usize)> {
    if low < 0.0 && 0.0 <= high {
        return Some((0.0, 1));
    }
    // From coarse to fine; what has too many digits at one power has more at every smaller one.
    for exponent in (-EXPONENT_MAX..=EXPONENT_MAX).rev() {
        let step = 10_f64.powi(exponent);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        if last - first > 100.0 {
            return None;
        }
        let middle = f64::midpoint(low, high) / step;
        let mut best: Option<(bool, f64, f64, usize)> = None;
        let mut number = first;
        while number <= last {
            let text = format!("{number:.0}");
            let digits = text.trim_start_matches('-').len();
            let value = format!("{text}e{exponent}").parse().unwrap_or(f64::NAN);
            if low < value && value <= high && digits <= DIGITS_MAX {
                let odd = number % 5.0 != 0.0;
                let far = (number - middle).abs();
                if best.is_none_or(|(known, distance, ..)| (odd, far) < (known, distance)) {
                    best = Some((odd, far, value, digits));
                }
            }
            number += 1.0;
        }
        if let Some((_, _, value, digits)) = best {
            return Some((value, digits));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_as_round_as_it_can_be() {
        for (low, high, expected) in [
            (0.312, 0.29, None),
            (0.29, 0.312, Some((0.3, 1))),
            (6.0, 7.0, Some((7.0, 1))),
            (4.0, 10.0, Some((10.0, 1))),
            (4_812.0, 5_377.0, Some((5_000.0, 1))),
            (11.2, 19.0, Some((15.0, 2))),
            (-0.4, 0.2, Some((0.0, 1))),
            (-0.42, -0.31, Some((-0.4, 1))),
            (101.2, 101.9, None),
            (101.2, 102.4, Some((102.0, 3))),
            (0.0, 0.001, Some((0.001, 1))),
        ] {
            assert_eq!(roundest(low, high), expected, "{low} {high}");
        }
    }
}
