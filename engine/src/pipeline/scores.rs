//! The stage that asks models: what they say of today's open leads and opportunities, and of customers.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::measure::at;
use crate::score::customer::{ScoredCustomers, case};
use crate::score::deal::{ScoredDeals, Workdays, stage_number};
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads};
use crate::score::{CustomerScorer, Growing, Models, WinScorer};
use crate::settings::Settings;
use crate::time::{Day, Zone};

/// What models say.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Of the open leads; none without a model.
    pub(super) leads: Option<ScoredLeads>,
    /// Of the opportunities; none without a model.
    pub(super) deals: Option<ScoredDeals>,
    /// Of the customers; none without a model.
    pub(super) customers: Option<ScoredCustomers>,
}

/// Days that the working days of a forecast lie within.
const DAYS_AHEAD: Day = 400;

pub(super) fn scores(
    windows: &Windows,
    measures: &Measures,
    models: Models<'_>,
    settings: &Settings,
    catalogue: &Catalogue,
    zone: &Zone,
    as_of: Day,
) -> Result<Scores> {
    let deals = models
        .win
        .map(|model| deals(windows, measures, model, &settings.pipeline.stages, zone, as_of))
        .transpose()?;
    let customers = models.customer.map(|model| customers(windows, measures, model, as_of)).transpose()?;
    let Some(model) = models.lead else { return Ok(Scores { leads: None, deals, customers }) };
    let (crm, facts) = (&windows.crm, &windows.facts);
    let region_of = |rep: &str| crm.regions.ids.get(crm.reps[crm.rep(rep)?].region?).cloned();
    let inputs = LeadInputs { facts, catalogue, settings: &settings.lead, zone };
    let mut cases = LeadCases::new(inputs, model.features());
    let numbers = cases.day(&measures.leads, &region_of, as_of);
    let cases = cases.finish();
    let scores = model
        .score(&cases)
        .map_err(|message| EngineError::Input(format!("scoring leads with {}: {message}", model.id())))?;
    if scores.p_convert.len() != numbers.len() || scores.reasons.len() != numbers.len() {
        let message = format!("scoring leads with {}: another number of scores than leads", model.id());
        return Err(EngineError::Input(message));
    }
    let leads = ScoredLeads { model_id: model.id().to_owned(), numbers, cases, scores };
    Ok(Scores { leads: Some(leads), deals, customers })
}

/// The chance of each customer to order soon, and the orders to come.
fn customers(
    windows: &Windows,
    measures: &Measures,
    model: &dyn CustomerScorer,
    as_of: Day,
) -> Result<ScoredCustomers> {
    let (known, orders) = (&windows.crm.customers, &windows.orders);
    let mut growing = Growing::default();
    let asked: Vec<bool> = measures
        .customers
        .iter()
        .map(|customer| {
            let key = at(customer.key);
            let segment = known.segment[key].and_then(|segment| known.segments.get(at(segment)));
            let history = (orders.of(key), orders.first_order(key));
            case(&mut growing, history, segment.map(String::as_str), as_of)
        })
        .collect();
    let cases = growing.finish();
    let wrong = |what: &str| EngineError::Input(format!("scoring customers with {}: {what}", model.id()));
    let said = model.score(&cases).map_err(|message| wrong(&message))?;
    if said.len() != cases.rows() {
        return Err(wrong("another number of scores than customers"));
    }
    let mut said = said.into_iter();
    let of_all = asked.into_iter().map(|asked| if asked { said.next() } else { None });
    let (p_order, orders_ahead) =
        of_all.map(|said| (said.map(|said| said.0), said.map(|said| said.1))).unzip();
    Ok(ScoredCustomers { model_id: model.id().to_owned(), p_order, orders_ahead })
}

/// The chance of each open opportunity to be won by the end of the period, and when it will be over.
fn deals(
    windows: &Windows,
    measures: &Measures,
    model: &dyn WinScorer,
    stages: &[Vec<String>],
    zone: &Zone,
    as_of: Day,
) -> Result<ScoredDeals> {
    if model.stages() != stages {
        return Err(EngineError::Input(format!(
            "the model of wins {} was fitted with other stages than pipeline.stages names; `tideline train` fits another, \
             `tideline model rollback --of win` takes it back",
            model.id()
        )));
    }
    let deals = &measures.opportunities;
    let open = || deals.iter().filter(|deal| deal.is_open());
    let first = open().map(|deal| zone.day(deal.stage_changed_at)).min().unwrap_or(as_of).min(as_of);
    let workdays = Workdays::new(first, as_of + DAYS_AHEAD, &windows.crm.calendar);
    let left = workdays.between(as_of, windows.period.last);
    let asked: Vec<Option<(usize, usize)>> = deals
        .iter()
        .map(|deal| {
            let since = zone.day(deal.stage_changed_at);
            let asked = (stage_number(deal.rank, stages.len()), workdays.between(since, as_of));
            deal.is_open().then_some(asked)
        })
        .collect();
    let p_win = |(stage, age)| model.p_win(stage, age, left);
    let interval = |(stage, age)| model.interval(stage, age, left);
    let intervals: Vec<Option<[f64; 2]>> = asked.iter().map(|asked| asked.and_then(interval)).collect();
    // Whether a model knows intervals doesn't depend on what it is asked.
    let known = model.interval(0, 0, left).is_some();
    let close = |(stage, age)| workdays.after(as_of, model.median_days(stage, age)?);
    Ok(ScoredDeals {
        model_id: model.id().to_owned(),
        p_win: asked.iter().map(|asked| asked.map(p_win)).collect(),
        interval: known.then_some(intervals),
        expected_close: asked.iter().map(|asked| asked.and_then(close)).collect(),
    })
}
