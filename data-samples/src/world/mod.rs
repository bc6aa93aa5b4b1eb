//! The world behind the streams: regions, reps, customers, calendar and market, all known before the first day.

pub(crate) mod calendar;
pub(crate) mod customer;
pub(crate) mod market;
pub(crate) mod pace;
pub(crate) mod plan;
pub(crate) mod region;
pub(crate) mod rep;

use crate::clock::Clock;
use crate::number::at;
use crate::scale::Scale;
use calendar::Calendar;
use customer::{Customers, acting};
use market::Market;
use pace::Pace;
use region::Regions;
use rep::Rep;

/// Products for sale.
pub(crate) const PRODUCTS: u32 = 12;

/// Everything that does not change while the days are simulated.
#[derive(Debug)]
pub(crate) struct World {
    /// Seed of every draw.
    pub(crate) seed: u64,
    /// Days and instants.
    pub(crate) clock: Clock,
    /// Working days and season.
    pub(crate) calendar: Calendar,
    /// The region tree.
    pub(crate) regions: Regions,
    /// Reps by number.
    pub(crate) reps: Vec<Rep>,
    /// Customers by number.
    pub(crate) customers: Customers,
    /// Market factors and their effect.
    pub(crate) market: Market,
    /// How much of everything happens.
    pub(crate) pace: Pace,
}

impl World {
    /// The world of a checked scale.
    pub(crate) fn new(scale: &Scale) -> Self {
        let clock = Clock::new(scale.timezone, scale.start(), scale.days);
        let calendar = Calendar::new(&clock);
        let regions = Regions::new(scale.seed, scale.reps);
        let territories = crate::number::narrow(regions.territories.len());
        let reps = rep::reps(scale.seed, scale.reps, territories, clock.days());
        let pace = Pace::new(scale, &calendar);
        let customers = Customers::new(scale.seed, scale.customers, &reps, clock.days(), pace.ordering);
        let market = Market::new(scale.seed, &clock, &regions, scale.market_history_days);
        Self { seed: scale.seed, clock, calendar, regions, reps, customers, market, pace }
    }

    /// Whether a day has a file.
    pub(crate) fn covers(&self, day: i32) -> bool {
        (0..self.clock.days()).contains(&day)
    }

    /// True factor of a rep's sales on a day: ramp × season × market of his territory.
    pub(crate) fn factor(&self, rep: u32, day: i32) -> f64 {
        let someone = &self.reps[at(rep)];
        someone.ramp(day) * self.calendar.day(day).season * self.market.effect(someone.territory_on(day), day)
    }

    /// Who does a rep's work on a day.
    pub(crate) fn acting(&self, rep: u32, day: i32) -> u32 {
        acting(&self.reps, rep, day)
    }

    /// One of a rep's customers on a day.
    pub(crate) fn customer_of(&self, rep: u32, day: i32, draw: &mut crate::draw::Draw) -> u32 {
        self.customers.of_rep(rep, day, &self.reps, draw)
    }

    /// The id of a rep's territory on a day.
    pub(crate) fn territory_id(&self, rep: u32, day: i32) -> &str {
        self.regions.territory_id(self.reps[at(rep)].territory_on(day))
    }
}
