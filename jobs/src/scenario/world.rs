//! The worlds of scenarios: who is on duty where, and the cases that are tried there.

use std::path::Path;
use std::sync::Arc;

use engine::EngineError;
use engine::pipeline::{Cast, Past, Staff};

use super::{Case, Scenario, expand, region_exists, unknown_rep};
use crate::context::read_rules;
use crate::predictor::PanelPredictor;

/// A scenario's reps, and its cases.
pub(crate) type World<'a> = (Cast<'a>, Vec<Case>);

/// The worlds of all scenarios, beside a published day and its reps as they are. `file` is for messages.
///
/// # Errors
/// [`EngineError::Input`] for a rep, region or value that can't be, by line and key; where rules can't be read.
pub(crate) fn worlds<'a>(
    past: &'a Past,
    base: &Cast<'_>,
    scenarios: &[Scenario],
    file: &str,
) -> Result<Vec<World<'a>>, EngineError> {
    let each = scenarios.iter().map(|scenario| {
        let cast = cast(past, base, scenario, file)?;
        let cases = cases(past, &cast, scenario, file)?;
        Ok((cast, cases))
    });
    each.collect()
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
            return Err(at(leaver.line, "leavers", unknown_rep(base, &leaver.of)));
        }
        staff.leavers.push(leaver.of.clone());
    }
    for hire in &scenario.hires {
        region_exists(base, &hire.of.region_id).map_err(|message| at(hire.line, "hires", message))?;
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
            return Err(at(moved.line, &key, unknown_rep(base, rep)));
        }
        if staff.leavers.contains(rep) {
            return Err(at(moved.line, &key, format!("{rep} is among the leavers")));
        }
        region_exists(base, region).map_err(|message| at(moved.line, &key, message))?;
        staff.moves.insert(rep.clone(), region.clone());
    }
    past.cast(&staff, &PanelPredictor)
}

/// The cases of a scenario, with its rules read.
fn cases(past: &Past, cast: &Cast<'_>, scenario: &Scenario, file: &str) -> Result<Vec<Case>, EngineError> {
    let mut cases = expand(scenario, cast, &past.settings().quota, file)?;
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
