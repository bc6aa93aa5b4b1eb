//! `tideline whatif`: quotas as they would be under scenarios, beside those published.

use engine::EngineError;
use engine::pipeline::{Staff, find_run};
use sql::{Format, Style, Writer};

use super::sql::{file_format, format};
use crate::cli::{AnswerFormat, WhatifArgs, WhatifBy};
use crate::context::Context;
use crate::output::{self, AtomicFile};
use crate::past::past;
use crate::predictor::PanelPredictor;
use crate::report::whatif::{self as report, Lines, Today};
use crate::scenario::{self, World};

/// Cases computed, and held in memory, at once.
const CASES_AT_ONCE: usize = 64;
/// Cases up to which a person is shown each with its regions.
const CASES_SHOWN: usize = 4;

/// Tries the scenarios of a file.
///
/// # Errors
/// [`EngineError::Input`] for a scenario that is wrong, by file, line and key, or a day that can't be computed again.
pub(crate) async fn run(args: WhatifArgs, context: &Context) -> anyhow::Result<()> {
    let name = args.scenario.display().to_string();
    let text = std::fs::read_to_string(&args.scenario)
        .map_err(|error| EngineError::Input(format!("the scenarios {name} can't be read: {error}")))?;
    let scenarios = scenario::read(&args.scenario, &text)?;
    let to = args
        .out
        .as_deref()
        .map(|path| Ok::<_, EngineError>((path, file_format(path, args.format)?)))
        .transpose()?;
    let lake = context.lake()?;
    let day = args.as_of.map(|day| context.day(day)).transpose()?;
    let run = find_run(&lake, None, day).await?;
    let past = match past(&lake, run, context).await? {
        Ok(past) => past,
        Err(missing) => {
            let message = format!(
                "the published day can't be computed again, `tideline daily` publishes it anew: {}",
                missing.join("; ")
            );
            return Err(EngineError::Input(message).into());
        }
    };
    let base = past.cast(&Staff::default(), &PanelPredictor)?;
    let today = Today::new(&base);
    let worlds = scenario::worlds(&past, &base, &scenarios, &name)?;
    let n: usize = worlds.iter().map(|(_, cases)| cases.len()).sum();
    match to {
        Some((path, format)) => {
            let file = AtomicFile::create(path)?;
            let file = write(&worlds, &today, args.by, format, Style::default(), file)?;
            file.publish()?;
            output::note(&format!("{n} cases in {}", path.display()));
            Ok(())
        }
        None if args.format == AnswerFormat::Table && n <= CASES_SHOWN => {
            for (cast, cases) in &worlds {
                for case in cases {
                    let outcome = cast.quotas(&case.variation)?;
                    output::print(&report::case(&case.name, &past, cast, &today, &outcome))?;
                }
            }
            Ok(())
        }
        None => {
            write(&worlds, &today, args.by, format(args.format), super::sql::style(), output::stdout())?;
            Ok(())
        }
    }
}

/// Computes all cases, a few at a time, and writes their lines.
fn write<W: std::io::Write + Send>(
    worlds: &[World<'_>],
    today: &Today,
    by: WhatifBy,
    format: Format,
    style: Style,
    out: W,
) -> anyhow::Result<W> {
    let mut writer = Writer::new(out, &Lines::schema(), format, style)?;
    'all: for (cast, cases) in worlds {
        for some in cases.chunks(CASES_AT_ONCE) {
            let variations: Vec<_> = some.iter().map(|case| &case.variation).collect();
            let mut lines = Lines::default();
            for (case, outcome) in some.iter().zip(cast.quotas_of(&variations)?) {
                lines.case(&case.name, cast, today, &outcome, by);
            }
            if !writer.write(&lines.batch()?)? {
                break 'all;
            }
        }
    }
    let (mut out, _) = writer.finish()?;
    out.flush()?;
    Ok(out)
}
