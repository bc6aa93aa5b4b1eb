//! `tideline export`: published tables into files that are there whole or not at all.

mod folder;

use std::path::Path;

use datafusion::prelude::SessionContext;
use engine::EngineError;
use engine::lake::tables::{self, Spec};
use engine::time::{Day, date};
use futures::StreamExt as _;
use sql::{Format, Style, Writer};

use crate::cli::ExportArgs;
use crate::config::nearest;
use crate::context::Context;
use crate::output::{self, AtomicFile};
use crate::report::published_days;
use crate::report::words::count;

pub(crate) async fn run(args: ExportArgs, context: &Context) -> anyhow::Result<()> {
    let Some(name) = &args.table else { return folder::run(&args, context).await };
    let format = format(&args.to)?;
    let spec = table(name)?;
    let lake = context.lake()?;
    let session = session(&lake, context).await?;
    let mut wanted = None;
    if spec.is_mart() {
        wanted = Some(day(&published_days(&lake).await?, asked_for(&args, context)?)?);
    } else if args.as_of.is_some() {
        let message = format!("{} is not published by day; leave --as-of out", spec.name);
        return Err(EngineError::Input(message).into());
    }
    let progress = context.progress("export");
    progress.stage(spec.name);
    let (file, rows) = write(&session, spec, wanted, format, &args.to).await?;
    file.publish()?;
    drop(progress);
    let of_day = wanted.map_or_else(String::new, |day| format!(" as of {}", date(day)));
    let rows = count(rows);
    output::print(&format!("{rows} rows of {}{of_day} in {}", spec.name, args.to.display()))
}

fn asked_for(args: &ExportArgs, context: &Context) -> Result<Option<Day>, EngineError> {
    args.as_of.map(|day| context.day(day)).transpose()
}

/// A session in which rows come in the order in which they are stored.
async fn session(lake: &engine::lake::Lake, context: &Context) -> anyhow::Result<SessionContext> {
    let session = sql::session(lake, &context.catalogue()?, &context.settings()).await?;
    session.state_ref().write().config_mut().options_mut().execution.target_partitions = 1;
    Ok(session)
}

/// Writes a table, or a day of a mart, beside its place; says how many rows it has.
async fn write(
    session: &SessionContext,
    spec: &Spec,
    day: Option<Day>,
    format: Format,
    to: &Path,
) -> anyhow::Result<(AtomicFile, u64)> {
    let mut query = format!("SELECT * FROM {}", spec.name);
    if let Some(day) = day {
        let line = format!(" WHERE as_of = DATE '{}'", date(day));
        query.push_str(&line);
    }
    let mut file = AtomicFile::create(to)?;
    let mut statements = sql::statements(&query)?;
    let Some(statement) = statements.pop() else { return Ok((file, 0)) };
    let mut stream = sql::plan(session, statement)
        .await?
        .execute_stream()
        .await
        .map_err(|error| sql::SqlError::Compute(Box::new(error)))?;
    let mut writer = Writer::new(file, &stream.schema(), format, Style::default())?;
    while let Some(batch) = stream.next().await {
        writer.write(&batch.map_err(|error| sql::SqlError::Compute(Box::new(error)))?)?;
    }
    let written;
    (file, written) = writer.finish()?;
    Ok((file, u64::try_from(written.rows)?))
}

fn format(to: &Path) -> Result<Format, EngineError> {
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    match Format::of_ending(ending) {
        Some(format @ (Format::Parquet | Format::ArrowFile | Format::Csv)) => Ok(format),
        _ => Err(EngineError::Input(format!(
            "the ending of {} says no format; write to a .parquet, .arrow or .csv file",
            to.display()
        ))),
    }
}

fn table(name: &str) -> Result<&'static Spec, EngineError> {
    let full = if name.contains('.') { name.to_owned() } else { format!("mart.{name}") };
    tables::all().iter().find(|spec| spec.name == full).ok_or_else(|| {
        let names = tables::all().iter().map(|spec| spec.name);
        match nearest(&full, names) {
            Some(near) => EngineError::Input(format!("there is no table {name}; did you mean {near}?")),
            None => {
                EngineError::Input(format!("there is no table {name}; `tideline lake status` lists them"))
            }
        }
    })
}

/// The day asked for, where it is published; the newest where none is.
fn day(published: &[Day], wanted: Option<Day>) -> Result<Day, EngineError> {
    let none = || EngineError::Input("no day is published yet; `tideline daily` publishes one".to_owned());
    let newest = *published.last().ok_or_else(none)?;
    match wanted {
        None => Ok(newest),
        Some(day) if published.contains(&day) => Ok(day),
        Some(day) => Err(EngineError::Input(format!(
            "{} is not published; the newest day is {}, `tideline daily --as-of {}` publishes that one",
            date(day),
            date(newest),
            date(day)
        ))),
    }
}
