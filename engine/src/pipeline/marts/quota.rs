//! Factors, quotas, their explanations, and the plan table.

use crate::error::Result;
use crate::factor::FACTORS;
use crate::mart::{Columns, Mart};
use crate::measure::count;
use crate::pipeline::quotas::Quotas;
use crate::pipeline::stage::Windows;
use crate::quota::Bound;

pub(super) fn marts(windows: &Windows, quotas: &Quotas) -> Result<Vec<Mart>> {
    Ok(vec![
        factor(windows, quotas)?,
        quota(windows, quotas)?,
        explanation(windows, quotas)?,
        plan(windows, quotas)?,
        elasticity(windows, quotas)?,
    ])
}

fn position(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

fn factor(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let reps = windows.crm.reps.iter().zip(&quotas.ground.factors);
    let all: Vec<_> = reps
        .flat_map(|(rep, factors)| {
            factors.iter().enumerate().map(move |(index, factor)| (rep, index, factor))
        })
        .collect();
    let rows = || all.iter();
    Columns::default()
        .text(rows().map(|(rep, ..)| rep.id.as_str()))
        .text(rows().map(|(_, index, _)| FACTORS[*index]))
        .int(rows().map(|(_, index, _)| position(*index + 1)))
        .ratio(rows().map(|(.., factor)| factor.raw))
        .ratio(rows().map(|(.., factor)| factor.value))
        .ratio(rows().map(|(.., factor)| Some(factor.effect)))
        .text(rows().map(|(.., factor)| factor.basis))
        .of("mart.factor")
}

fn quota(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let crm = &windows.crm;
    let rows = &quotas.run.rows;
    let region =
        |rep: usize| crm.reps[rep].region.and_then(|region| crm.regions.ids.get(region)).map(String::as_str);
    let market = |rep: usize| quotas.elasticity.market(crm.reps[rep].region);
    let leans_on: Vec<String> = (0..rows.len()).map(|row| quotas.ground.forecast.leans_on(row)).collect();
    Columns::default()
        .text(rows.iter().map(|row| crm.reps[row.rep].id.as_str()))
        .maybe_text(rows.iter().map(|row| region(row.rep)))
        .text(rows.iter().map(|_| windows.period.name.as_str()))
        .cash(rows.iter().map(|row| row.attained))
        .cash(rows.iter().map(|row| row.expected))
        .cash(rows.iter().map(|row| row.low))
        .cash(rows.iter().map(|row| row.high))
        .cash(rows.iter().map(|row| row.ruled.proposal))
        .cash(rows.iter().map(|row| row.quota))
        .maybe_cash(rows.iter().map(|row| row.previous))
        .date(rows.iter().map(|row| row.previous.and(quotas.ground.basis.previous_as_of)))
        .ratio(rows.iter().map(|row| Some(row.p_attain)))
        .ratio(rows.iter().map(|row| row.ruled.weight.or_else(|| Some(market(row.rep).weight))))
        .ratio(rows.iter().map(|row| market(row.rep).heat))
        .text(rows.iter().map(|row| row.bound.as_str()))
        .cash(rows.iter().map(|row| row.base))
        .ratio(rows.iter().map(|row| Some(row.scale)))
        .text(rows.iter().map(|_| quotas.predictor.as_str()))
        .maybe_text(leans_on.iter().map(|words| Some(words.as_str())))
        .of("mart.quota")
}

/// One line of an explanation.
struct Line<'a> {
    rep: &'a str,
    kind: &'static str,
    position: i32,
    term: &'a str,
    amount: i64,
    ratio: Option<f64>,
}

fn explanation(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let terms = &quotas.run.terms;
    let mut lines = Vec::new();
    for row in &quotas.run.rows {
        let rep = windows.crm.reps[row.rep].id.as_str();
        lines.push(Line { rep, kind: "level", position: 0, term: "base", amount: row.base, ratio: None });
        for (index, term) in terms.names().iter().enumerate() {
            let (amount, ratio) = (row.level[index], Some(row.ratios[index]));
            // Of the rules and adjustments, those that moved this quota.
            if terms.is_mover(index) && amount == 0 && ratio == Some(1.0) {
                continue;
            }
            lines.push(Line { rep, kind: "level", position: position(index + 1), term, amount, ratio });
        }
        for (index, amount) in row.change.iter().flatten().enumerate() {
            if index > 0 && terms.is_mover(index - 1) && *amount == 0 {
                continue;
            }
            let term = if index == 0 { "base" } else { &terms.names()[index - 1] };
            lines.push(Line {
                rep,
                kind: "change",
                position: position(index),
                term,
                amount: *amount,
                ratio: None,
            });
        }
    }
    Columns::default()
        .text(lines.iter().map(|line| line.rep))
        .text(lines.iter().map(|_| windows.period.name.as_str()))
        .text(lines.iter().map(|line| line.kind))
        .int(lines.iter().map(|line| line.position))
        .text(lines.iter().map(|line| line.term))
        .cash(lines.iter().map(|line| line.amount))
        .ratio(lines.iter().map(|line| line.ratio))
        .of("mart.quota_explanation")
}

fn plan(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let crm = &windows.crm;
    let mut reps = vec![0_i64; crm.regions.ids.len()];
    let mut held: Vec<Vec<&str>> = vec![Vec::new(); crm.regions.ids.len()];
    for row in &quotas.run.rows {
        let regions = crm.reps[row.rep].region.into_iter().flat_map(|region| crm.regions.upward(region));
        for region in regions {
            reps[region] += 1;
            if row.bound != Bound::None && held[region].len() < BINDING_NAMES_MAX {
                held[region].push(&crm.reps[row.rep].id);
            }
        }
    }
    let outcomes = &quotas.run.regions;
    let layers: Vec<String> = outcomes
        .iter()
        .map(|outcome| {
            let mut layers: Vec<&str> =
                outcome.relaxations.iter().map(|relaxation| relaxation.layer.as_str()).collect();
            layers.dedup();
            if layers.is_empty() { "none".to_owned() } else { layers.join(", ") }
        })
        .collect();
    let binding: Vec<String> = held.iter().map(|names| names.join(", ")).collect();
    Columns::default()
        .text(crm.regions.ids.iter().map(String::as_str))
        .text(outcomes.iter().map(|_| windows.period.name.as_str()))
        .maybe_cash(outcomes.iter().map(|outcome| outcome.plan))
        .cash(outcomes.iter().map(|outcome| outcome.quota_total))
        .maybe_cash(outcomes.iter().map(|outcome| outcome.difference))
        .text(layers.iter().map(String::as_str))
        .maybe_cash(outcomes.iter().map(|outcome| (outcome.relaxed != 0).then_some(outcome.relaxed)))
        .long(reps.iter().copied())
        .long(outcomes.iter().map(|outcome| count(outcome.binding_reps)))
        .maybe_text(binding.iter().map(|names| (!names.is_empty()).then_some(names.as_str())))
        .of("mart.quota_plan")
}

/// A row per region, and one without for reps that belong to none.
fn elasticity(windows: &Windows, quotas: &Quotas) -> Result<Mart> {
    let markets = quotas.elasticity.markets();
    let regions = &windows.crm.regions.ids;
    Columns::default()
        .maybe_text((0..markets.len()).map(|place| regions.get(place).map(String::as_str)))
        .ratio(markets.iter().map(|market| market.heat))
        .flag(markets.iter().map(|market| market.cold))
        .ratio(markets.iter().map(|market| Some(market.weight)))
        .ratio(markets.iter().map(|market| Some(market.points)))
        .of("mart.elasticity")
}

/// Reps named in `binding` of `mart.quota_plan`.
const BINDING_NAMES_MAX: usize = 20;
