//! What models learn from: leads, opportunities, customers and indices as they stood on past days, and what came of them.

use std::collections::BTreeMap;

use super::cases::Cases;
use super::customer::{CustomerRows, customer_rows};
use super::deal::{DealRows, Workdays};
use super::index::{IndexRows, index_rows};
use super::lead::{LeadCases, LeadInputs};
use super::{HORIZON_DAYS, LeadFeatures, attribute, decay};
use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::entity::{CrmVersions, Versions, calendar};
use crate::error::Result;
use crate::lake::{Job, Lake};
use crate::measure::at;
use crate::measure::facts::Facts;
use crate::measure::lead::leads;
use crate::measure::opportunity::{Stages, opportunities};
use crate::settings::Settings;
use crate::tile::{Tiles, ensure};
use crate::time::Day;

/// Days of history before the first case, so that records of reps have begun.
const BEGUN_DAYS: Day = 14;

/// What to learn from.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRequest<'a> {
    /// The day whose end training looks from: what came after it isn't known.
    pub as_of: Day,
    /// Days of history read, at most.
    pub history_days: Day,
    /// Days between two looks at the same lead.
    pub step_days: Day,
    /// Columns that cases must have as well: those of the model in use.
    pub also: Option<&'a LeadFeatures>,
    /// What decides measures.
    pub settings: &'a Settings,
    /// The event catalogue.
    pub catalogue: &'a Catalogue,
}

/// What models learn from.
#[derive(Debug)]
pub struct Training {
    /// Leads.
    pub leads: LeadRows,
    /// Opportunities.
    pub deals: DealRows,
    /// Customers.
    pub customers: CustomerRows,
    /// Process-health indices.
    pub indices: IndexRows,
    /// Table → version read.
    pub inputs: BTreeMap<&'static str, i64>,
    /// Days with events that were read: the first, and how many.
    pub first_day: Option<Day>,
    /// How many days with events were read.
    pub days: usize,
}

/// Leads as they stood at the end of past days, in the order of (day, lead id).
#[derive(Debug, Default)]
pub struct LeadRows {
    /// What was known of each then. Every kind of event has a column for each half-life.
    pub cases: Cases,
    /// What the columns are made from.
    pub features: LeadFeatures,
    /// The lead of each case.
    pub lead_ids: Vec<String>,
    /// The day of each case.
    pub days: Vec<Day>,
    /// Whether it converted within [`HORIZON_DAYS`] after that day.
    pub converted: Vec<bool>,
    /// Open leads of later days, whose time is not over: left out.
    pub censored: usize,
}

/// Reads the history and makes the rows; freshens the tiles on the way.
///
/// # Errors
/// Where the lake can't be read or written, or another process runs a day of it.
pub async fn training(lake: &Lake, request: TrainingRequest<'_>) -> Result<Training> {
    let _lock = lake.lock(Job::Run)?;
    let raw = lake.table("raw.behaviour").await?;
    let rep_table = lake.table(Stream::Rep.table()).await?;
    let customer_table = lake.table(Stream::Customer.table()).await?;
    let region_table = lake.table(Stream::Region.table()).await?;
    let plan_table = lake.table(Stream::Plan.table()).await?;
    let calendar_table = lake.table(Stream::Calendar.table()).await?;
    let versions = CrmVersions {
        reps: Versions::load(Stream::Rep, &rep_table)?,
        customers: Versions::load(Stream::Customer, &customer_table)?,
        regions: Versions::load(Stream::Region, &region_table)?,
        plan: Versions::load(Stream::Plan, &plan_table)?,
        calendar: Versions::load(Stream::Calendar, &calendar_table)?,
    };
    let TrainingRequest { as_of, catalogue, .. } = request;
    let tiles = Tiles::open(lake, None).await?;
    let (tiles, _) = ensure(tiles, &raw, catalogue, as_of, versions.customers.ids(), |_, _| {}).await?;
    let days = tiles.fact_days(as_of.saturating_sub(request.history_days), as_of);
    let facts = Facts::read(None, &days, catalogue)?;
    let inputs = [&raw, &rep_table, &customer_table, &region_table, &plan_table, &calendar_table]
        .map(|table| (table.spec().name, table.version()))
        .into_iter()
        .collect();
    let first_day = days.first().map(|(day, _)| *day);
    let newest = as_of - HORIZON_DAYS;
    let looks = first_day.map_or_else(Vec::new, |first| looks(first + BEGUN_DAYS, newest, request.step_days));
    let leads = lead_rows(lake, &facts, &versions.reps, &looks, request)?;
    let pipeline = &request.settings.pipeline;
    let deals = opportunities(&facts, catalogue, &Stages::new(pipeline));
    let off = calendar(&versions.calendar, lake.zone().end(as_of))?;
    let workdays = Workdays::new(first_day.unwrap_or(as_of), as_of, &off);
    let deals = DealRows::new(&deals, &pipeline.stages, workdays, &looks, request.settings.quota.period);
    let customers = customer_rows(lake, &tiles, &versions.customers, &looks, request)?;
    let indices = first_day.map(|first| index_rows(lake, &tiles, &versions, &facts, first, request));
    let indices = indices.transpose()?.unwrap_or_default();
    Ok(Training { leads, deals, customers, indices, inputs, first_day, days: days.len() })
}

/// The days looked at, in order: the newest, and back from it in steps while the history has begun.
pub(super) fn looks(begun: Day, newest: Day, step_days: Day) -> Vec<Day> {
    let mut looks: Vec<Day> = std::iter::successors(Some(newest), |day| Some(day - step_days.max(1)))
        .take_while(|day| *day >= begun)
        .collect();
    looks.reverse();
    looks
}

fn lead_rows(
    lake: &Lake,
    facts: &Facts,
    reps: &Versions,
    looks: &[Day],
    request: TrainingRequest<'_>,
) -> Result<LeadRows> {
    let TrainingRequest { as_of, step_days, settings, catalogue, .. } = request;
    let zone = lake.zone();
    let known = leads(facts, catalogue, as_of);
    let features = LeadFeatures {
        attributes: attribute::survey(facts, &known),
        decays: decay::survey(facts, catalogue),
    };
    let inputs = LeadInputs { facts, catalogue, settings: &settings.lead, zone };
    let columns = features.and(request.also);
    let mut cases = LeadCases::new(inputs, &columns);
    let mut rows = LeadRows::default();
    for &day in looks {
        let then = leads(facts, catalogue, day);
        let regions = reps.texts_in_force("region_id", zone.end(day))?;
        let end = zone.end(day + HORIZON_DAYS);
        for number in cases.day(&then, &|rep| regions.get(rep).cloned(), day) {
            rows.days.push(day);
            rows.lead_ids.push(facts.leads.get(number).unwrap_or_default().to_owned());
            rows.converted.push(known[at(number)].converted_at.is_some_and(|converted| converted < end));
        }
    }
    rows.cases = cases.finish();
    rows.censored = (as_of - HORIZON_DAYS + 1..=as_of)
        .rev()
        .step_by(usize::try_from(step_days).unwrap_or(1))
        .map(|day| leads(facts, catalogue, day).iter().filter(|lead| lead.is_open(day)).count())
        .sum();
    rows.features = features;
    Ok(rows)
}
