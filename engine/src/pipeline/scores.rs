//! The stage that asks models: what they say of today's open leads and opportunities, of customers and of indices.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::measure::at;
use crate::score::customer::{ScoredCustomers, case};
use crate::score::deal::{ScoredDeals, WinLook};
use crate::score::index::{self, IndexLook, ScoredIndices};
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads, region_in};
use crate::score::{CustomerScorer, Growing, IndexScorer, Models, WinScorer};
use crate::settings::Settings;
use crate::tile::{RepMonths, Tiles};
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
    /// Of the process-health index; none without a model.
    pub(super) indices: Option<ScoredIndices>,
}

pub(super) fn scores(
    (tiles, windows, measures): (&Tiles, &Windows, &Measures),
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
    let of_index = |model| indices((tiles, windows, measures), model, settings, zone, as_of);
    let indices = models.index.map(of_index).transpose()?;
    let Some(model) = models.lead else { return Ok(Scores { leads: None, deals, customers, indices }) };
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
    Ok(Scores { leads: Some(leads), deals, customers, indices })
}

/// The chance of each customer to order soon, and the orders to come.
fn customers(
    windows: &Windows,
    measures: &Measures,
    model: &dyn CustomerScorer,
    as_of: Day,
) -> Result<ScoredCustomers> {
    let (known, orders) = (&windows.crm.customers, &windows.orders);
    let (mut growing, mut room) = (Growing::default(), Vec::new());
    let asked: Vec<bool> = measures
        .customers
        .iter()
        .map(|customer| {
            let key = at(customer.key);
            let segment = known.segment[key].and_then(|segment| known.segments.get(at(segment)));
            let history = (orders.of(key, &mut room), orders.first_order(key));
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

/// The process-health index of each scope in two weeks.
fn indices(
    (tiles, windows, measures): (&Tiles, &Windows, &Measures),
    model: &dyn IndexScorer,
    settings: &Settings,
    zone: &Zone,
    as_of: Day,
) -> Result<ScoredIndices> {
    let look = IndexLook {
        crm: &windows.crm,
        scopes: &windows.scopes,
        facts: &windows.facts,
        leads: &measures.leads,
        opportunities: &measures.opportunities,
        last_touch: &windows.customers.now.last_touch,
        settings,
        zone,
        as_of,
    };
    let [staying, ..] = index::spans(as_of);
    let staying = tiles.reps(&[staying], &RepMonths::default())?.into_iter().next().unwrap_or_default();
    let mut growing = Growing::default();
    let asked = index::cases(&mut growing, &look, [&staying, &windows.reps_30d, &windows.reps_90d]);
    let cases = growing.finish();
    let wrong = |what: &str| EngineError::Input(format!("forecasting indices with {}: {what}", model.id()));
    let said = model.forecast(&cases, settings.process.red_below).map_err(|message| wrong(&message))?;
    if said.len() != asked.len() {
        return Err(wrong("another number of forecasts than indices"));
    }
    let mut forecasts = vec![None; windows.scopes.len()];
    for (scope, said) in asked.into_iter().zip(said) {
        forecasts[scope] = said;
    }
    Ok(ScoredIndices { model_id: model.id().to_owned(), forecasts })
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
