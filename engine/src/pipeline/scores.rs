//! The stage that asks models: what they say of the leads that are open today.

use super::stage::{Measures, Windows};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::score::deal::{ScoredDeals, Workdays, stage_number};
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads};
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
    let Some(model) = models.lead else { return Ok(Scores { leads: None, deals }) };
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
    let close = |(stage, age)| workdays.after(as_of, model.median_days(stage, age)?);
    Ok(ScoredDeals {
        model_id: model.id().to_owned(),
        p_win: asked.iter().map(|asked| asked.map(p_win)).collect(),
        expected_close: asked.iter().map(|asked| asked.and_then(close)).collect(),
    })
}
