//! What somebody says, read: an amount or a share, a rep, a text.

use engine::adjust::Change;

use super::Refusal;
use crate::config::nearest;
use crate::report::words::read_money;

/// The most that a percentage may be; one above is a slip.
const PERCENT_MAX: f64 = 500.0;

/// An amount or a share, within reason; exactly one of them has to be given.
///
/// # Errors
/// [`Refusal::Value`].
pub(crate) fn change(to: Option<&str>, percent: Option<f64>) -> Result<Change, Refusal> {
    match (to, percent) {
        (Some(_), Some(_)) => {
            let what = "and percent are both given; give one of them".to_owned();
            Err(Refusal::Value { field: "to", what })
        }
        (Some(text), None) => {
            let amount = read_money(text).filter(|amount| *amount > 0);
            let what = || format!("{text} is no amount above 0; write it like 120000 or 120000.50");
            amount.map(Change::Pin).ok_or_else(|| Refusal::Value { field: "to", what: what() })
        }
        (None, percent) => {
            let percent = percent.unwrap_or(0.0);
            if percent > -100.0 && percent <= PERCENT_MAX && percent.abs() >= 0.01 {
                return Ok(Change::Percent(percent));
            }
            let what = format!("{percent} is not between -100 and {PERCENT_MAX}, or changes nothing");
            Err(Refusal::Value { field: "percent", what })
        }
    }
}

/// A text that says something.
///
/// # Errors
/// [`Refusal::Value`].
pub(crate) fn said(field: &'static str, text: &str) -> Result<String, Refusal> {
    match text.trim() {
        "" => Err(Refusal::Value { field, what: "is empty".to_owned() }),
        text => Ok(text.to_owned()),
    }
}

/// Refuses a rep that isn't among those with a quota on the newest published day.
///
/// # Errors
/// [`Refusal::Unknown`] that names the nearest one.
pub(crate) fn known_rep<'a>(rep: &str, reps: impl Iterator<Item = &'a str> + Clone) -> Result<(), Refusal> {
    if reps.clone().any(|known| known == rep) {
        return Ok(());
    }
    let hint = nearest(rep, reps).map_or_else(
        || "adjustments are for reps on duty".to_owned(),
        |near| format!("did you mean {near}?"),
    );
    let message = format!("{rep} has no quota on the newest published day; {hint}");
    Err(Refusal::Unknown { field: "rep", message })
}
