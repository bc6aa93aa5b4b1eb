//! Numbers of a scenario: to be, to move by, as a share, and sweeps of these.

use engine::pipeline::Shift;
use toml::Spanned;
use toml::de::DeValue;

/// Values of one sweep.
const SWEEP_MAX: usize = 10_000;
/// How far beyond its end the last step of a sweep may lie by rounding, as a share of a step.
const SLACK: f64 = 1e-9;

/// A number's form: what `80`, `+5` and `-5%` are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    To,
    By,
    Share,
}

impl Form {
    fn shift(self, value: f64) -> Shift {
        match self {
            Self::To => Shift::To(value),
            Self::By => Shift::By(value),
            Self::Share => Shift::Share(value / 100.0),
        }
    }
}

/// Reads one value, or all of a sweep.
pub(super) fn values(value: &Spanned<DeValue<'_>>) -> Result<Vec<Shift>, String> {
    match value.get_ref() {
        DeValue::Integer(_) | DeValue::Float(_) => Ok(vec![Shift::To(number(value)?)]),
        DeValue::String(text) => of_text(text),
        DeValue::Array(list) => {
            let mut all = Vec::new();
            for value in list {
                all.extend(values(value)?);
            }
            if all.is_empty() { Err("an empty list has no value to try".to_owned()) } else { Ok(all) }
        }
        _ => Err("a number, \"+5\", \"-5%\", \"80..120 step 5\" or a list of these is expected".to_owned()),
    }
}

/// Reads a plain number.
pub(super) fn number(value: &Spanned<DeValue<'_>>) -> Result<f64, String> {
    let text = match value.get_ref() {
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        _ => return Err("a number is expected".to_owned()),
    };
    parsed(&text.replace('_', ""))
}

fn parsed(text: &str) -> Result<f64, String> {
    let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| format!("'{}' is no number", text.trim()))
}

fn of_text(text: &str) -> Result<Vec<Shift>, String> {
    let Some((first, rest)) = text.split_once("..") else {
        let (form, value) = one(text)?;
        return Ok(vec![form.shift(value)]);
    };
    let (last, step) =
        rest.split_once("step").ok_or_else(|| format!("'{text}' lacks its step: \"80..120 step 5\""))?;
    let ((form, first), (last_form, last)) = (one(first)?, one(last)?);
    // 0% is neither more nor less.
    let zero = |form, value: f64| form == Form::Share && value == 0.0;
    if form != last_form && !zero(form, first) && !zero(last_form, last) {
        return Err(format!("'{text}' goes from one kind of number to another"));
    }
    let step_text = step.trim();
    let step = parsed(step_text.strip_suffix('%').unwrap_or(step_text))?;
    if step_text.ends_with('%') != (form == Form::Share) {
        return Err(format!("in '{text}' the step has another unit than the ends"));
    }
    if step <= 0.0 || last < first {
        return Err(format!("'{text}' has to go upward, by a step above 0"));
    }
    let steps = ((last - first) / step + SLACK).floor();
    let steps = (0..SWEEP_MAX).find(|&n| real(n) >= steps);
    let steps = steps.ok_or_else(|| format!("'{text}' has more than {SWEEP_MAX} values"))?;
    Ok((0..=steps).map(|n| form.shift(first + real(n) * step)).collect())
}

/// One number with its form.
fn one(text: &str) -> Result<(Form, f64), String> {
    let text = text.trim();
    let signed = text.starts_with(['+', '-']);
    match text.strip_suffix('%') {
        Some(share) if signed || parsed(share) == Ok(0.0) => Ok((Form::Share, parsed(share)?)),
        Some(share) => Err(format!("'{text}' is open: \"+{share}%\" is more, \"-{share}%\" is less")),
        None => Ok((if signed { Form::By } else { Form::To }, parsed(text)?)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most ten thousand")]
fn real(n: usize) -> f64 {
    n as f64
}
