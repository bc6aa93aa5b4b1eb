//! A ratio's change split exactly: by how much groups weigh, and by what each of them does.
//!
//! With `R = Σ N_g / Σ D_g`, weights `w_g = D_g / ΣD` and rates `r_g = N_g / D_g`, bars for the mean of both days:
//! `ΔR = Σ_g (r̄_g − R̄)·Δw_g  +  Σ_g w̄_g·Δr_g`, mix and rate. A group without a rate on one of the days takes that of
//! the other, so its coming or going is mix alone.

use std::collections::BTreeMap;

/// Units in which effects are whole numbers that add up: a millionth.
pub(super) const UNIT: f64 = 1e-6;

/// A numerator and a denominator.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Part {
    pub(super) num: f64,
    pub(super) den: f64,
}

impl Part {
    fn rate(self) -> Option<f64> {
        (self.den != 0.0).then(|| self.num / self.den)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.num += other.num;
        self.den += other.den;
    }
}

fn total(groups: &BTreeMap<String, Part>) -> Part {
    let mut sum = Part::default();
    for part in groups.values() {
        sum.add(*part);
    }
    sum
}

/// What a group did to the ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Effect<T> {
    pub(super) mix: T,
    pub(super) rate: T,
}

/// Splits the change of `ΣN / ΣD` over groups; `None` where the ratio is undefined on one of the days.
pub(super) fn split(
    before: &BTreeMap<String, Part>,
    after: &BTreeMap<String, Part>,
) -> Option<BTreeMap<String, Effect<f64>>> {
    let (whole_before, whole_after) = (total(before), total(after));
    let mean = 0.5 * (whole_before.rate()? + whole_after.rate()?);
    let part = |groups: &BTreeMap<String, Part>, name: &String| groups.get(name).copied().unwrap_or_default();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let effects = names.into_iter().map(|name| {
        let (old, new) = (part(before, name), part(after, name));
        let (weight_old, weight_new) = (old.den / whole_before.den, new.den / whole_after.den);
        let effect = match (old.rate().or(new.rate()), new.rate().or(old.rate())) {
            (Some(rate_old), Some(rate_new)) => Effect {
                mix: (0.5 * (rate_old + rate_new) - mean) * (weight_new - weight_old),
                rate: 0.5 * (weight_old + weight_new) * (rate_new - rate_old),
            },
            // Something counted over nothing: it is all of it.
            _ => Effect { mix: 0.0, rate: new.num / whole_after.den - old.num / whole_before.den },
        };
        (name.clone(), effect)
    });
    Some(effects.collect())
}

/// Effects in whole units that add up to `total`: nearest, then one unit each where the error is largest.
pub(super) fn whole(effects: &[f64], total: i64) -> Vec<i64> {
    let mut units: Vec<i64> = effects.iter().map(|effect| units(*effect)).collect();
    let mut missing = total - units.iter().sum::<i64>();
    let mut order: Vec<usize> = (0..effects.len()).collect();
    let error = |place: usize, units: &[i64]| effects[place] / UNIT - real(units[place]);
    order.sort_by(|&a, &b| error(b, &units).total_cmp(&error(a, &units)).then(a.cmp(&b)));
    while missing != 0 && !order.is_empty() {
        for step in 0..order.len() {
            if missing == 0 {
                break;
            }
            let place = if missing > 0 { order[step] } else { order[order.len() - 1 - step] };
            units[place] += missing.signum();
            missing -= missing.signum();
        }
    }
    units
}

/// A number in whole units.
#[expect(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds exactly")]
pub(super) fn units(value: f64) -> i64 {
    if value.is_finite() { (value / UNIT).round().clamp(-9.0e15, 9.0e15) as i64 } else { 0 }
}

#[expect(clippy::cast_precision_loss, reason = "clamped to what a double holds exactly")]
pub(super) fn real(units: i64) -> f64 {
    units as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(parts: &[(&str, f64, f64)]) -> BTreeMap<String, Part> {
        parts.iter().map(|&(name, num, den)| (name.to_owned(), Part { num, den })).collect()
    }

    #[test]
    fn a_mix_that_moves_and_rates_that_move_are_told_apart() {
        // The same rates, other weights: all of it is mix.
        let effects = split(
            &groups(&[("a", 9.0, 10.0), ("b", 1.0, 10.0)]),
            &groups(&[("a", 27.0, 30.0), ("b", 1.0, 10.0)]),
        );
        let effects = effects.unwrap();
        assert!(effects.values().all(|effect| effect.rate.abs() < 1e-12));
        assert!((effects.values().map(|effect| effect.mix).sum::<f64>() - 0.2).abs() < 1e-12);
        // The same weights, other rates: all of it is rate, and of one group.
        let effects = split(
            &groups(&[("a", 5.0, 10.0), ("b", 1.0, 10.0)]),
            &groups(&[("a", 7.0, 10.0), ("b", 1.0, 10.0)]),
        );
        let effects = effects.unwrap();
        assert!((effects["a"].rate - 0.1).abs() < 1e-12 && effects["a"].mix.abs() < 1e-12);
        assert_eq!(effects["b"], Effect { mix: 0.0, rate: 0.0 });
        // A group that comes is mix.
        let effects =
            split(&groups(&[("a", 5.0, 10.0)]), &groups(&[("a", 5.0, 10.0), ("b", 10.0, 10.0)])).unwrap();
        assert!((effects["b"].mix - 0.1875).abs() < 1e-12 && effects["b"].rate.abs() < 1e-12);
        assert_eq!(split(&groups(&[]), &groups(&[("a", 1.0, 1.0)])), None);
    }

    /// Numerator and denominator of a group on two days.
    type Cell = [(u32, u32); 2];

    fn side(cells: &[Cell], day: usize) -> BTreeMap<String, Part> {
        let part = |(num, den): (u32, u32)| Part {
            num: if den == 0 { 0.0 } else { f64::from(num) },
            den: f64::from(den),
        };
        cells.iter().enumerate().map(|(place, cell)| (place.to_string(), part(cell[day]))).collect()
    }

    proptest! {
        #[test]
        fn effects_add_up_to_the_change(
            cells in prop::collection::vec(prop::array::uniform2((0_u32..1000, 0_u32..50)), 1..12),
        ) {
            let (before, after) = (side(&cells, 0), side(&cells, 1));
            let (Some(old), Some(new)) = (total(&before).rate(), total(&after).rate()) else { return Ok(()) };
            let effects = split(&before, &after).unwrap();
            let parts: Vec<f64> = effects.values().flat_map(|effect| [effect.mix, effect.rate]).collect();
            prop_assert!((parts.iter().sum::<f64>() - (new - old)).abs() < 1e-9 * (1.0 + old.abs() + new.abs()));
            let total = units(new) - units(old);
            let whole = whole(&parts, total);
            prop_assert_eq!(whole.iter().sum::<i64>(), total);
            for (part, whole) in parts.iter().zip(&whole) {
                prop_assert!((part / UNIT - real(*whole)).abs() < 2.0);
            }
        }
    }
}
