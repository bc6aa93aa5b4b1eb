//! The process-health index: six components per rep, rolled up by summing numerators and denominators.

use super::customer::{Color, CustomerMeasure};
use super::facts::Facts;
use super::lead::Lead;
use super::opportunity::Opportunity;
use super::scope::Scopes;
use super::{COMPONENTS, at, ratio};
use crate::entity::Crm;
use crate::settings::{Component, Settings};
use crate::tile::rep::{RepTile, count};
use crate::time::{Day, Zone};

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
    pub(crate) facts: &'a Facts,
    pub(crate) leads: &'a [Lead],
    pub(crate) opportunities: &'a [Opportunity],
    pub(crate) customers: &'a [CustomerMeasure],
    pub(crate) reps_30d: &'a RepTile,
    pub(crate) settings: &'a Settings,
    pub(crate) zone: &'a Zone,
    pub(crate) as_of: Day,
}

/// The index of every scope, in the order of [`Scopes::list`].
pub(crate) fn process_health(inputs: &Inputs<'_>) -> Vec<ProcessHealth> {
    let per_rep = rep_sums(inputs);
    let mut sums = vec![Sums::default(); inputs.scopes.len()];
    for (rep, own) in per_rep.iter().enumerate() {
        for scope in inputs.scopes.of_rep(inputs.crm, rep) {
            sums[scope].add(own);
        }
    }
    sums.into_iter().map(|sums| index(sums, inputs.settings)).collect()
}

fn rep_sums(inputs: &Inputs<'_>) -> Vec<Sums> {
    let crm = inputs.crm;
    let first = inputs.as_of - 29;
    let (start, end) = (inputs.zone.start(first), inputs.zone.end(inputs.as_of));
    let working_days = crm.working_days(first, inputs.as_of);
    let mut sums: Vec<Sums> = crm
        .reps
        .iter()
        .map(|rep| {
            let counts = inputs.reps_30d.get(&rep.id).counts;
            let accepted = counts[count::ACCEPTED];
            let mut sums = Sums {
                touches: counts[count::TOUCHES],
                effective: counts[count::EFFECTIVE_TOUCHES],
                ..Sums::default()
            };
            sums.parts[1].0 = counts[count::DISCOVERY];
            sums.parts[2] = (accepted, accepted + counts[count::REJECTED]);
            sums.parts[3] = (counts[count::VISIT_TOUCHES], working_days);
            sums
        })
        .collect();
    // Numbers of the facts' reps → positions of the CRM's.
    let position: Vec<Option<usize>> = (0..inputs.facts.reps.len())
        .map(|number| crm.rep(inputs.facts.reps.get(u32::try_from(number).ok()?)?))
        .collect();
    let find = |rep: Option<u32>| position.get(at(rep?)).copied().flatten();
    for lead in inputs.leads.iter().filter(|lead| lead.created_within(inputs.as_of, 30)) {
        if let (Some(rep), Some(met)) = (find(lead.assignee), lead.sla_met(end, &inputs.settings.lead)) {
            sums[rep].parts[0].0 += i64::from(met);
            sums[rep].parts[0].1 += 1;
        }
    }
    for deal in inputs.opportunities {
        if let (true, Some(rep)) = (deal.open_since(start), find(deal.owner)) {
            sums[rep].parts[1].1 += 1;
            sums[rep].parts[4].1 += 1;
        }
        for (day, rep) in &deal.moves {
            if let (true, Some(rep)) = (*day >= first, find(rep.or(deal.owner))) {
                sums[rep].parts[4].0 += 1;
            }
        }
    }
    for customer in inputs.customers {
        if let Some(owner) = crm.customers.owner[at(customer.key)] {
            sums[at(owner)].customers += 1;
            sums[at(owner)].customers_touched += i64::from(customer.touches > 0);
        }
    }
    sums
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

fn index(sums: Sums, settings: &Settings) -> ProcessHealth {
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
