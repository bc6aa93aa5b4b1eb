//! The rows of every mart, in the order of their schema.

pub(super) mod alert;
mod entity;
mod fairness;
mod quota;
mod route;
mod rule;
mod score;

use super::quotas::Quotas;
use super::scores::Scores;
use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::mart::{Columns, Mart};
use crate::measure::capability::{SKILLS, Skill};
use crate::measure::funnel::{FunnelRow, STAGES, funnel, weeks};
use crate::measure::sales::{self, Sales, sales};
use crate::measure::{at, ratio};
use crate::rule::Book;
use crate::score::IndexForecast;
use crate::score::index::ScoredIndices;
use crate::settings::Settings;
use crate::tile::Tiles;
use crate::time::{Day, Zone};

/// What a run has measured and scored, and what from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measured<'a> {
    pub(super) tiles: &'a Tiles,
    pub(super) windows: &'a Windows,
    pub(super) measures: &'a Measures,
    pub(super) scores: &'a Scores,
    pub(super) settings: &'a Settings,
    pub(super) catalogue: &'a Catalogue,
    pub(super) zone: &'a Zone,
    pub(super) as_of: Day,
}

/// The marts that quotas have no part in, the largest among them; `put` takes them as they are ready.
pub(super) fn of_measures<T: Send>(
    day: &Measured<'_>,
    put: impl Fn(Vec<Mart>) -> Result<Vec<T>> + Sync,
) -> Result<Vec<T>> {
    let Measured { windows, measures, scores, settings, catalogue, zone, as_of, .. } = *day;
    let deals = || entity::opportunity(windows, measures, scores.deals.as_ref(), zone.end(as_of));
    let (health, (deals, others)) = rayon::join(
        || put(vec![entity::customer_health(day)?]),
        || {
            let deals = || put(vec![deals()?]);
            rayon::join(deals, || -> Result<Vec<T>> {
                let leads = entity::Leads::new(windows, measures, settings, catalogue, zone, as_of);
                let sums = shares(windows, measures);
                let mut marts = vec![
                    touch_density(windows, &sums)?,
                    health_improvement(windows, &sums)?,
                    process_health(windows, measures, scores.indices.as_ref())?,
                    leads.mart()?,
                    lead_funnel(&funnel(&measures.leads, &windows.facts, &windows.crm, as_of))?,
                    sales_measure(windows, measures, settings, as_of)?,
                    capability(windows, measures)?,
                    entity::derived_event(measures)?,
                ];
                if let Some(leads) = &scores.leads {
                    marts.push(score::lead_score(leads, windows, measures, &settings.score)?);
                }
                if !settings.routing.is_off() {
                    marts.push(route::lead_route(day)?);
                }
                put(marts)
            })
        },
    );
    Ok([health?, deals?, others?].into_iter().flatten().collect())
}

/// The others: quotas, alerts, and the weeks of leads that alerts look at.
pub(super) fn with_quotas(day: &Measured<'_>, quotas: &Quotas, rules: &Book) -> Result<Vec<Mart>> {
    let Measured { windows, measures, settings, as_of, .. } = *day;
    let weeks = weeks(&measures.leads, &windows.facts, &windows.crm, as_of);
    let mut marts = vec![
        lead_conversion(windows, &weeks, settings)?,
        alert::alerts(day, (quotas, rules), &weeks)?,
        fairness::mart(&quotas.fairness)?,
    ];
    marts.extend(quota::marts(windows, quotas)?);
    marts.extend(rule::marts(windows, quotas, rules)?);
    Ok(marts)
}

fn scopes(windows: &Windows) -> Columns {
    let list = &windows.scopes.list;
    Columns::default().text(list.iter().map(|(scope, _)| *scope)).text(list.iter().map(|(_, id)| id.as_str()))
}

/// Customers of a scope, and of those the densely served and those whose health rose.
#[derive(Debug, Clone, Copy, Default)]
struct Shares {
    customers: i64,
    dense: i64,
    improved: i64,
}

fn shares(windows: &Windows, measures: &Measures) -> Vec<Shares> {
    let mut sums = vec![Shares::default(); windows.scopes.len()];
    let customers = &windows.crm.customers;
    for customer in &measures.customers {
        let slot = at(customer.key);
        let (owner, region) = (customers.owner[slot].map(at), customers.region[slot].map(at));
        for scope in windows.scopes.of_customer(&windows.crm, owner, region) {
            sums[scope].customers += 1;
            sums[scope].dense += i64::from(customer.dense);
            sums[scope].improved += i64::from(customer.improved);
        }
    }
    sums
}

fn touch_density(windows: &Windows, sums: &[Shares]) -> Result<Mart> {
    scopes(windows)
        .long(sums.iter().map(|sum| sum.customers))
        .long(sums.iter().map(|sum| sum.dense))
        .ratio(sums.iter().map(|sum| ratio(sum.dense, sum.customers)))
        .of("mart.touch_density")
}

/// By region and for the company.
fn health_improvement(windows: &Windows, sums: &[Shares]) -> Result<Mart> {
    let list = windows.scopes.list.iter().zip(sums);
    let rows: Vec<_> = list.filter(|((scope, _), _)| matches!(*scope, "region" | "company")).collect();
    Columns::default()
        .text(rows.iter().map(|((scope, _), _)| *scope))
        .text(rows.iter().map(|((_, id), _)| id.as_str()))
        .long(rows.iter().map(|(_, sum)| sum.customers))
        .long(rows.iter().map(|(_, sum)| sum.improved))
        .ratio(rows.iter().map(|(_, sum)| ratio(sum.improved, sum.customers)))
        .of("mart.health_improvement")
}

fn process_health(windows: &Windows, measures: &Measures, scored: Option<&ScoredIndices>) -> Result<Mart> {
    let rows = &measures.process;
    let mut columns = scopes(windows);
    for component in 0..6 {
        columns = columns
            .long(rows.iter().map(|row| row.components[component].numerator))
            .long(rows.iter().map(|row| row.components[component].denominator))
            .ratio(rows.iter().map(|row| row.components[component].value))
            .ratio(rows.iter().map(|row| row.components[component].score));
    }
    let columns = columns
        .long(rows.iter().map(|row| row.sums.touches))
        .long(rows.iter().map(|row| row.sums.effective))
        .long(rows.iter().map(|row| row.sums.customers))
        .long(rows.iter().map(|row| row.sums.customers_touched))
        .ratio(rows.iter().map(|row| row.index))
        .maybe_text(rows.iter().map(|row| row.color.map(crate::measure::customer::Color::as_str)));
    // Without a model the table's last columns stay away.
    let Some(ScoredIndices { model_id, forecasts }) = scored else {
        return columns.of_first("mart.process_health");
    };
    let of = |said: fn(&IndexForecast) -> f64| forecasts.iter().map(move |one| one.as_ref().map(said));
    columns
        .ratio(of(|said| said.expected))
        .ratio(of(|said| said.low))
        .ratio(of(|said| said.high))
        .ratio(of(|said| said.p_red))
        .maybe_text(forecasts.iter().map(|said| said.map(|_| model_id.as_str())))
        .of("mart.process_health")
}

fn lead_funnel(rows: &[FunnelRow]) -> Result<Mart> {
    Columns::default()
        .maybe_text(rows.iter().map(|row| row.region.as_deref()))
        .maybe_text(rows.iter().map(|row| row.source.as_deref()))
        .text(rows.iter().map(|row| STAGES[row.stage]))
        .int(rows.iter().map(|row| i32::try_from(row.stage).unwrap_or(0)))
        .long(rows.iter().map(|row| row.entered))
        .long(rows.iter().map(|row| row.advanced))
        .long(rows.iter().map(|row| row.lost))
        .ratio(rows.iter().map(FunnelRow::conversion))
        .ratio(rows.iter().map(|row| row.company_conversion))
        .ratio(rows.iter().map(|row| row.median_days))
        .maybe_long(rows.iter().map(|row| row.worst_rank))
        .of("mart.lead_funnel")
}

fn lead_conversion(
    windows: &Windows,
    rows: &[crate::measure::funnel::Week],
    settings: &Settings,
) -> Result<Mart> {
    let scope = |row: &crate::measure::funnel::Week| if row.region.is_some() { "region" } else { "company" };
    let id = |row: &crate::measure::funnel::Week| {
        row.region.and_then(|region| windows.crm.regions.ids.get(region)).map_or("company", String::as_str)
    };
    let conversion = |row: &crate::measure::funnel::Week| ratio(row.converted, row.effective);
    let (red, amber) = (settings.lead.conversion_red_below, settings.lead.conversion_amber_below);
    let color = |value: f64| crate::measure::customer::Color::of(value, red, amber).as_str();
    let ids: Vec<&str> = rows.iter().map(id).collect();
    Columns::default()
        .text(rows.iter().map(scope))
        .text(ids)
        .text(rows.iter().map(|row| row.name.as_str()))
        .long(rows.iter().map(|row| row.effective))
        .long(rows.iter().map(|row| row.converted))
        .ratio(rows.iter().map(conversion))
        .maybe_text(rows.iter().map(|row| conversion(row).map(color)))
        .of("mart.lead_conversion")
}

fn sales_measure(windows: &Windows, measures: &Measures, settings: &Settings, as_of: Day) -> Result<Mart> {
    let rows = sales(&sales::Inputs {
        crm: &windows.crm,
        scopes: &windows.scopes,
        facts: &windows.facts,
        opportunities: &measures.opportunities,
        reps_30d: &windows.reps_30d,
        reps_90d: &windows.reps_90d,
        reps_month: &windows.reps_month,
        reps_month_before: &windows.reps_month_before,
        day_before: windows.month_before.1,
        first_deals: &windows.first_deals,
        as_of,
    });
    let company = rows[windows.scopes.company()].quote_success();
    let against = |row: &Sales| Some(row.quote_success()? - company?);
    let market: Vec<Option<f64>> =
        (0..rows.len()).map(|scope| windows.market_growth(scope, settings)).collect();
    let net = |row: &Sales, market: Option<f64>| Some((1.0 + row.revenue_growth()?) / (1.0 + market?) - 1.0);
    scopes(windows)
        .long(rows.iter().map(|row| row.deals))
        .cash(rows.iter().map(|row| row.amount))
        .long(rows.iter().map(|row| row.on_duty))
        .ratio(rows.iter().map(Sales::revenue_per_rep))
        .cash(rows.iter().map(|row| row.amount_before))
        .long(rows.iter().map(|row| row.on_duty_before))
        .ratio(rows.iter().map(Sales::revenue_growth))
        .ratio(market.iter().copied())
        .ratio(rows.iter().zip(&market).map(|(row, market)| net(row, *market)))
        .long(rows.iter().map(|row| row.opened))
        .long(rows.iter().map(|row| row.effective_visits))
        .ratio(rows.iter().map(Sales::push_efficiency))
        .long(rows.iter().map(|row| row.quotes_accepted))
        .long(rows.iter().map(|row| row.quotes_rejected))
        .ratio(rows.iter().map(Sales::quote_success))
        .ratio(rows.iter().map(against))
        .ratio(rows.iter().map(Sales::first_deal_days))
        .of("mart.sales_measure")
}

fn capability(windows: &Windows, measures: &Measures) -> Result<Mart> {
    let rows: Vec<(&str, usize, &Skill)> = windows
        .crm
        .reps
        .iter()
        .zip(&measures.capability)
        .flat_map(|(rep, skills)| {
            skills.iter().enumerate().map(|(position, skill)| (rep.id.as_str(), position, skill))
        })
        .collect();
    Columns::default()
        .text(rows.iter().map(|(rep, ..)| *rep))
        .text(rows.iter().map(|(_, position, _)| SKILLS[*position]))
        .int(rows.iter().map(|(_, position, _)| i32::try_from(position + 1).unwrap_or(0)))
        .long(rows.iter().map(|(.., skill)| skill.numerator))
        .long(rows.iter().map(|(.., skill)| skill.denominator))
        .ratio(rows.iter().map(|(.., skill)| skill.value()))
        .ratio(rows.iter().map(|(.., skill)| skill.score))
        .long(rows.iter().map(|(.., skill)| skill.peers))
        .of("mart.capability")
}
