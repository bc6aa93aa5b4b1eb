//! The stage that asks models: what they say of today's open leads and opportunities, and of customers.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::measure::at;
use crate::score::customer::{ScoredCustomers, case};
use crate::score::deal::{ScoredDeals, WinLook};
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads, region_in};
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
    let inputs = LeadInputs { facts, catalogue, settings: &settings.lead, zone };
    let mut cases = LeadCases::new(inputs, model.features());
    let numbers = cases.day(&measures.leads, &region_in(crm), as_of);
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
    let deals = &measures.opportunities;
    let look = WinLook::new(model, stages, deals, (zone, &windows.crm.calendar), (as_of, &windows.period))?;
    let intervals = || deals.iter().map(|deal| look.interval(model, zone, deal)).collect();
    Ok(ScoredDeals {
        model_id: model.id().to_owned(),
        p_win: deals.iter().map(|deal| look.p_win(model, zone, deal)).collect(),
        interval: look.knows_intervals(model).then(intervals),
        expected_close: deals.iter().map(|deal| look.expected_close(model, zone, deal)).collect(),
    })
}
