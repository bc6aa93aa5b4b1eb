//! The factors of every rep.

use std::collections::BTreeMap;

use super::market::Market;
use super::{FACTORS, Factor, HEAT, SEASON, Z_MAX, spread};
use crate::entity::Crm;
use crate::measure::capability::Skill;
use crate::measure::customer::{CustomerMeasure, Lifestage};
use crate::measure::facts::Facts;
use crate::measure::lead::Lead;
use crate::measure::opportunity::Opportunity;
use crate::measure::process::ProcessHealth;
use crate::measure::{at, count, major_per, real};
use crate::settings::Settings;
use crate::time::Day;

/// What the factors are made of. `process` begins with one entry per rep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactorInputs<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) market: &'a Market,
    pub(crate) customers: &'a [CustomerMeasure],
    pub(crate) facts: &'a Facts,
    pub(crate) leads: &'a [Lead],
    pub(crate) opportunities: &'a [Opportunity],
    pub(crate) process: &'a [ProcessHealth],
    /// By position in the CRM.
    pub(crate) capability: &'a [[Skill; 6]],
    /// The season index of the period.
    pub(crate) season: f64,
    /// Decayed mean of log(actual ÷ quota) over past periods, by rep id.
    pub(crate) attainment: &'a BTreeMap<String, f64>,
    pub(crate) settings: &'a Settings,
    pub(crate) as_of: Day,
}

/// Sums per rep over customers, leads and opportunities.
#[derive(Debug, Clone, Default)]
struct RepSums {
    customers: i64,
    lively: i64,
    health: i64,
    dense: i64,
    orders: i64,
    order_amount: i64,
    intervals: Vec<f64>,
    pipeline: f64,
    open_deals: i64,
    open_leads: i64,
    new_leads: i64,
    answered: i64,
}

/// The factors of every rep of the CRM, in its order; each in the order of [`FACTORS`].
pub(crate) fn factors(inputs: &FactorInputs<'_>) -> Vec<[Factor; 18]> {
    let sums = rep_sums(inputs);
    let raw: Vec<[(Option<f64>, &'static str); 18]> =
        (0..inputs.crm.reps.len()).map(|rep| raw_values(inputs, &sums[rep], rep)).collect();
    let on_duty: Vec<bool> = inputs.crm.reps.iter().map(|rep| rep.on_duty(inputs.as_of)).collect();
    let spreads: Vec<Option<(f64, f64)>> = (0..FACTORS.len())
        .map(|factor| {
            let values = raw
                .iter()
                .zip(&on_duty)
                .filter(|(_, on_duty)| **on_duty)
                .filter_map(move |(row, _)| row[factor].0);
            spread(values)
        })
        .collect();
    (0..raw.len())
        .map(|rep| {
            let region = inputs.crm.reps[rep].region;
            std::array::from_fn(|factor| {
                let (value, basis) = raw[rep][factor];
                one(
                    inputs.settings,
                    factor,
                    (value, basis),
                    market_z(inputs.market, region, factor),
                    spreads[factor],
                )
            })
        })
        .collect()
}

/// One factor from its raw value.
fn one(
    settings: &Settings,
    factor: usize,
    (raw, basis): (Option<f64>, &'static str),
    market: Option<f64>,
    spread: Option<(f64, f64)>,
) -> Factor {
    let Some(raw) = raw else { return Factor { raw: None, value: None, effect: 1.0, basis: "no data" } };
    if factor == SEASON {
        return Factor { raw: Some(raw), value: Some(raw), effect: raw, basis };
    }
    let z = match factor {
        HEAT => heat_z(raw),
        1..=3 => market.unwrap_or(0.0),
        _ => spread.map_or(0.0, |(mean, sd)| ((raw - mean) / sd).clamp(-Z_MAX, Z_MAX)),
    };
    Factor { raw: Some(raw), value: Some(z), effect: effect(settings, factor, z), basis }
}

/// The ratio by which a factor other than the season moves capacity.
pub(crate) fn effect(settings: &Settings, factor: usize, z: f64) -> f64 {
    (settings.factor.beta.get(FACTORS[factor]).copied().unwrap_or(0.0) * z).exp()
}

/// The comparable value of a market heat.
pub(crate) fn heat_z(heat: f64) -> f64 {
    ((heat / 100.0).ln() * 10.0).clamp(-Z_MAX, Z_MAX)
}

/// The first four factors, which a region has for every rep in it.
pub(crate) fn of_region(market: &Market, region: Option<usize>, settings: &Settings) -> [Factor; 4] {
    let names: [&[&str]; 4] = [&[], &GROWTH, &VOLATILITY, &PROMOTION];
    std::array::from_fn(|factor| {
        let raw = match factor {
            HEAT => market.heat(region, &settings.factor),
            _ => market.factor(region, names[factor]).map(|(value, _)| value),
        };
        one(settings, factor, (raw, "measured"), market_z(market, region, factor), None)
    })
}

const GROWTH: [&str; 3] = ["gdp_growth", "retail_growth", "consumption_growth"];
const VOLATILITY: [&str; 1] = ["price_volatility"];
const PROMOTION: [&str; 1] = ["competitor_promotion"];

fn market_z(market: &Market, region: Option<usize>, factor: usize) -> Option<f64> {
    let names: &[&str] = match factor {
        1 => &GROWTH,
        2 => &VOLATILITY,
        3 => &PROMOTION,
        _ => return None,
    };
    market.factor(region, names).map(|(_, z)| z)
}

fn raw_values(inputs: &FactorInputs<'_>, sums: &RepSums, rep: usize) -> [(Option<f64>, &'static str); 18] {
    let person = &inputs.crm.reps[rep];
    let market = |names: &[&str]| inputs.market.factor(person.region, names).map(|(value, _)| value);
    let share = |part: i64, whole: i64| crate::measure::ratio(part, whole);
    let mean_interval = (!sums.intervals.is_empty())
        .then(|| sums.intervals.iter().sum::<f64>() / real(count(sums.intervals.len())));
    let process = inputs.process.get(rep);
    let tenure = person.hired_on.map(|hired| f64::from((inputs.as_of - hired).max(0)) / 30.4);
    let scores: Vec<f64> = inputs.capability[rep].iter().filter_map(|skill| skill.score).collect();
    let capability = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / real(count(scores.len())));
    [
        (inputs.market.heat(person.region, &inputs.settings.factor), "measured"),
        (market(&GROWTH), "measured"),
        (market(&VOLATILITY), "measured"),
        (market(&PROMOTION), "measured"),
        (Some(inputs.season), "measured"),
        (share(sums.lively, sums.customers), "measured"),
        (mean_interval, "measured"),
        (major_per(sums.order_amount, sums.orders), "measured"),
        (share(sums.health, sums.customers), "measured"),
        (share(sums.dense, sums.customers), "measured"),
        (Some(sums.pipeline / 100.0), "heuristic"),
        (share(sums.answered * 100, sums.new_leads), "heuristic"),
        (process.and_then(|process| process.components[4].value), "measured"),
        (Some(real(sums.new_leads)), "measured"),
        (capability, "measured"),
        (tenure.map(|months| (months / 6.0).min(1.0)), "in base"),
        (Some(real(sums.open_deals + sums.open_leads)), "measured"),
        (inputs.attainment.get(&person.id).copied(), "measured"),
    ]
}

fn rep_sums(inputs: &FactorInputs<'_>) -> Vec<RepSums> {
    let crm = inputs.crm;
    let mut sums = vec![RepSums::default(); crm.reps.len()];
    for customer in inputs.customers {
        let Some(owner) = crm.customers.owner[at(customer.key)] else { continue };
        let rep = &mut sums[at(owner)];
        rep.customers += 1;
        rep.lively +=
            i64::from(matches!(customer.stage, Lifestage::New | Lifestage::Growing | Lifestage::Mature));
        rep.health += customer.health;
        rep.dense += i64::from(customer.dense);
        rep.orders += customer.orders;
        rep.order_amount = rep.order_amount.saturating_add(customer.order_amount);
        rep.intervals.extend(customer.repurchase_interval);
    }
    let position: Vec<Option<usize>> = (0..inputs.facts.reps.len())
        .map(|number| crm.rep(inputs.facts.reps.get(u32::try_from(number).ok()?)?))
        .collect();
    let find = |rep: Option<u32>| position.get(at(rep?)).copied().flatten();
    for deal in inputs.opportunities.iter().filter(|deal| deal.is_open()) {
        if let Some(rep) = find(deal.owner) {
            let chances = &inputs.settings.pipeline.win_chance;
            let rank = deal.rank.and_then(|rank| usize::try_from(rank).ok()).unwrap_or(0);
            let chance = chances.get(rank).or(chances.last()).copied().unwrap_or(0.0);
            sums[rep].pipeline += chance * real(deal.amount.unwrap_or(0));
            sums[rep].open_deals += 1;
        }
    }
    for lead in inputs.leads {
        if let Some(rep) = find(lead.assignee) {
            sums[rep].open_leads += i64::from(lead.is_open(inputs.as_of));
            if lead.created_within(inputs.as_of, 30) {
                sums[rep].new_leads += 1;
                sums[rep].answered += i64::from(lead.answered_at.is_some());
            }
        }
    }
    sums
}
