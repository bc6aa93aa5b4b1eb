//! Factors, forecasts, rules and plans of the whole company, kept up to date.
//!
//! A factor is a rep's value against all reps on duty, so one rep's event may move every quota a little. What is
//! unchanged to the last bit is not computed again.

use std::collections::BTreeMap;

use super::alert::{AlertChange, LiveAlert, of_rep};
use super::marks::Marks;
use super::state::State;
use super::{LiveQuota, Making};
use crate::adjust::Placed;
use crate::error::Result;
use crate::factor::{CAPABILITY, FACTORS, Factor, Raw, Spreads, capability_of, one, raw_values, spread_of};
use crate::measure::real;
use crate::pipeline::quotas::refuse;
use crate::pipeline::subjects::{SubjectInputs, columns};
use crate::quota::{
    Bound, Effects, Forecast, Limits, Previous, base, bases, limits, minor, place, proposal, proposals, solve,
};
use crate::rule::{Ruled, apply, apply_beyond_plan};

/// Everything that follows from the measures. Vectors run over the reps on duty unless they say otherwise.
#[derive(Debug)]
pub(super) struct Company {
    /// By position in the CRM: the row.
    row_of: Vec<Option<usize>>,
    /// By position in the CRM.
    raw: Vec<Raw>,
    spreads: Spreads,
    /// By position in the CRM.
    factors: Vec<[Factor; FACTORS.len()]>,
    forecast: Box<dyn Forecast>,
    attained: Vec<i64>,
    expected: Vec<f64>,
    proposals: Vec<i64>,
    bases: Vec<i64>,
    previous: Vec<Option<Previous>>,
    placed: Placed,
    /// Before the plan is met.
    ruled: Vec<Ruled>,
    limits: Vec<Limits>,
    quotas: Vec<i64>,
    bound: Vec<Bound>,
    /// By position in the CRM.
    alerts: Vec<Vec<LiveAlert>>,
}

impl Company {
    /// From all measures.
    pub(super) fn new(state: &State, making: &Making) -> Result<Self> {
        let (basis, settings) = (&state.basis, &*making.settings);
        let neutral = making.predictor.predict(&basis.input, &basis.learnt).map_err(refuse)?;
        let season = neutral.season();
        let inputs = basis.factor_inputs(&state.windows, &state.measures, settings, (season, state.as_of));
        let crm = state.crm();
        let raw: Vec<Raw> = (0..crm.reps.len()).map(|rep| raw_values(&inputs, rep)).collect();
        let spreads: Spreads = std::array::from_fn(|factor| spread_of(&raw, &state.on_duty, factor));
        let all = |rep: usize| std::array::from_fn(|factor| one(&inputs, rep, factor, &raw[rep], &spreads));
        let factors: Vec<[Factor; FACTORS.len()]> = (0..crm.reps.len()).map(all).collect();
        let rows = basis.reps.len();
        let effects: Vec<Effects> =
            (0..rows).map(|row| basis.effects(row, &factors[basis.reps[row]])).collect();
        let forecast = neutral.with_effects(&effects);
        let mut row_of = vec![None; crm.reps.len()];
        for (row, &rep) in basis.reps.iter().enumerate() {
            row_of[rep] = Some(row);
        }
        let light = |previous: &Previous| Previous { ratios: BTreeMap::new(), ..previous.clone() };
        let previous = basis.reps.iter().map(|&rep| basis.previous.get(&crm.reps[rep].id).map(light));
        let mut company = Self {
            row_of,
            raw,
            spreads,
            factors,
            attained: basis.reps.iter().map(|&rep| state.attained(rep)).collect(),
            expected: (0..rows).map(|row| forecast.expected(row)).collect(),
            proposals: proposals(forecast.as_ref(), rows, &settings.quota),
            bases: bases(forecast.as_ref(), rows),
            previous: previous.collect(),
            placed: place(&state.adjustments, crm, &basis.reps),
            ruled: vec![Ruled::default(); rows],
            limits: vec![Limits::default(); rows],
            quotas: vec![0; rows],
            bound: vec![Bound::None; rows],
            alerts: vec![Vec::new(); crm.reps.len()],
            forecast,
        };
        company.rule(state, making, &(0..rows).collect::<Vec<_>>());
        let settled = company.settle(state, making)?;
        company.raise(state, making, &(0..crm.reps.len()).collect(), &settled);
        Ok(company)
    }

    /// Follows the measures of `reps` (positions in the CRM, rising) and the skills ranked anew. Returns the rows whose
    /// quota, or what it stands on, changed, and the alerts that did.
    pub(super) fn update(
        &mut self,
        state: &State,
        making: &Making,
        reps: &[usize],
    ) -> Result<(Vec<usize>, Vec<AlertChange>)> {
        let mut rows = self.weigh(state, making, reps);
        if state.said.won().is_some_and(|won| self.forecast.revise_won(&won)) {
            rows.extend(0..self.quotas.len());
        }
        for (rep, open) in state.said.pipelines(&state.measures) {
            if let Some(row) = self.row_of[rep] {
                self.forecast.revise_open(row, &open);
                rows.insert(row);
            }
        }
        for row in reps.iter().filter_map(|rep| self.row_of[*rep]) {
            let attained = state.attained(state.basis.reps[row]);
            if attained != self.attained[row] {
                self.attained[row] = attained;
                rows.insert(row);
            }
        }
        for row in rows.iter() {
            let effects = state.basis.effects(row, &self.factors[state.basis.reps[row]]);
            self.forecast.revise(row, real(self.attained[row]), effects);
            self.expected[row] = self.forecast.expected(row);
            self.bases[row] = base(self.forecast.as_ref(), row);
            self.proposals[row] = proposal(self.forecast.as_ref(), row, &making.settings.quota);
        }
        let mut changed = rows.clone();
        // Rules may ask for measures that are no factor.
        if !making.rules.rules.is_empty() {
            rows.extend(reps.iter().filter_map(|rep| self.row_of[*rep]));
        }
        let ruled: Vec<usize> = rows.iter().collect();
        self.rule(state, making, &ruled);
        let before = (self.quotas.clone(), self.bound.clone());
        let settled = self.settle(state, making)?;
        let moved = |row: &usize| (self.quotas[*row], self.bound[*row]) != (before.0[*row], before.1[*row]);
        changed.extend((0..self.quotas.len()).filter(moved));
        let mut seen: Marks = reps.iter().copied().collect();
        // Of those whom no event named, only a rule may say something else.
        if !making.rules.rules.is_empty() {
            seen.extend(ruled.iter().map(|row| state.basis.reps[*row]));
        }
        let alerts = self.raise(state, making, &seen, &settled);
        Ok((changed.iter().collect(), alerts))
    }

    /// Follows the factors; returns the rows where an effect changed.
    fn weigh(&mut self, state: &State, making: &Making, reps: &[usize]) -> Marks {
        let at = (self.forecast.season(), state.as_of);
        let inputs = state.basis.factor_inputs(&state.windows, &state.measures, &making.settings, at);
        let mut outdated: [Marks; FACTORS.len()] = std::array::from_fn(|_| Marks::default());
        for &rep in reps {
            let raw = raw_values(&inputs, rep);
            for factor in 0..FACTORS.len() {
                if bits(raw[factor].0) != bits(self.raw[rep][factor].0) {
                    outdated[factor].insert(rep);
                }
            }
            self.raw[rep] = raw;
        }
        if !state.ranked.is_empty() {
            for (rep, skills) in state.measures.capability.iter().enumerate() {
                let value = capability_of(skills);
                if bits(value) != bits(self.raw[rep][CAPABILITY].0) {
                    self.raw[rep][CAPABILITY].0 = value;
                    outdated[CAPABILITY].insert(rep);
                }
            }
        }
        let mut rows = Marks::default();
        for (factor, reps) in outdated.iter_mut().enumerate().filter(|(_, reps)| !reps.is_empty()) {
            let spread = spread_of(&self.raw, &state.on_duty, factor);
            let same = |a: Option<(f64, f64)>, b: Option<(f64, f64)>| {
                bits(a.map(|a| a.0)) == bits(b.map(|b| b.0)) && bits(a.map(|a| a.1)) == bits(b.map(|b| b.1))
            };
            if !same(spread, self.spreads[factor]) {
                self.spreads[factor] = spread;
                reps.extend(0..self.raw.len());
            }
            for rep in reps.iter() {
                let new = one(&inputs, rep, factor, &self.raw[rep], &self.spreads);
                let old = std::mem::replace(&mut self.factors[rep][factor], new);
                if old.effect.to_bits() != new.effect.to_bits() {
                    rows.extend(self.row_of[rep]);
                }
            }
        }
        rows
    }

    /// Applies rules and approved adjustments to some rows, and sets their limits.
    fn rule(&mut self, state: &State, making: &Making, rows: &[usize]) {
        let of = |values: &[i64]| -> Vec<i64> { rows.iter().map(|&row| values[row]).collect() };
        let (proposals, bases) = (of(&self.proposals), of(&self.bases));
        let ruled = if making.rules.rules.is_empty() {
            proposals.iter().map(|&proposal| Ruled { proposal, ..Ruled::default() }).collect()
        } else {
            let subjects = columns(&SubjectInputs {
                windows: &state.windows,
                measures: &state.measures,
                reps: &rows.iter().map(|&row| state.basis.reps[row]).collect::<Vec<_>>(),
                factors: &self.factors,
                attained: &of(&self.attained),
                expected: &rows.iter().map(|&row| self.expected[row]).collect::<Vec<_>>(),
                proposals: &proposals,
                previous: &state.basis.previous,
                as_of: state.as_of,
            });
            apply(&making.rules, state.as_of, &subjects, &proposals, &bases)
        };
        for (&row, mut ruled) in rows.iter().zip(ruled) {
            self.placed.adjust(&state.adjustments, row, &mut ruled);
            let (base, previous) = (self.forecast.base(row), self.previous[row].as_ref());
            self.limits[row] = limits(base, &making.settings.quota, &ruled, previous);
            self.ruled[row] = ruled;
        }
    }

    /// Makes the proposals add up to the plans. Returns what rules and adjustments beyond plan did, by row.
    fn settle(&mut self, state: &State, making: &Making) -> Result<BTreeMap<usize, Ruled>> {
        let proposals: Vec<i64> = self.ruled.iter().map(|ruled| ruled.proposal).collect();
        let period = &state.windows.period;
        let solved =
            solve(state.crm(), &state.basis.reps, (period, &state.crm().plan), &proposals, &self.limits)?;
        (self.quotas, self.bound) = (solved.quota, solved.bound);
        let mut beyond = BTreeMap::new();
        let ruled = self.ruled.iter().enumerate().filter(|(_, ruled)| !ruled.beyond.is_empty());
        let rows: Marks = ruled.map(|(row, _)| row).chain(self.placed.rows()).collect();
        for row in rows.iter() {
            let mut ruled = self.ruled[row].clone();
            let previous = self.previous[row].as_ref().map(|previous| previous.quota);
            let amounts = (self.quotas[row], self.bases[row]);
            let quota = apply_beyond_plan(&making.rules, &mut ruled, amounts, previous);
            self.quotas[row] = self.placed.adjust_beyond_plan(&state.adjustments, row, (&mut ruled, quota));
            beyond.insert(row, ruled);
        }
        Ok(beyond)
    }

    /// Looks at the alerts of some reps; returns those that changed.
    fn raise(
        &mut self,
        state: &State,
        making: &Making,
        reps: &Marks,
        beyond: &BTreeMap<usize, Ruled>,
    ) -> Vec<AlertChange> {
        let mut changes = Vec::new();
        for rep in reps.iter() {
            let ruled = self.row_of[rep].map(|row| beyond.get(&row).unwrap_or(&self.ruled[row]));
            let health = &state.measures.process[rep];
            let now = of_rep(&making.rules, &state.crm().reps[rep].id, health, ruled);
            let before = std::mem::replace(&mut self.alerts[rep], now);
            changes.extend(AlertChange::between(&before, &self.alerts[rep]));
        }
        changes
    }

    pub(super) fn alerts(&self) -> impl Iterator<Item = &LiveAlert> {
        self.alerts.iter().flatten()
    }

    pub(super) fn row_of(&self, rep: usize) -> Option<usize> {
        self.row_of.get(rep).copied().flatten()
    }

    /// The quota of a row.
    pub(super) fn quota(&self, state: &State, row: usize) -> Option<LiveQuota> {
        let person = state.crm().reps.get(*state.basis.reps.get(row)?)?;
        let forecast = self.forecast.as_ref();
        Some(LiveQuota {
            rep_id: person.id.clone(),
            region_id: person.region.and_then(|region| state.crm().regions.ids.get(region)).cloned(),
            period: state.windows.period.name.clone(),
            attained: self.attained[row],
            expected: minor(self.expected[row]).max(0),
            low: minor(forecast.low(row)),
            high: minor(forecast.high(row)),
            proposal: self.ruled[row].proposal,
            quota: self.quotas[row],
            previous_quota: self.previous[row].as_ref().map(|previous| previous.quota),
            p_attain: forecast.p_at_least(row, real(self.quotas[row])),
            bound: self.bound[row].as_str(),
        })
    }
}

/// What tells values apart: a change that rounding hides is none.
fn bits(value: Option<f64>) -> Option<u64> {
    value.map(f64::to_bits)
}
