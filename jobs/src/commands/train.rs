//! `tideline train`: fit on the lake's history, judge, and use what is better.

use std::collections::BTreeMap;

use engine::EngineError;
use engine::lake::{Entry, Lake, Log, Status};
use engine::score::{LeadScorer as _, Training, TrainingRequest, training};
use engine::time::{Day, date};
use serde_json::json;

use crate::cli::TrainArgs;
use crate::context::Context;
use crate::lead_model::{LEAD, LeadModel};
use crate::train::{Trained, train_leads};
use crate::{output, report};

pub(crate) async fn run(args: TrainArgs, context: &Context) -> anyhow::Result<()> {
    let as_of = args.as_of.map_or_else(|| context.yesterday(), |day| context.day(day))?;
    output::print(&train(&context.lake()?, as_of, context).await?)
}

/// Trains as of a day, and tells what came of it.
///
/// # Errors
/// As the lake; history that nothing can be learnt from is no error.
pub(super) async fn train(lake: &Lake, as_of: Day, context: &Context) -> anyhow::Result<String> {
    let progress = context.progress("train");
    let config = &context.config.model;
    let log = Log::load(lake).await?;
    let in_use = match log.in_use(LEAD).last() {
        Some(entry) => Some((LeadModel::load(lake, entry)?, entry.as_of)),
        None => None,
    };
    if let Some((model, fitted_on)) = &in_use
        && *fitted_on > as_of
    {
        let message = format!(
            "the model in use ({}) was fitted as of {}, after {}; train as of a later day, or take it back with \
             `tideline model rollback`",
            model.id(),
            date(*fitted_on),
            date(as_of)
        );
        return Err(EngineError::Input(message).into());
    }
    progress.stage("reading the history");
    let request = TrainingRequest {
        as_of,
        history_days: config.history_days,
        step_days: config.step_days,
        also: in_use.as_ref().map(|(model, _)| model.features()),
        settings: &context.settings(),
        catalogue: &context.catalogue()?,
    };
    let read = training(lake, request).await?;
    if read.days == 0 {
        let message =
            format!("the lake has no events up to {}; `tideline ingest` takes some in", date(as_of));
        return Err(EngineError::Input(message).into());
    }
    progress.stage("fitting");
    let used = in_use.as_ref().map(|(model, fitted_on)| (model, *fitted_on));
    let trained = match train_leads(&read.leads, used, config, as_of)? {
        Ok(trained) => trained,
        Err(reason) => return Ok(report::train::nothing(as_of, &reason)),
    };
    drop(progress);
    let known = log.entries.iter().any(|entry| entry.model_id == trained.id);
    if !known {
        let files = BTreeMap::from([(trained.id.clone(), trained.bytes.clone())]);
        lake.record_models(vec![entry(&trained, &read, as_of, context)?], &files).await?;
    }
    Ok(report::train::trained(&trained, &read, as_of, known))
}

fn entry(trained: &Trained, read: &Training, as_of: Day, context: &Context) -> anyhow::Result<Entry> {
    let config = &context.config.model;
    let against: Vec<_> = trained
        .against
        .iter()
        .map(|(name, own, other)| json!({ "name": name, "own": own, "other": other }))
        .collect();
    let features: Vec<_> = trained
        .importance
        .iter()
        .map(|(column, mean)| json!({ "column": column, "mean_log_odds": mean }))
        .collect();
    let (first, last) = trained.judged_days;
    let details = [
        json!({
            "tables": read.inputs,
            "first_day": read.first_day.map(|day| date(day).to_string()),
            "days": read.days,
            "rows": read.leads.days.len(),
            "rows_fitted": trained.fitted_rows,
            "rows_censored": read.leads.censored,
            "catalogue": context.catalogue()?.hash(),
        }),
        json!(features),
        json!({
            "choices": trained.choices,
            "half_lives": trained.features.decays,
            "attributes": trained.features.attributes,
            "margin": config.margin,
            "step_days": config.step_days,
            "history_days": config.history_days,
        }),
        json!({
            "judged_from": date(first).to_string(),
            "judged_to": date(last).to_string(),
            "model": trained.score,
            "against": against,
            "groups": trained.groups,
        }),
        json!(trained.calibration),
    ];
    Ok(Entry {
        sequence: 0,
        model_id: trained.id.clone(),
        name: LEAD.to_owned(),
        status: if trained.verdict.promoted { Status::InUse } else { Status::Rejected },
        as_of,
        recorded_at: context.now,
        seed: i64::from(config.seed),
        details: details.map(|detail| detail.to_string()),
        reason: trained.verdict.reason.clone(),
        program: program(),
    })
}

/// The program, as entries name it.
pub(super) fn program() -> String {
    format!("tideline {}", env!("CARGO_PKG_VERSION"))
}
