//! Elasticity: attainment counts more where the market is cold, and a market that wavers doesn't flicker.
//!
//! ```text
//! heat     89   91   91   93   91        thresholds 90 and 92
//! cold    yes  yes  yes   no   no        between the two: what the run before said
//! ```

use std::collections::BTreeMap;

use super::source::Sources;
use super::stage::Windows;
use crate::error::Result;
use crate::settings::{Factor, Settings};
use crate::time::Day;

/// Of every region, and of nowhere, whether the market is cold.
#[derive(Debug)]
pub(super) struct Elasticity {
    /// By position in the CRM, then that of reps in no region.
    markets: Vec<Market>,
}

/// A region's market.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Market {
    pub(super) heat: Option<f64>,
    pub(super) cold: bool,
    /// What attainment is multiplied by.
    pub(super) weight: f64,
    /// Percentage points that are added to it.
    pub(super) points: f64,
}

impl Elasticity {
    /// From today's heat, and from what the newest run before the day said.
    pub(super) fn of(windows: &Windows, sources: &Sources, settings: &Settings, as_of: Day) -> Result<Self> {
        let before = sources.previous_markets(as_of)?;
        let regions = &windows.crm.regions.ids;
        let places = (0..regions.len()).map(Some).chain([None]);
        let markets = places.map(|region| {
            let heat = windows.market.heat(region, &settings.factor);
            let id = region.and_then(|region| regions.get(region)).map(String::as_str).unwrap_or_default();
            let cold = is_cold(heat, before.get(id).copied().unwrap_or(false), &settings.factor);
            let (weight, points) = if cold {
                (settings.factor.attainment_weight_cold, settings.factor.attainment_points_cold)
            } else {
                (1.0, 0.0)
            };
            Market { heat, cold, weight, points }
        });
        Ok(Self { markets: markets.collect() })
    }

    /// The market of a region, or of nowhere.
    pub(super) fn market(&self, region: Option<usize>) -> Market {
        let nowhere = self.markets.len().saturating_sub(1);
        let usual = Market { heat: None, cold: false, weight: 1.0, points: 0.0 };
        self.markets.get(region.unwrap_or(nowhere)).copied().unwrap_or(usual)
    }

    /// All markets, nowhere last.
    pub(super) fn markets(&self) -> &[Market] {
        &self.markets
    }
}

/// By id, nowhere as the empty one: whether the market was cold.
pub(super) type Before = BTreeMap<String, bool>;

fn is_cold(heat: Option<f64>, was: bool, settings: &Factor) -> bool {
    match heat {
        None => false,
        Some(heat) if heat < settings.heat_threshold => true,
        Some(heat) if heat >= settings.heat_threshold + settings.heat_hysteresis => false,
        Some(_) => was,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_that_wavers_doesnt_flicker() {
        let settings = Factor { heat_threshold: 90.0, heat_hysteresis: 2.0, ..Factor::default() };
        let days = [91.0, 89.9, 91.0, 90.0, 91.9, 92.0, 91.0, 90.0, 89.0];
        let mut cold = false;
        let states = days.map(|heat| {
            cold = is_cold(Some(heat), cold, &settings);
            cold
        });
        assert_eq!(states, [false, true, true, true, true, false, false, false, true]);
        assert!(!is_cold(None, true, &settings));
        // One threshold is two that are the same.
        let one = Factor { heat_hysteresis: 0.0, ..settings };
        assert!(!is_cold(Some(90.0), true, &one) && is_cold(Some(89.9), false, &one));
    }
}
