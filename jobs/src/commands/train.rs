//! `tideline train`: fit on the lake's history, judge, and use what is better.

use std::collections::BTreeMap;

use engine::EngineError;
use engine::lake::{Entry, Lake, Log, Status};
use engine::score::{LeadScorer, Training, TrainingRequest, training};
use engine::time::{Day, date};
use serde_json::json;

use crate::cli::TrainArgs;
use crate::context::Context;
use crate::customer_model::{CUSTOMER, CustomerModel};
use crate::index_model::{INDEX, IndexModel};
use crate::lead_model::{LEAD, LeadModel};
use crate::train::{Trained, train_customers, train_indices, train_leads, train_wins};
use crate::win_model::{WIN, WinModel};
use crate::{output, report};

pub(crate) async fn run(args: TrainArgs, context: &Context) -> anyhow::Result<()> {
    let as_of = args.as_of.map_or_else(|| context.yesterday(), |day| context.day(day))?;
    let told = train(&context.lake()?, as_of, context).await?;
    let texts: Vec<String> = told.into_iter().map(|told| told.full).collect();
    output::print(&texts.join("\n\n"))
}

/// What came of training a model.
#[derive(Debug)]
pub(super) struct Told {
    full: String,
    /// In a line.
    pub(super) brief: String,
}

/// Trains as of a day, and tells what came of it.
///
/// # Errors
/// As the lake; history that nothing can be learnt from is no error.
pub(super) async fn train(lake: &Lake, as_of: Day, context: &Context) -> anyhow::Result<Vec<Told>> {
    let progress = context.progress("train");
    let config = &context.config.model;
    let log = Log::load(lake).await?;
    let lead_entry = in_use(&log, LEAD, as_of)?;
    let win_entry = in_use(&log, WIN, as_of)?;
    let customer_entry = in_use(&log, CUSTOMER, as_of)?;
    let index_entry = in_use(&log, INDEX, as_of)?;
    let lead = lead_entry.map(|entry| LeadModel::load(lake, entry)).transpose()?;
    let win = win_entry.map(|entry| WinModel::load(lake, entry)).transpose()?;
    let customer = customer_entry.map(|entry| CustomerModel::load(lake, entry)).transpose()?;
    let index = index_entry.map(|entry| IndexModel::load(lake, entry)).transpose()?;
    progress.stage("reading the history");
    let settings = context.settings();
    let red_below = settings.process.red_below;
    let request = TrainingRequest {
        as_of,
        history_days: config.history_days,
        step_days: config.step_days,
        also: lead.as_ref().map(LeadScorer::features),
        settings: &settings,
        catalogue: &context.catalogue()?,
    };
    let read = training(lake, request).await?;
    if read.days == 0 {
        let message =
            format!("the lake has no events up to {}; `tideline ingest` takes some in", date(as_of));
        return Err(EngineError::Input(message).into());
    }
    progress.stage("fitting");
    let used = |entry: Option<&Entry>| entry.map(|entry| entry.as_of);
    let fitted = [
        train_leads(&read.leads, lead.as_ref().zip(used(lead_entry)), config, as_of)?,
        train_wins(&read.deals, win.as_ref().zip(used(win_entry)), config, as_of)?,
        train_customers(&read.customers, customer.as_ref().zip(used(customer_entry)), config, as_of)?,
        train_indices(&read.indices, index.as_ref().zip(used(index_entry)), config, red_below, as_of)?,
    ];
    drop(progress);
    let (mut told, mut entries, mut files) = (Vec::new(), Vec::new(), BTreeMap::new());
    for fitted in fitted {
        match fitted {
            Ok(trained) => {
                let known = log.entries.iter().any(|entry| entry.model_id == trained.id);
                told.push(Told {
                    full: report::train::trained(&trained, &read, as_of, known),
                    brief: report::train::brief(&trained, known),
                });
                if !known {
                    entries.push(entry(&trained, &read, as_of, context)?);
                    files.insert(trained.id.clone(), trained.bytes);
                }
            }
            Err(reason) => {
                let full = report::train::nothing(as_of, &reason);
                told.push(Told { brief: full.clone(), full });
            }
        }
    }
    if !entries.is_empty() {
        lake.record_models(entries, &files).await?;
    }
    Ok(told)
}

/// The entry of the model in use, which must not have been fitted later.
fn in_use<'a>(log: &'a Log, name: &str, as_of: Day) -> Result<Option<&'a Entry>, EngineError> {
    let Some(&entry) = log.in_use(name).last() else { return Ok(None) };
    if entry.as_of <= as_of {
        return Ok(Some(entry));
    }
    Err(EngineError::Input(format!(
        "the model in use ({}) was fitted as of {}, after {}; train as of a later day, or take it back with \
         `tideline model rollback --of {name}`",
        entry.model_id,
        date(entry.as_of),
        date(as_of)
    )))
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
    let mut metrics = json!({
        "judged_from": date(first).to_string(),
        "judged_to": date(last).to_string(),
        "model": trained.score,
        "against": against,
        "groups": trained.groups,
    });
    if let (Some(levels), Some(metrics)) = (&trained.levels, metrics.as_object_mut()) {
        metrics.insert("levels".to_owned(), json!(levels));
    }
    let details = [
        json!({
            "tables": read.inputs,
            "first_day": read.first_day.map(|day| date(day).to_string()),
            "days": read.days,
            "rows": trained.rows,
            "rows_fitted": trained.fitted_rows,
            "rows_censored": trained.censored.0,
            "catalogue": context.catalogue()?.hash(),
        }),
        json!(features),
        json!({
            "model": trained.parameters,
            "margin": config.margin,
            "step_days": config.step_days,
            "history_days": config.history_days,
        }),
        metrics,
        json!(trained.calibration),
    ];
    Ok(Entry {
        sequence: 0,
        model_id: trained.id.clone(),
        name: trained.name.to_owned(),
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
