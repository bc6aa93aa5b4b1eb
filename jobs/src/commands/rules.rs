//! `tideline rules`: check, list, read back and try the rules that act on quotas.

use std::path::Path;

use engine::EngineError;
use engine::rule::{Book, apply, subjects};
use engine::time::{Day, date};

use crate::cli::{RulesCommand, RulesFile, RulesTestArgs};
use crate::context::{Context, read_rules};
use crate::output;
use crate::report::rules::{self, Tried};
use crate::report::{RepMeasures, published_days, rep_measures};

/// Days that `rules test` looks back on unless told otherwise.
pub(super) const DAYS_BACK: Day = 89;

/// Runs a subcommand about rules.
///
/// # Errors
/// [`EngineError::Input`] for a file that can't be read or holds faults; as the lake.
pub(crate) async fn run(command: RulesCommand, context: &Context) -> anyhow::Result<()> {
    match command {
        RulesCommand::Check(RulesFile { file }) => {
            let (name, book) = named(file.as_deref(), context)?;
            output::print(&rules::checked(&name, &book))
        }
        RulesCommand::List(RulesFile { file }) => {
            let (_, book) = named(file.as_deref(), context)?;
            output::print(&rules::list(&book))
        }
        RulesCommand::Explain(RulesFile { file }) => {
            let (_, book) = named(file.as_deref(), context)?;
            output::print(&rules::read_back(&book))
        }
        RulesCommand::Test(args) => test(args, context).await,
        RulesCommand::Words => output::print(&rules::words(subjects())),
    }
}

/// The rules of a file, or of the one that the configuration names.
fn named(file: Option<&Path>, context: &Context) -> anyhow::Result<(String, Book)> {
    let Some(path) = file.or(context.config.rules.as_deref()) else {
        let message = "name a file of rules, or set rules = \"FILE\" in the configuration".to_owned();
        return Err(EngineError::Input(message).into());
    };
    Ok((path.display().to_string(), read_rules(path)?))
}

async fn test(args: RulesTestArgs, context: &Context) -> anyhow::Result<()> {
    let (_, book) = named(args.file.as_deref(), context)?;
    let lake = context.lake()?;
    let published = published_days(&lake).await?;
    let Some(&newest) = published.last() else {
        let message = "no day is published yet; `tideline daily` publishes one".to_owned();
        return Err(EngineError::Input(message).into());
    };
    let to = args.to.map(|day| context.day(day)).transpose()?.unwrap_or(newest);
    let from = args.from.map(|day| context.day(day)).transpose()?.unwrap_or(to - DAYS_BACK);
    let days: Vec<Day> = published.into_iter().filter(|day| (from..=to).contains(day)).collect();
    if days.is_empty() {
        let message = format!(
            "no day from {} to {} is published; the newest is {}",
            date(from),
            date(to),
            date(newest)
        );
        return Err(EngineError::Input(message).into());
    }
    let catalogue = context.catalogue()?;
    let session = sql::session_over(&lake, &catalogue, |table| table.starts_with("mart.")).await?;
    let mut tried = Vec::with_capacity(days.len());
    for &day in &days {
        if let Some(known) = rep_measures(&session, day, context.config.quota.period).await? {
            tried.push(try_on(&book, day, &known));
        }
    }
    let without = days.len() - tried.len();
    let told = "published without what rules ask about; `tideline daily` publishes a day again, with it";
    if tried.is_empty() {
        return Err(EngineError::Input(format!("all {without} days were {told}")).into());
    }
    if without > 0 {
        output::note(&format!("left out {without} of {} days, {told}", days.len()));
    }
    output::print(&rules::tried(&book, &tried))
}

/// What the rules would have done on one day.
pub(super) fn try_on(book: &Book, day: Day, known: &RepMeasures) -> Tried {
    let RepMeasures { columns, proposals, bases } = known;
    let ruled = apply(book, day, columns, proposals, bases);
    let touches = book
        .rules
        .iter()
        .map(|rule| rule.in_force(day).then(|| rule.touches(columns, &(0..columns.rows()))))
        .collect();
    Tried { day, reps: known.reps(), touches, ruled }
}
