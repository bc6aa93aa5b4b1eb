//! The stage that asks models: what they say of the leads that are open today.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::score::deal::{ScoredDeals, WinLook};
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads, region_in};
use crate::score::{Models, WinScorer};
use crate::settings::Settings;
use crate::time::{Day, Zone};

/// What models say.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Of the open leads; none without a model.
    pub(super) leads: Option<ScoredLeads>,
    /// Of the opportunities; none without a model.
    pub(super) deals: Option<ScoredDeals>,
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
    let Some(model) = models.lead else { return Ok(Scores { leads: None, deals }) };
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
    Ok(Scores { leads: Some(leads), deals })
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
    Ok(ScoredDeals {
        model_id: model.id().to_owned(),
        p_win: deals.iter().map(|deal| look.p_win(model, zone, deal)).collect(),
        expected_close: deals.iter().map(|deal| look.expected_close(model, zone, deal)).collect(),
    })
}
