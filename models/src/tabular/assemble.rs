//! From fitted parts to the rules of a model.

use super::boost::Booster;
use super::design::Line;
use super::evidence::Evidence;
use super::feature::{Data, Feature};
use super::model::{Of, Rule};
use super::real;

/// The rules that score a feature's values, each line's mean over the training rows taken out, and the sum of those
/// means. `columns[k]` is the position of column k in the model's schema.
pub(super) fn rules(
    features: &[Feature<'_>],
    columns: &[usize],
    lines: &[Line],
    boosters: &[(Booster, &[Option<Evidence>])],
) -> (Vec<Rule>, f64) {
    let mut centre = 0.0;
    let mut rules = Vec::with_capacity(features.len());
    for (position, (feature, line)) in features.iter().zip(lines).enumerate() {
        let of = match (&feature.data, line) {
            (Data::Number(number), &Line::Number { slope, missing }) => {
                let n = real(number.values.len());
                let (per_sd, mean, low, high) =
                    number.scale.map_or((1.0, 0.0, f64::MIN, f64::MAX), |scale| {
                        (1.0 / scale.sd, scale.mean, scale.low, scale.high)
                    });
                let slope = if number.scale.is_some() { slope * per_sd } else { 0.0 };
                let of_value = |&value: &f64| {
                    if value.is_nan() { missing } else { slope * (value.clamp(low, high) - mean) }
                };
                let average = number.values.iter().map(of_value).sum::<f64>() / n;
                centre += average;
                let (present, missing) = (-average, missing - average);
                Of::Number { edges: number.edges.clone(), slope, mean, low, high, present, missing }
            }
            (Data::Category(category), Line::Category { levels, unknown }) => {
                let n: usize = category.counts.iter().sum();
                let sums = category.counts.iter().zip(levels).map(|(&count, add)| real(count) * add);
                let average = sums.sum::<f64>() / real(n);
                centre += average;
                let evidence = || boosters.iter().filter_map(|(_, encoded)| encoded[position].as_ref());
                Of::Category {
                    levels: category.levels.clone(),
                    adds: levels.iter().map(|add| add - average).collect(),
                    unknown: unknown - average,
                    bins: evidence().map(Evidence::level_codes).collect(),
                    unknown_bins: evidence().map(|evidence| evidence.code(evidence.base)).collect(),
                }
            }
            // A feature's line is of its own kind.
            _ => continue,
        };
        rules.push(Rule { column: columns[feature.column], part: feature.part, of });
    }
    (rules, centre)
}
