//! The season index: what a month of the year is worth against an average one.

use crate::error::{ModelError, Range, check_values};

/// Months of a year.
const YEAR: usize = 12;
/// Closed months below which all indices are 1.
const MONTHS_MIN: usize = 13;
/// Years of "every month is alike" that the estimate is shrunk with.
const PRIOR_YEARS: f64 = 1.0;
/// An index stays above this: a month without sales isn't a month without capacity.
const INDEX_MIN: f64 = 0.1;

/// Indices of January to December, their mean 1, from the company's closed months.
///
/// `totals` `(n_months)` runs from the oldest month, which is `first_month` of its year (1 to 12; taken modulo 12).
/// Give amounts per working day, so that short months aren't seasons. Each month is set against the centred
/// twelve-month average around it (its line is carried on at both ends); the ratios of one month of the year are
/// averaged, and shrunk to 1 as if one more year had known no seasons. All 1 under 13 months, or where the averages
/// aren't positive.
///
/// # Errors
/// [`ModelError::NotFinite`] for NaN or infinity.
pub fn season_index(totals: &[f64], first_month: u8) -> Result<[f64; YEAR], ModelError> {
    check_values("totals", totals, Range::Finite)?;
    let flat = [1.0; YEAR];
    if totals.len() < MONTHS_MIN {
        return Ok(flat);
    }
    let trend = centred_average(totals);
    let (mut ratio, mut years) = ([0.0; YEAR], [0.0; YEAR]);
    let first = usize::from(first_month).wrapping_add(YEAR - 1) % YEAR;
    for (m, (&total, &average)) in totals.iter().zip(&trend).enumerate() {
        if average <= 0.0 {
            return Ok(flat);
        }
        ratio[(first + m) % YEAR] += total / average;
        years[(first + m) % YEAR] += 1.0;
    }
    let mut index = flat;
    for (slot, (sum, n)) in index.iter_mut().zip(ratio.iter().zip(&years)) {
        *slot = ((sum + PRIOR_YEARS) / (n + PRIOR_YEARS)).max(INDEX_MIN);
    }
    let mean = index.iter().sum::<f64>() / 12.0;
    Ok(index.map(|x| x / mean))
}

/// The centred average over twelve months (half a month at each end of thirteen), carried on along its own line
/// for the first and the last six months. `totals` has at least thirteen.
fn centred_average(totals: &[f64]) -> Vec<f64> {
    let half = YEAR / 2;
    let inner: Vec<f64> = totals
        .windows(YEAR + 1)
        .map(|w| (w[1..YEAR].iter().sum::<f64>() + 0.5 * (w[0] + w[YEAR])) / 12.0)
        .collect();
    let (Some(&first), Some(&last)) = (inner.first(), inner.last()) else { return vec![0.0; totals.len()] };
    // A slope from under a year of averages is noise.
    let slope = if inner.len() > YEAR { (last - first) / count(inner.len() - 1) } else { 0.0 };
    (0..totals.len())
        .map(|m| match m.checked_sub(half) {
            None => first - slope * count(half - m),
            Some(i) => inner.get(i).copied().unwrap_or_else(|| last + slope * count(i + 1 - inner.len())),
        })
        .collect()
}

/// A number of months as a real.
#[expect(clippy::cast_precision_loss, reason = "months are far below 2^53")]
fn count(months: usize) -> f64 {
    months as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUE: [f64; YEAR] = [0.8, 0.7, 1.1, 1.0, 1.0, 1.2, 0.9, 0.9, 1.1, 1.0, 1.1, 1.2];

    fn flat(totals: &[f64]) -> bool {
        season_index(totals, 1).unwrap().map(f64::to_bits) == [1.0; YEAR].map(f64::to_bits)
    }

    fn totals(n: usize, first: usize, growth: f64) -> Vec<f64> {
        (0..n).map(|m| 500.0 * (1.0 + growth * count(m)) * TRUE[(first + m) % YEAR]).collect()
    }

    #[test]
    fn known_seasons_are_found_but_for_the_shrinkage() {
        for growth in [0.0, 0.01] {
            let index = season_index(&totals(48, 3, growth), 4).unwrap();
            for (found, expected) in index.iter().zip(TRUE) {
                // Four years of data against one of no seasons.
                assert!((found - (4.0 * expected + 1.0) / 5.0).abs() < 0.02, "{index:?}");
            }
            assert!((index.iter().sum::<f64>() - 12.0).abs() < 1e-9);
        }
    }

    #[test]
    fn little_data_leans_to_one() {
        assert!(flat(&totals(12, 0, 0.0)) && flat(&[0.0; 40]) && flat(&[]));
        let index = season_index(&totals(13, 0, 0.0), 1).unwrap();
        assert!((index[1] - 0.85).abs() < 0.02, "{index:?}");
        assert!(matches!(season_index(&[f64::NAN], 1), Err(ModelError::NotFinite { position: 0, .. })));
    }
}
