//! `tideline daily`: compute and publish a day, or several in order.

use engine::EngineError;
use engine::lake::Lake;
use engine::pipeline::{RunReport, RunRequest};
use engine::time::{Day, date};

use crate::cli::DailyArgs;
use crate::context::{Context, now};
use crate::output;
use crate::predictor::PanelPredictor;
use crate::report;
use crate::scorers::Scorers;

pub(crate) async fn run(args: DailyArgs, context: &Context) -> anyhow::Result<()> {
    let days = match (args.as_of, args.from, args.to) {
        (Some(day), ..) => {
            let day = context.day(day)?;
            day..=day
        }
        (None, Some(from), Some(to)) if from <= to => context.day(from)?..=context.day(to)?,
        (None, Some(from), Some(to)) => {
            return Err(EngineError::Input(format!("--from {from} is after --to {to}")).into());
        }
        _ => {
            let yesterday = context.yesterday()?;
            yesterday..=yesterday
        }
    };
    let lake = context.lake()?;
    let last = *days.end();
    for day in days {
        let done = run_day(&lake, day, context).await?;
        output::print(&report::run::describe(&done))?;
    }
    let text = report::daily::report(&lake, &context.catalogue()?, last).await?;
    output::print(&format!("\n{text}"))
}

/// Runs one day, with progress; warnings go to the log.
pub(super) async fn run_day(lake: &Lake, day: Day, context: &Context) -> anyhow::Result<RunReport> {
    let progress = context.progress("daily");
    let settings = context.settings();
    let catalogue = context.catalogue()?;
    let predictor = PanelPredictor;
    let rules = context.rules()?;
    let scorers = Scorers::in_use(lake, day).await?;
    let mut stage = |stage: &str| progress.stage(&format!("{}: {stage}", date(day)));
    let request = RunRequest {
        as_of: day,
        // Not the command's: of several days each has its own.
        now: now(),
        settings: &settings,
        catalogue: &catalogue,
        predictor: &predictor,
        rules: &rules,
        models: scorers.models(),
        progress: &mut stage,
    };
    let report = engine::pipeline::run(lake, request).await?;
    for warning in &report.warnings {
        progress.suspend(|| tracing::warn!(as_of = %date(day), "{warning}"));
    }
    Ok(report)
}
