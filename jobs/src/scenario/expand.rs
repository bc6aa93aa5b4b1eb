//! The cases of a scenario: every combination of what its sweeps go through.

use engine::EngineError;
use engine::factor::FACTORS;
use engine::pipeline::{Cast, Shift, Variation};
use engine::settings::Quota;

use super::{CASES_MAX, Knob, Scenario, What};

/// One combination.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The scenario's name, and the values of what is swept.
    pub(crate) name: String,
    pub(crate) variation: Variation,
}

/// All combinations of a scenario, the last knob moving fastest. `file` is for messages.
///
/// # Errors
/// [`EngineError::Input`] for a region or rep that isn't there, a value that can't be, or too many combinations.
pub(crate) fn expand(
    scenario: &Scenario,
    cast: &Cast<'_>,
    quota: &Quota,
    file: &str,
) -> Result<Vec<Case>, EngineError> {
    let cases = scenario.cases();
    if cases > CASES_MAX {
        let message = format!(
            "{file}, line {}: {} multiplies to {cases} cases; at most {CASES_MAX} are tried",
            scenario.line, scenario.name
        );
        return Err(EngineError::Input(message));
    }
    (0..cases)
        .map(|case| {
            let mut name = scenario.name.clone();
            let mut variation = Variation::default();
            let mut block = cases;
            for knob in &scenario.knobs {
                block /= knob.values.len();
                let value = knob.values[case / block % knob.values.len()];
                if knob.values.len() > 1 {
                    name.extend([format!(" · {} {}", knob.key, shown(value))]);
                }
                turn(knob, value, cast, quota, &mut variation).map_err(|message| {
                    EngineError::Input(format!("{file}, line {}: {}: {message}", knob.line, knob.key))
                })?;
            }
            Ok(Case { name, variation })
        })
        .collect()
}

/// A move as a person writes it.
fn shown(shift: Shift) -> String {
    // Steps of a tenth leave tails of binary digits.
    let plain = |value: f64| {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let sign = |value: f64| if value < 0.0 { "" } else { "+" };
    match shift {
        Shift::To(value) => plain(value),
        Shift::By(by) | Shift::ByRaw(by) => format!("{}{}", sign(by), plain(by)),
        Shift::Share(share) => format!("{}{}%", sign(share), plain(share * 100.0)),
    }
}

fn turn(
    knob: &Knob,
    value: Shift,
    cast: &Cast<'_>,
    quota: &Quota,
    variation: &mut Variation,
) -> Result<(), String> {
    let mut set = |of: fn(&mut Quota) -> &mut f64, least: f64, most: f64| {
        let quota = variation.quota.get_or_insert_with(|| quota.clone());
        let slot = of(quota);
        *slot = value.of(*slot);
        if (least..=most).contains(slot) {
            Ok(())
        } else {
            Err(format!("{slot} is not between {least} and {most}"))
        }
    };
    match &knob.what {
        What::Tau => set(|quota| &mut quota.attain_probability, 0.001, 0.999),
        What::FloorShare => set(|quota| &mut quota.floor_share, 0.0, 1_000.0),
        What::CeilingShare => set(|quota| &mut quota.ceiling_share, 0.0, 1_000.0),
        What::DailyMoveMax => set(|quota| &mut quota.daily_move_max, 0.0, 1_000.0),
        What::Factor(factor, None) => {
            variation.factors.push((*factor, None, value));
            Ok(())
        }
        What::Factor(factor, Some(region)) => {
            let rows = rows_in(cast, region)?;
            variation.factors.push((*factor, Some(rows), value));
            Ok(())
        }
        What::Plan(region) => {
            region_exists(cast, region)?;
            let now = cast.plan(region);
            let plan = match (value, now) {
                (Shift::To(to), _) => to * 100.0,
                (shift, Some(now)) => match shift {
                    Shift::Share(_) => shift.of(real(now)),
                    _ => shift.of(real(now) / 100.0) * 100.0,
                },
                (_, None) => return Err(format!("{region} has no plan that could be moved; give an amount")),
            };
            if plan < 0.0 {
                return Err("a plan can't be less than nothing".to_owned());
            }
            variation.plan.insert(region.clone(), Some(minor(plan)));
            Ok(())
        }
        What::Complaints(rep) => {
            let row = cast.row(rep).ok_or_else(|| unknown_rep(cast, rep))?;
            let customers = cast.customers(row).ok_or_else(|| format!("{rep} owns no customers"))?;
            let (Shift::To(n) | Shift::By(n) | Shift::ByRaw(n) | Shift::Share(n)) = value;
            if n > customers {
                return Err(format!("{rep} owns {customers} customers, fewer than {n}"));
            }
            // A customer who complains counts as at risk, no longer among the lively ones.
            let mix = FACTORS.iter().position(|name| *name == "lifecycle_mix").unwrap_or_default();
            variation.factors.push((mix, Some(vec![row]), Shift::ByRaw(-n / customers)));
            Ok(())
        }
    }
}

fn rows_in(cast: &Cast<'_>, region: &str) -> Result<Vec<usize>, String> {
    region_exists(cast, region)?;
    let ids = cast.region_ids();
    Ok((0..cast.rep_ids().len())
        .filter(|&row| cast.regions_of(row).any(|place| ids[place] == region))
        .collect())
}

/// Refuses a region that isn't there.
pub(crate) fn region_exists(cast: &Cast<'_>, region: &str) -> Result<(), String> {
    if cast.region_ids().iter().any(|known| known == region) {
        return Ok(());
    }
    let near = crate::config::nearest(region, cast.region_ids().iter().map(String::as_str));
    Err(match near {
        Some(near) => format!("there is no region {region}; did you mean {near}?"),
        None => format!("there is no region {region}; the regions are {}", cast.region_ids().join(", ")),
    })
}

/// That a rep isn't on duty, and who was probably meant.
pub(crate) fn unknown_rep(cast: &Cast<'_>, rep: &str) -> String {
    match crate::config::nearest(rep, cast.rep_ids()) {
        Some(near) => format!("no rep {rep} is on duty; did you mean {near}?"),
        None => format!("no rep {rep} is on duty"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "amounts are far below 2^53")]
fn real(amount: i64) -> f64 {
    amount as f64
}

#[expect(clippy::cast_possible_truncation, reason = "checked to be below 2^53")]
fn minor(amount: f64) -> i64 {
    amount.round() as i64
}
