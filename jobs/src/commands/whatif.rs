//! `tideline whatif`: quotas as they would be under scenarios, beside those published.

use std::path::Path;
use std::sync::Arc;

use engine::EngineError;
use engine::pipeline::{Cast, Past, Staff, find_run};
use sql::{Format, Style, Writer};

use super::past::past;
use super::sql::{file_format, format};
use crate::cli::{AnswerFormat, WhatifArgs, WhatifBy};
use crate::context::{Context, read_rules};
use crate::output::{self, AtomicFile};
use crate::predictor::PanelPredictor;
use crate::report::whatif::{self as report, Lines, Today};
use crate::scenario::{self, Case, Scenario};

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
    let mut worlds = Vec::with_capacity(scenarios.len());
    for scenario in &scenarios {
        let cast = cast(&past, &base, scenario, &name)?;
        let cases = cases(&past, &cast, scenario, &name)?;
        worlds.push((cast, cases));
    }
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

/// The reps of a scenario, with what is wrong named by its line.
fn cast<'a>(
    past: &'a Past,
    base: &Cast<'_>,
    scenario: &Scenario,
    file: &str,
) -> Result<Cast<'a>, EngineError> {
    let at = |line: usize, key: &str, message: String| {
        EngineError::Input(format!("{file}, line {line}: {key}: {message}"))
    };
    let mut staff = Staff::default();
    for leaver in &scenario.leavers {
        if base.row(&leaver.of).is_none() {
            return Err(at(leaver.line, "leavers", scenario::unknown_rep(base, &leaver.of)));
        }
        staff.leavers.push(leaver.of.clone());
    }
    for hire in &scenario.hires {
        scenario::region_exists(base, &hire.of.region_id)
            .map_err(|message| at(hire.line, "hires", message))?;
        let taken = staff.hires.iter().any(|other| other.rep_id == hire.of.rep_id);
        if taken || base.row(&hire.of.rep_id).is_some() {
            return Err(at(hire.line, "hires", format!("there is a rep {} already", hire.of.rep_id)));
        }
        staff.hires.push(hire.of.clone());
    }
    for moved in &scenario.moves {
        let (rep, region) = &moved.of;
        let key = format!("moves.{rep}");
        if base.row(rep).is_none() {
            return Err(at(moved.line, &key, scenario::unknown_rep(base, rep)));
        }
        if staff.leavers.contains(rep) {
            return Err(at(moved.line, &key, format!("{rep} is among the leavers")));
        }
        scenario::region_exists(base, region).map_err(|message| at(moved.line, &key, message))?;
        staff.moves.insert(rep.clone(), region.clone());
    }
    past.cast(&staff, &PanelPredictor)
}

/// The cases of a scenario, with its rules read.
fn cases(past: &Past, cast: &Cast<'_>, scenario: &Scenario, file: &str) -> anyhow::Result<Vec<Case>> {
    let mut cases = scenario::expand(scenario, cast, &past.settings().quota, file)?;
    if let Some(rules) = &scenario.rules {
        let book =
            Arc::new(read_rules(Path::new(&rules.of)).map_err(|error| {
                EngineError::Input(format!("{file}, line {}: rules: {error}", rules.line))
            })?);
        for case in &mut cases {
            case.variation.rules = Some(Arc::clone(&book));
        }
    }
    Ok(cases)
}

/// Computes all cases, a few at a time, and writes their lines.
fn write<W: std::io::Write + Send>(
    worlds: &[(Cast<'_>, Vec<Case>)],
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
