//! The factors of every rep.

use std::collections::BTreeMap;

use super::market::Market;
use super::model::ModelValues;
use super::{FACTORS, Factor, HEAT, PIPELINE, SEASON, Z_MAX, spread};
use crate::entity::Crm;
use crate::measure::capability::Skill;
use crate::measure::portfolio::Portfolio;
use crate::measure::process::ProcessHealth;
use crate::measure::{count, major_per, real};
use crate::settings::Settings;
use crate::time::Day;

/// What the factors are made of. `process` begins with one entry per rep.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FactorInputs<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) market: &'a Market,
    /// By position in the CRM.
    pub(crate) portfolios: &'a [Portfolio],
    /// What models say of the reps' leads and opportunities.
    pub(crate) models: &'a ModelValues,
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

/// A rep's raw values, each with its basis, in the order of [`FACTORS`].
pub(crate) type Raw = [(Option<f64>, &'static str); FACTORS.len()];

/// The factors of every rep of the CRM, in its order; each in the order of [`FACTORS`].
pub(crate) fn factors(inputs: &FactorInputs<'_>) -> Vec<[Factor; 18]> {
    let raw: Vec<Raw> = (0..inputs.crm.reps.len()).map(|rep| raw_values(inputs, rep)).collect();
    let on_duty: Vec<bool> = inputs.crm.reps.iter().map(|rep| rep.on_duty(inputs.as_of)).collect();
    let spreads: Spreads = std::array::from_fn(|factor| spread_of(&raw, &on_duty, factor));
    let all = |rep: usize| std::array::from_fn(|factor| one(inputs, rep, factor, &raw[rep], &spreads));
    (0..raw.len()).map(all).collect()
}

/// Mean and standard deviation over the reps on duty, by factor.
pub(crate) type Spreads = [Option<(f64, f64)>; FACTORS.len()];

/// Mean and standard deviation of a factor over the reps on duty.
pub(crate) fn spread_of(raw: &[Raw], on_duty: &[bool], factor: usize) -> Option<(f64, f64)> {
    let rows = raw.iter().zip(on_duty).filter(|(_, on_duty)| **on_duty);
    spread(rows.filter_map(move |(row, _)| row[factor].0))
}

/// One factor from its raw value.
pub(crate) fn one(
    inputs: &FactorInputs<'_>,
    rep: usize,
    factor: usize,
    raw: &Raw,
    spreads: &Spreads,
) -> Factor {
    let market = market_z(inputs.market, inputs.crm.reps[rep].region, factor);
    compared(inputs.settings, factor, raw[factor], market, spreads[factor])
}

/// One factor from its raw value with its basis: a market factor beside its own year, another beside the other reps.
fn compared(
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
    // What a model of wins says of the pipeline is in the forecast already.
    let effect = if factor == PIPELINE && basis == "model" { 1.0 } else { effect(settings, factor, z) };
    Factor { raw: Some(raw), value: Some(z), effect, basis }
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
        compared(settings, factor, (raw, "measured"), market_z(market, region, factor), None)
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

/// The raw values of one rep.
pub(crate) fn raw_values(inputs: &FactorInputs<'_>, rep: usize) -> Raw {
    let (person, sums) = (&inputs.crm.reps[rep], &inputs.portfolios[rep]);
    let market = |names: &[&str]| inputs.market.factor(person.region, names).map(|(value, _)| value);
    let share = |part: i64, whole: i64| crate::measure::ratio(part, whole);
    let process = inputs.process.get(rep);
    let tenure = person.hired_on.map(|hired| f64::from((inputs.as_of - hired).max(0)) / 30.4);
    let said = |values: &Option<Vec<Option<f64>>>| values.as_ref().map(|values| (values[rep], "model"));
    let heuristic = Some(sums.pipeline(&inputs.settings.pipeline.win_chance) / 100.0);
    let answered = share(sums.answered * 100, sums.new_leads);
    [
        (inputs.market.heat(person.region, &inputs.settings.factor), "measured"),
        (market(&GROWTH), "measured"),
        (market(&VOLATILITY), "measured"),
        (market(&PROMOTION), "measured"),
        (Some(inputs.season), "measured"),
        (share(sums.lively(), sums.customers), "measured"),
        (sums.mean_interval(), "measured"),
        (major_per(sums.order_amount(), sums.orders), "measured"),
        (share(sums.health, sums.customers), "measured"),
        (share(sums.dense, sums.customers), "measured"),
        said(&inputs.models.weighted_pipeline).unwrap_or((heuristic, "heuristic")),
        said(&inputs.models.lead_score).unwrap_or((answered, "heuristic")),
        (process.and_then(|process| process.components[4].value), "measured"),
        (Some(real(sums.new_leads)), "measured"),
        (capability_of(&inputs.capability[rep]), "measured"),
        (tenure.map(|months| (months / 6.0).min(1.0)), "in base"),
        (Some(real(sums.open_deals + sums.open_leads)), "measured"),
        (inputs.attainment.get(&person.id).copied(), "measured"),
    ]
}

/// The mean of the scores of a rep's skills.
pub(crate) fn capability_of(skills: &[Skill; 6]) -> Option<f64> {
    let scores: Vec<f64> = skills.iter().filter_map(|skill| skill.score).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / real(count(scores.len())))
}
