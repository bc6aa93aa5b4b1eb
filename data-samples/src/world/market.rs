//! Market factors: what the outside world does, what is observed of it, and its true effect on sales.

use chrono::Datelike;

use crate::clock::Clock;
use crate::draw::{Draw, Stream};
use crate::number::{exp, narrow, real, slot, whole};
use crate::world::region::Regions;

/// Where a factor is observed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Level {
    Everywhere,
    Area,
    Territory,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Cadence {
    Daily,
    Monthly,
}

struct Factor {
    name: &'static str,
    level: Level,
    cadence: Cadence,
    /// Value at z = 0, and its change per unit of z.
    centre: f64,
    scale: f64,
    /// Autocorrelation from one observation to the next.
    memory: f64,
    /// Log effect on sales per unit of z.
    effect: f64,
    unit: &'static str,
    source: &'static str,
}

#[rustfmt::skip]
const FACTORS: [Factor; 7] = [
    Factor { name: "search_index", level: Level::Area, cadence: Cadence::Daily, centre: 1_000.0, scale: 120.0, memory: 0.93, effect: 0.06, unit: "index", source: "search_engine" },
    Factor { name: "consumer_confidence", level: Level::Everywhere, cadence: Cadence::Monthly, centre: 95.0, scale: 4.0, memory: 0.8, effect: 0.04, unit: "index", source: "statistics_office" },
    Factor { name: "gdp_growth", level: Level::Area, cadence: Cadence::Monthly, centre: 5.0, scale: 0.6, memory: 0.9, effect: 0.03, unit: "percent", source: "statistics_office" },
    Factor { name: "retail_growth", level: Level::Area, cadence: Cadence::Monthly, centre: 4.2, scale: 1.1, memory: 0.7, effect: 0.03, unit: "percent", source: "statistics_office" },
    Factor { name: "price_volatility", level: Level::Everywhere, cadence: Cadence::Daily, centre: 18.0, scale: 4.0, memory: 0.95, effect: -0.04, unit: "percent", source: "commodity_exchange" },
    Factor { name: "competitor_promotion", level: Level::Area, cadence: Cadence::Daily, centre: 30.0, scale: 10.0, memory: 0.9, effect: -0.05, unit: "index", source: "price_monitor" },
    Factor { name: "foot_traffic", level: Level::Territory, cadence: Cadence::Daily, centre: 5_000.0, scale: 700.0, memory: 0.85, effect: 0.04, unit: "visits", source: "mobility_panel" },
];

/// An observation.
#[derive(Debug)]
pub(crate) struct Observation {
    /// Name of the factor.
    pub(crate) factor: &'static str,
    /// Position of the region; none = everywhere.
    pub(crate) region: Option<usize>,
    /// UTC microseconds.
    pub(crate) time: i64,
    /// What was observed.
    pub(crate) value: f64,
    /// Who says so.
    pub(crate) source: &'static str,
    /// Unit of the value.
    pub(crate) unit: &'static str,
}

/// The market of the world.
#[derive(Debug)]
pub(crate) struct Market {
    /// Everything observed, by factor, region and time.
    pub(crate) observations: Vec<Observation>,
    /// Log effect by territory and day, those of a territory together.
    effects: Vec<f64>,
    days: usize,
}

impl Market {
    /// The market of the clock's days, and of `history` days before them.
    pub(crate) fn new(seed: u64, clock: &Clock, regions: &Regions, history: u32) -> Self {
        let days = slot(clock.days());
        let mut market =
            Self { observations: Vec::new(), effects: vec![0.0; regions.territories.len() * days], days };
        let first = -i32::try_from(history).unwrap_or(0);
        for (factor, tag) in FACTORS.iter().zip(0_u64..) {
            let places: Vec<Option<usize>> = match factor.level {
                Level::Everywhere => vec![None],
                Level::Area => regions.areas.iter().copied().map(Some).collect(),
                Level::Territory => regions.territories.iter().copied().map(Some).collect(),
            };
            for place in places {
                let key = (tag << 32) | place.map_or(0, |at| u64::from(narrow(at)));
                market.follow(seed, key, factor, place, clock, regions, first);
            }
        }
        market
    }

    /// True factor of sales in a territory on a day.
    pub(crate) fn effect(&self, territory: u32, day: i32) -> f64 {
        exp(self.effects[crate::number::at(territory) * self.days + slot(day).min(self.days - 1)])
    }

    /// One series: its shocks, its observations, its effect on the territories it reaches.
    #[expect(clippy::too_many_arguments, reason = "one series of one factor, called once")]
    fn follow(
        &mut self,
        seed: u64,
        key: u64,
        factor: &Factor,
        place: Option<usize>,
        clock: &Clock,
        regions: &Regions,
        first: i32,
    ) {
        let reached: Vec<usize> = (0..regions.territories.len())
            .filter(|&territory| place.is_none_or(|region| regions.covers(region, territory)))
            .collect();
        let mut z = Draw::new(seed, Stream::Market, key, 0).normal();
        for day in first..clock.days() {
            let date = clock.date(day);
            if day == first || factor.cadence == Cadence::Daily || date.day() == 1 {
                let index = u64::try_from(i64::from(day - first) + 1).unwrap_or(0);
                let shock = Draw::new(seed, Stream::Market, key, index).normal();
                z = factor.memory * z + (1.0 - factor.memory * factor.memory).sqrt() * shock;
                self.observations.push(Observation {
                    factor: factor.name,
                    region: place,
                    time: clock.hour(day, 9.5),
                    value: round(factor.centre + factor.scale * (z + season_shift(factor, date.month0()))),
                    source: factor.source,
                    unit: factor.unit,
                });
            }
            if day >= 0 {
                for &territory in &reached {
                    self.effects[territory * self.days + slot(day)] += factor.effect * z;
                }
            }
        }
    }
}

/// The turn of the year in the observed value, which is no effect of its own.
fn season_shift(factor: &Factor, month0: u32) -> f64 {
    const SHIFT: [f64; 12] = [-0.2, -0.5, 0.3, 0.1, 0.0, 0.4, -0.3, -0.2, 0.3, 0.0, 0.6, 0.3];
    match factor.level {
        Level::Everywhere => 0.0,
        Level::Area | Level::Territory => SHIFT[usize::try_from(month0).unwrap_or(0)],
    }
}

fn round(value: f64) -> f64 {
    real(whole(value * 1_000.0)) / 1_000.0
}
