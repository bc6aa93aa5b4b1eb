//! The process-health index: six components per rep, rolled up by summing numerators and denominators.

use super::customer::Color;
use super::portfolio::Portfolio;
use super::scope::Scopes;
use super::{COMPONENTS, ratio};
use crate::entity::Crm;
use crate::settings::{Component, Settings};
use crate::tile::rep::{RepCounts, RepTile, count};
use crate::time::Day;
use crate::window::WINDOW_DAYS;

/// The sums of one scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Numerator and denominator of the first five components.
    pub(crate) parts: [(i64, i64); 5],
    pub(crate) touches: i64,
    pub(crate) effective: i64,
    pub(crate) customers: i64,
    pub(crate) customers_touched: i64,
}

impl Sums {
    fn add(&mut self, other: &Self) {
        for (sum, part) in self.parts.iter_mut().zip(other.parts) {
            sum.0 += part.0;
            sum.1 += part.1;
        }
        self.touches += other.touches;
        self.effective += other.effective;
        self.customers += other.customers;
        self.customers_touched += other.customers_touched;
    }

    /// What other than the usual 30 days say, as if they were 30: what grows with the days while its denominator doesn't
    /// (discovery and moves per opportunity) at the pace of 30.
    pub(crate) fn at_pace(mut self, days: Day) -> Self {
        for part in [1, 4] {
            let (numerator, denominator) = self.parts[part];
            self.parts[part] = (numerator * i64::from(WINDOW_DAYS), denominator * i64::from(days));
        }
        self
    }

    /// Numerator and denominator of all six.
    pub(crate) fn all(&self) -> [(i64, i64); 6] {
        let [timeliness, discovery, matching, visits, velocity] = self.parts;
        let depth = (
            self.effective.saturating_mul(self.customers_touched),
            self.touches.saturating_mul(self.customers),
        );
        [timeliness, discovery, matching, visits, velocity, depth]
    }
}

/// A component's value and points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
    pub(crate) value: Option<f64>,
    pub(crate) score: Option<f64>,
}

/// The index of one scope.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProcessHealth {
    pub(crate) sums: Sums,
    pub(crate) components: [Scored; 6],
    pub(crate) index: Option<f64>,
    pub(crate) color: Option<Color>,
}

/// What the index is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) scopes: &'a Scopes,
    /// By position in the CRM.
    pub(crate) portfolios: &'a [Portfolio],
    pub(crate) reps_30d: &'a RepTile,
    pub(crate) settings: &'a Settings,
    pub(crate) as_of: Day,
}

/// The index of every scope, in the order of [`Scopes::list`].
pub(crate) fn process_health(inputs: &Inputs<'_>) -> Vec<ProcessHealth> {
    let working_days = working_days(inputs.crm, inputs.as_of);
    let sums = roll_up(inputs.crm, inputs.scopes, inputs.reps_30d, inputs.portfolios, working_days);
    sums.into_iter().map(|sums| index(sums, inputs.settings)).collect()
}

/// The sums of every scope, from the tiles and portfolios of reps over the same days.
pub(crate) fn roll_up(
    crm: &Crm,
    scopes: &Scopes,
    tiles: &RepTile,
    portfolios: &[Portfolio],
    working_days: i64,
) -> Vec<Sums> {
    let mut sums = vec![Sums::default(); scopes.len()];
    for (rep, (person, portfolio)) in crm.reps.iter().zip(portfolios).enumerate() {
        let own = of_rep(&tiles.get(&person.id), portfolio, working_days);
        for scope in scopes.of_rep(crm, rep) {
            sums[scope].add(&own);
        }
    }
    sums
}

/// The working days of the last 30.
pub(crate) fn working_days(crm: &Crm, as_of: Day) -> i64 {
    crm.working_days(as_of - 29, as_of)
}

/// The sums of one rep: from its tile of the last 30 days, and its portfolio.
pub(crate) fn of_rep(tile: &RepCounts, portfolio: &Portfolio, working_days: i64) -> Sums {
    let counts = tile.counts;
    let accepted = counts[count::ACCEPTED];
    Sums {
        parts: [
            portfolio.timely,
            (counts[count::DISCOVERY], portfolio.deals),
            (accepted, accepted + counts[count::REJECTED]),
            (counts[count::VISIT_TOUCHES], working_days),
            (portfolio.moves, portfolio.deals),
        ],
        touches: counts[count::TOUCHES],
        effective: counts[count::EFFECTIVE_TOUCHES],
        customers: portfolio.customers,
        customers_touched: portfolio.customers_touched,
    }
}

/// The component settings in the order of [`COMPONENTS`].
pub(crate) fn components(settings: &Settings) -> [Component; COMPONENTS.len()] {
    let process = &settings.process;
    [
        process.response_timeliness,
        process.discovery_depth,
        process.solution_match,
        process.visit_frequency,
        process.opportunity_velocity,
        process.interaction_depth,
    ]
}

/// The index that sums come to.
pub(crate) fn index(sums: Sums, settings: &Settings) -> ProcessHealth {
    let rules = components(settings);
    let mut position = 0;
    let components = sums.all().map(|(numerator, denominator)| {
        let value = ratio(numerator, denominator);
        let score = value.map(|value| score(value, rules[position].anchors));
        position += 1;
        Scored { numerator, denominator, value, score }
    });
    let (mut weighted, mut weights) = (0.0_f64, 0.0_f64);
    for (component, rule) in components.iter().zip(rules) {
        if let Some(score) = component.score {
            weighted += rule.weight * score;
            weights += rule.weight;
        }
    }
    let index = (weights > 0.0).then(|| weighted / weights);
    let color = index.map(|index| Color::of(index, settings.process.red_below, settings.process.amber_below));
    ProcessHealth { sums, components, index, color }
}

/// Points of a value: piecewise linear through the anchors worth 0, 60, 80 and 100.
pub(crate) fn score(value: f64, anchors: [f64; 4]) -> f64 {
    const POINTS: [f64; 4] = [0.0, 60.0, 80.0, 100.0];
    if value <= anchors[0] {
        return POINTS[0];
    }
    for step in 0..3 {
        let (low, high) = (anchors[step], anchors[step + 1]);
        if value <= high {
            return POINTS[step] + (value - low) / (high - low) * (POINTS[step + 1] - POINTS[step]);
        }
    }
    POINTS[3]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_linear_between_anchors() {
        let anchors = [0.2, 0.6, 0.8, 0.95];
        for (value, expected) in [
            (0.0, 0.0),
            (0.2, 0.0),
            (0.4, 30.0),
            (0.6, 60.0),
            (0.7, 70.0),
            (0.8, 80.0),
            (0.95, 100.0),
            (2.0, 100.0),
        ] {
            assert!((score(value, anchors) - expected).abs() < 1e-9, "{value}");
        }
    }
}
