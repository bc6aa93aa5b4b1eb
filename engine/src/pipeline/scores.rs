//! The stage that asks models: what they say of the leads that are open today.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::score::Models;
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads};
use crate::settings::Settings;
use crate::time::{Day, Zone};

/// What models say.
#[derive(Debug, Default)]
pub(super) struct Scores {
    /// Of the open leads; none without a model.
    pub(super) leads: Option<ScoredLeads>,
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
    let Some(model) = models.lead else { return Ok(Scores::default()) };
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
    Ok(Scores { leads: Some(ScoredLeads { model_id: model.id().to_owned(), numbers, cases, scores }) })
}
