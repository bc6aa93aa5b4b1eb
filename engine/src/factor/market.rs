//! Market factors by region: z against the trailing 365 days, and the heat index made of them.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array, StringArray, TimestampMicrosecondArray};

use super::{Z_MAX, spread};
use crate::entity::Regions;
use crate::error::Result;
use crate::lake::{Table, read};
use crate::settings;
use crate::time::{DAY, Micros};

/// Days against which an observation is compared.
const TRAILING_DAYS: i64 = 365;

/// Observations by factor and region (`None` = everywhere), in time order, one per instant.
type Series = BTreeMap<String, BTreeMap<Option<usize>, BTreeMap<Micros, f64>>>;

/// The market as of a day.
#[derive(Debug, Default)]
pub(crate) struct Market {
    /// Per region: factor → (latest value, z).
    regions: Vec<BTreeMap<String, (f64, f64)>>,
    /// The same for a rep in no region.
    nowhere: BTreeMap<String, (f64, f64)>,
    /// Observations that name a region which is not in force.
    pub(crate) unknown_region: u64,
    pub(crate) observations: u64,
}

impl Market {
    /// Reads the observations of the 365 days before `end`.
    ///
    /// Of several observations of one factor, region and instant the greatest value counts, so that the order of
    /// arrival doesn't matter.
    pub(crate) fn load(table: &Table, regions: &Regions, end: Micros) -> Result<Self> {
        let mut market = Self::default();
        let mut series = Series::new();
        for file in table.files() {
            for batch in read(&table.dir().join(&file.path), &[])? {
                let get = |name: &str| batch.column_by_name(name).map(Array::as_any);
                let factors = get("factor").and_then(|column| column.downcast_ref::<StringArray>());
                let places = get("region_id").and_then(|column| column.downcast_ref::<StringArray>());
                let times =
                    get("observed_at").and_then(|column| column.downcast_ref::<TimestampMicrosecondArray>());
                let values = get("value").and_then(|column| column.downcast_ref::<Float64Array>());
                let (Some(factors), Some(places), Some(times), Some(values)) =
                    (factors, places, times, values)
                else {
                    continue;
                };
                for row in 0..batch.num_rows() {
                    let at = times.value(row);
                    if at >= end || at < end - TRAILING_DAYS * DAY {
                        continue;
                    }
                    market.observations += 1;
                    let region = places.is_valid(row).then(|| regions.position(places.value(row)));
                    let region = match region {
                        Some(None) => {
                            market.unknown_region += 1;
                            continue;
                        }
                        Some(found) => found,
                        None => None,
                    };
                    let slot =
                        series.entry(factors.value(row).to_owned()).or_default().entry(region).or_default();
                    let value = slot.entry(at).or_insert(values.value(row));
                    *value = value.max(values.value(row));
                }
            }
        }
        market.nowhere = latest(&series, std::iter::empty());
        market.regions =
            (0..regions.ids.len()).map(|region| latest(&series, regions.upward(region))).collect();
        Ok(market)
    }

    fn of(&self, region: Option<usize>) -> &BTreeMap<String, (f64, f64)> {
        region.and_then(|region| self.regions.get(region)).unwrap_or(&self.nowhere)
    }

    /// The latest value of a factor in a region, and its z.
    pub(crate) fn factor(&self, region: Option<usize>, names: &[&str]) -> Option<(f64, f64)> {
        names.iter().find_map(|name| self.of(region).get(*name).copied())
    }

    /// The heat index of a region, 100 = normal; `None` without observations.
    pub(crate) fn heat(&self, region: Option<usize>, settings: &settings::Factor) -> Option<f64> {
        let factors = self.of(region);
        if factors.is_empty() {
            return None;
        }
        let mut sum = 0.0_f64;
        for (name, (_, z)) in factors {
            sum += settings.heat_weight.get(name).copied().unwrap_or(settings.heat_weight_other) * z;
        }
        Some(100.0 * sum.exp())
    }
}

/// Of every factor the latest value and z in the nearest region that has observations, else everywhere's.
fn latest(series: &Series, upward: impl Iterator<Item = usize>) -> BTreeMap<String, (f64, f64)> {
    let places: Vec<Option<usize>> = upward.map(Some).chain([None]).collect();
    let mut found = BTreeMap::new();
    for (factor, by_region) in series {
        let Some(values) = places.iter().find_map(|place| by_region.get(place)) else { continue };
        let Some((_, &last)) = values.last_key_value() else { continue };
        let z = spread(values.values().copied())
            .map_or(0.0, |(mean, sd)| ((last - mean) / sd).clamp(-Z_MAX, Z_MAX));
        found.insert(factor.clone(), (last, z));
    }
    found
}
