//! `tideline model list|show|promote|rollback`: the models of a lake.

use std::collections::BTreeMap;

use engine::EngineError;
use engine::lake::{Entry, Log, Status};

use crate::commands::train::program;
use crate::context::Context;
use crate::model_file::check;
use crate::{output, report};

pub(in crate::commands) async fn list(context: &Context) -> anyhow::Result<()> {
    let log = Log::load(&context.lake()?).await?;
    output::print(&report::train::list(&log)?)
}

pub(in crate::commands) async fn show(id: &str, context: &Context) -> anyhow::Result<()> {
    let log = Log::load(&context.lake()?).await?;
    output::print(&report::train::show(&log.find(id)?)?)
}

pub(in crate::commands) async fn promote(id: &str, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let log = Log::load(&lake).await?;
    let found = log.find(id)?;
    let Some(&entry) = found.last() else { return Ok(()) };
    if log.in_use(&entry.name).last().is_some_and(|last| last.model_id == entry.model_id) {
        return output::print(&format!("{} is in use already", entry.model_id));
    }
    // What can't be used must not come into use.
    check(&lake, entry)?;
    let new = Entry {
        status: Status::InUse,
        recorded_at: context.now,
        reason: "promoted by hand".to_owned(),
        program: program(),
        ..entry.clone()
    };
    lake.record_models(vec![new], &BTreeMap::new()).await?;
    output::print(&format!("{} is in use, from {} on", entry.model_id, engine::time::date(entry.as_of)))
}

pub(in crate::commands) async fn rollback(name: &str, context: &Context) -> anyhow::Result<()> {
    let lake = context.lake()?;
    let log = Log::load(&lake).await?;
    let used = log.in_use(name);
    let [before @ .., last] = used.as_slice() else {
        let message = format!("no model of {name} is in use; `tideline train` fits one");
        return Err(EngineError::Input(message).into());
    };
    let new = Entry {
        status: Status::TakenBack,
        recorded_at: context.now,
        reason: "taken back by hand".to_owned(),
        program: program(),
        ..(*last).clone()
    };
    lake.record_models(vec![new], &BTreeMap::new()).await?;
    let now = before
        .last()
        .map_or_else(|| "none is in use".to_owned(), |entry| format!("{} is in use again", entry.model_id));
    output::print(&format!("{} is taken back; {now}", last.model_id))
}
