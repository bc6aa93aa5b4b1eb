//! Why a quota is what it is: its split into contributions that add up to the minor unit.
//!
//! A quota is a base times ratios, so a level and a change split alike, by the logarithmic-mean Divisia index
//! (Ang, Energy Policy 33, 2005): `Δ_k = L(to, from) · ln x_k`, with `L(a, b) = (a − b) / ln(a / b)`.
//!
//! Where logarithms end, the analytical limits hold:
//! - A ratio that goes to, from or through 0, with an amount that does: the terms that do share the whole change
//!   equally, the others contribute nothing.
//! - An amount of 0 with ratios that are all positive is less than half a unit, and counts as half a unit; so does
//!   a ratio of 0 between amounts that aren't: it can't move an amount further than to half a unit.
//! - An amount that changes its sign, while no ratio does, is shared in proportion to the logarithms' sizes.
//! - Where the ratios don't multiply to the change, the rest is shared in proportion to the contributions' sizes.

use super::error::{QuotaError, check_length};
use super::region_order::index;
use super::round::{narrow, real, real_wide, whole};

/// The amount that stands for 0 in a logarithm: what rounds to the least unit.
const HALF_A_UNIT: f64 = 0.5;

/// Splits one rep after another; holds the scratch space, so that a rep costs no allocation.
///
/// Terms that contribute exactly nothing get exactly 0. The others are rounded by largest remainder, of equals the
/// first term first. Amounts are in minor units, below 2⁶² in size.
#[derive(Debug, Clone, Default)]
pub struct Explainer {
    /// Contributions, then what rounding left of them; NaN for a term that gets no unit.
    part: Vec<f64>,
}

impl Explainer {
    /// An explainer for any number of terms.
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits a level: `out[k]` such that `base + Σ out = quota`, for `quota = base · Π ratios`.
    ///
    /// `ratios` and `out` are `(n_terms)`, in the order of the terms. A NaN is read as 1.
    ///
    /// # Errors
    /// [`QuotaError::LengthMismatch`]; [`QuotaError::NoTerms`] without a term for a difference.
    pub fn level(
        &mut self,
        base: i64,
        quota: i64,
        ratios: &[f64],
        out: &mut [i64],
    ) -> Result<(), QuotaError> {
        check_length("out", ratios.len(), out.len())?;
        self.part.clear();
        self.part.extend(ratios.iter().map(|&x| log_ratio(1.0, x)));
        self.split(base, quota, out)
    }

    /// Splits a change: `Σ out = to − from`, where each quota is the product of its `ratios_*`.
    ///
    /// All are `(n_terms)`. The base is a term like the others: its two amounts, or 1 and their [`step_ratio`].
    ///
    /// # Errors
    /// [`QuotaError::LengthMismatch`]; [`QuotaError::NoTerms`] without a term for a difference.
    pub fn change(
        &mut self,
        (from, ratios_from): (i64, &[f64]),
        (to, ratios_to): (i64, &[f64]),
        out: &mut [i64],
    ) -> Result<(), QuotaError> {
        check_length("ratios_to", ratios_from.len(), ratios_to.len())?;
        check_length("out", ratios_from.len(), out.len())?;
        self.part.clear();
        self.part.extend(ratios_from.iter().zip(ratios_to).map(|(&before, &after)| log_ratio(before, after)));
        self.split(from, to, out)
    }

    /// Splits a change whose terms are given as logarithms of their ratios, from [`log_ratio`] or
    /// [`split_driver`]; an infinite one goes to, from or through 0.
    ///
    /// # Errors
    /// [`QuotaError::LengthMismatch`]; [`QuotaError::NoTerms`] without a term for a difference.
    pub fn change_of_logs(
        &mut self,
        from: i64,
        to: i64,
        logs: &[f64],
        out: &mut [i64],
    ) -> Result<(), QuotaError> {
        check_length("out", logs.len(), out.len())?;
        self.part.clear();
        self.part.extend(logs.iter().map(|&log| if log.is_nan() { 0.0 } else { log }));
        self.split(from, to, out)
    }

    /// Turns the logarithms in `part` into contributions, and these into units.
    fn split(&mut self, from: i64, to: i64, out: &mut [i64]) -> Result<(), QuotaError> {
        let total = i128::from(to) - i128::from(from);
        if from == 0 && to == 0 {
            out.fill(0);
            return Ok(());
        }
        if out.is_empty() && total != 0 {
            return Err(QuotaError::NoTerms { amount: total });
        }
        let through_zero = self.part.iter().filter(|log| log.is_infinite()).count();
        if through_zero > 0 && from.signum() != to.signum() {
            let share = real_wide(total) / count(through_zero);
            self.part.iter_mut().for_each(|part| *part = if part.is_infinite() { share } else { 0.0 });
        } else if from.signum() * to.signum() < 0 {
            self.part.iter_mut().for_each(|part| *part = part.abs());
        } else {
            self.weigh(from, to);
        }
        self.close(total);
        self.round(total, out);
        Ok(())
    }

    /// Multiplies the logarithms by the logarithmic mean of the two amounts.
    fn weigh(&mut self, from: i64, to: i64) {
        let sign = if to < 0 || (to == 0 && from < 0) { -1.0 } else { 1.0 };
        let (from, to) = (real(from).abs().max(HALF_A_UNIT), real(to).abs().max(HALF_A_UNIT));
        let mean = sign * log_mean(from, to);
        let log_max = (from.max(to) / HALF_A_UNIT).ln().max(f64::MIN_POSITIVE);
        for part in &mut self.part {
            let log = if part.is_infinite() { log_max.copysign(*part) } else { *part };
            *part = mean * log;
        }
    }

    /// Shares what the contributions leave of the total in proportion to their sizes.
    fn close(&mut self, total: i128) {
        let (mut sum, mut size) = (0.0, 0.0);
        for &part in &self.part {
            sum += part;
            size += part.abs();
        }
        let rest = (real_wide(total) - sum) / size;
        if size > 0.0 && rest.is_finite() {
            self.part.iter_mut().for_each(|part| *part += rest * part.abs());
        }
    }

    /// Rounds to units that add up to the total.
    ///
    /// Nearest first, then one unit each where the error is largest: the same as rounding down and handing out
    /// the remainders, with a unit or two to move instead of a dozen.
    fn round(&mut self, total: i128, out: &mut [i64]) {
        let (mut sum, mut terms) = (0_i128, 0_usize);
        for (part, amount) in self.part.iter_mut().zip(out.iter_mut()) {
            *amount = whole(*part + 0.5);
            sum += i128::from(*amount);
            let idle = *part == 0.0;
            terms += usize::from(!idle);
            *part = if idle { f64::NAN } else { *part - real(*amount) };
        }
        let missing = total - sum;
        if missing == 0 {
            return;
        }
        if terms == 0 {
            if let Some(last) = out.last_mut() {
                *last = narrow(total);
            }
            return;
        }
        let terms = i128::try_from(terms).unwrap_or(i128::MAX);
        let (even, few) = (missing / terms, missing % terms);
        if even != 0 {
            let left = self.hand_out(even, 0, out);
            self.hand_out(0, left, out);
        }
        for moved in 0..few.unsigned_abs() {
            if !self.move_one(few > 0, out) {
                let left = i128::try_from(few.unsigned_abs() - moved).unwrap_or(0) * few.signum();
                self.hand_out(0, left, out);
                break;
            }
        }
    }

    /// Gives every term `each`, and the first that can hold it what is `left`; returns what none could hold.
    ///
    /// Needed for contributions beyond 2⁵³ only, which reals can't count to the unit.
    fn hand_out(&self, each: i128, mut left: i128, out: &mut [i64]) -> i128 {
        for (amount, _) in out.iter_mut().zip(&self.part).filter(|(_, part)| !part.is_nan()) {
            let wanted = i128::from(*amount) + each + left;
            *amount = narrow(wanted);
            left = wanted - i128::from(*amount);
        }
        left
    }

    /// Moves one unit to, or from, the term whose rounding error asks for it most; false if none can take it.
    fn move_one(&mut self, up: bool, out: &mut [i64]) -> bool {
        let mut best: Option<(usize, f64)> = None;
        let full = if up { i64::MAX } else { i64::MIN };
        for (k, (&error, &amount)) in self.part.iter().zip(out.iter()).enumerate() {
            let better = best.is_none_or(|(_, most)| if up { error > most } else { error <= most });
            if better && error.is_finite() && amount != full {
                best = Some((k, error));
            }
        }
        if let Some((k, _)) = best {
            out[k] += if up { 1 } else { -1 };
            self.part[k] = if up { f64::NEG_INFINITY } else { f64::INFINITY };
        }
        best.is_some()
    }
}

/// The logarithmic mean `(a − b) / ln(a / b)` of two positive numbers; `a` where they are equal, 0 where one is
/// not positive.
pub fn log_mean(a: f64, b: f64) -> f64 {
    if a <= 0.0 || b <= 0.0 {
        return 0.0;
    }
    // With u = (a − b) / (a + b): ln(a/b) = 2·atanh(u), whose series is exact where the quotient cancels.
    let u = (a - b) / (a + b);
    if u.abs() < 1e-3 {
        let u2 = u * u;
        return 0.5 * (a + b) / (1.0 + u2 / 3.0 + u2 * u2 / 5.0);
    }
    (a - b) / (a.ln() - b.ln())
}

/// `ln(after / before)`: 0 if they are equal or one is NaN; infinite if a ratio goes to, from or through 0, with the
/// sign of the change.
pub fn log_ratio(before: f64, after: f64) -> f64 {
    if before.to_bits() == after.to_bits() || before.is_nan() || after.is_nan() {
        return 0.0;
    }
    let ratio = after / before;
    if ratio > f64::MIN_POSITIVE && ratio < f64::MAX {
        return ratio.ln();
    }
    if before == 0.0 && after == 0.0 {
        return 0.0;
    }
    if before == 0.0 || after == 0.0 || (before < 0.0) != (after < 0.0) {
        let falls = after == 0.0 || (before != 0.0 && after < 0.0);
        return if falls { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    // A quotient out of range of two numbers within it.
    after.abs().ln() - before.abs().ln()
}

/// The ratio of successive amounts of a chain (proposal, after a rule, after the scale, after the clip …);
/// an amount of 0 or less counts as half a unit, so that the chain goes on.
pub fn step_ratio(before: i64, after: i64) -> f64 {
    real(after).max(HALF_A_UNIT) / real(before).max(HALF_A_UNIT)
}

/// Splits the change of a term `exp(β·z)` into two logarithms: what its driver moved, `β̄·Δz`, and what its
/// weight moved, `z̄·Δβ`. Their sum is `β₁z₁ − β₀z₀`.
///
/// `before` and `after` are `(β, z)`.
pub fn split_driver(before: (f64, f64), after: (f64, f64)) -> (f64, f64) {
    let driver = 0.5 * (before.0 + after.0) * (after.1 - before.1);
    let weight = 0.5 * (before.1 + after.1) * (after.0 - before.0);
    (driver, weight)
}

/// Sums rounded terms of reps upward, so that every level adds up.
///
/// `terms` is `(n_reps, n_terms)`, row by row; `group` is `(n_reps)`, below `n_groups`, `None` for none. The
/// result is `(n_groups, n_terms)`, row by row.
///
/// # Errors
/// [`QuotaError::LengthMismatch`] if `terms` isn't a row for each rep.
pub fn add_up(
    terms: &[i64],
    n_terms: usize,
    group: &[Option<u32>],
    n_groups: usize,
) -> Result<Vec<i64>, QuotaError> {
    check_length("terms", group.len().saturating_mul(n_terms), terms.len())?;
    let mut sums = vec![0_i64; n_groups.saturating_mul(n_terms)];
    if n_terms == 0 {
        return Ok(sums);
    }
    for (row, group) in terms.chunks_exact(n_terms).zip(group) {
        let Some(into) = group.map(index).filter(|&g| g < n_groups) else { continue };
        for (sum, &term) in sums[into * n_terms..].iter_mut().zip(row) {
            *sum = sum.saturating_add(term);
        }
    }
    Ok(sums)
}

/// A small count as a real.
#[expect(clippy::cast_precision_loss, reason = "counts of terms are far below 2^53")]
fn count(terms: usize) -> f64 {
    terms as f64
}

#[cfg(test)]
mod tests;
