//! Requests for other quotas as JSON: what happened to them, and who would pay.

use engine::adjust::{Ask, Change, Event, Request};
use engine::time::date;
use serde_json::{Map, Value, json};

use super::changes::money;
use super::day::instant;
use super::problem::Problem;
use crate::negotiate::{Known, Line, Refusal};

/// The terms, each field null where it isn't said.
fn terms(ask: Option<&Ask>, into: &mut Map<String, Value>) {
    let (amount, percent) = match ask.map(|ask| ask.change) {
        Some(Change::Pin(amount)) => (json!(money(i128::from(amount))), Value::Null),
        Some(Change::Percent(percent)) => (Value::Null, json!(percent)),
        None => (Value::Null, Value::Null),
    };
    let day = |day: Option<i32>| json!(day.map(|day| date(day).to_string()));
    into.insert("to".to_owned(), amount);
    into.insert("percent".to_owned(), percent);
    into.insert("beyond_plan".to_owned(), json!(ask.map(|ask| ask.beyond_plan)));
    into.insert("from".to_owned(), day(ask.and_then(|ask| ask.from)));
    into.insert("until".to_owned(), day(ask.and_then(|ask| ask.until)));
}

/// One thing that happened.
pub(super) fn event_json(event: &Event) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("sequence", json!(event.sequence));
    put("kind", json!(event.kind.as_str()));
    put("actor", json!(event.actor));
    put("at", json!(instant(event.at)));
    put("rep_id", json!(event.rep_id));
    put("period", json!(event.period));
    put("reason", json!(event.reason));
    put("evidence", json!(event.evidence));
    terms(event.ask.as_ref(), &mut object);
    Value::Object(object)
}

/// A request with all that happened.
pub(super) fn request_json(request: &Request) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("id", json!(request.id));
    put("rep_id", json!(request.rep_id));
    put("period", json!(request.period));
    put("status", json!(request.status.as_str()));
    put("proposed_by", json!(request.proposed_by));
    put("decided_by", json!(request.decided.as_ref().map(|(by, _)| by)));
    put("decided_at", json!(request.decided.as_ref().map(|(_, at)| instant(*at))));
    put("events", request.events.iter().map(event_json).collect());
    terms(Some(&request.ask), &mut object);
    Value::Object(object)
}

/// Who would pay; reps that aren't seen are a number and a sum.
pub(super) fn effect_json(known: &Known, seen: impl Fn(&str) -> bool) -> Value {
    let line = |line: &Line| {
        json!({
            "rep_id": line.rep_id,
            "before": amount(line.before),
            "after": amount(line.after),
            "change": amount(line.change()),
            "p_attain_before": line.chance.0,
            "p_attain_after": line.chance.1,
            "bound": line.bound,
        })
    };
    let (shown, hidden): (Vec<&Line>, Vec<&Line>) = known.others.iter().partition(|line| seen(&line.rep_id));
    let moved = known.regions.iter().filter(|(_, before, after)| {
        before.difference != after.difference || before.relaxed != after.relaxed
    });
    let regions = moved.map(|(id, before, after)| {
        json!({
            "region_id": id,
            "difference_before": before.difference.map(amount),
            "difference_after": after.difference.map(amount),
            "relaxed_before": amount(before.relaxed),
            "relaxed_after": amount(after.relaxed),
        })
    });
    json!({
        "as_of": date(known.as_of).to_string(),
        "own": line(&known.own),
        "others": shown.into_iter().map(line).collect::<Vec<Value>>(),
        "not_shown": {
            "reps": hidden.len(),
            "change": amount(hidden.iter().map(|line| line.change()).sum()),
        },
        "change": amount(known.own.change() + known.paid()),
        "regions": regions.collect::<Vec<Value>>(),
    })
}

fn amount(minor: i64) -> f64 {
    money(i128::from(minor))
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Value { field, what } => Self::parameter(field, format!("{field} {what}")),
            Refusal::Unknown { field, message } => Self::parameter(field, message),
            Refusal::Missing(message) => Self::not_found(message),
            Refusal::Conflict(message) => Self::conflict(message),
            Refusal::Forbidden(message) => Self::forbidden(message),
            Refusal::Reused => Self::reused(
                "this Idempotency-Key has been used for something else; take another one for another request",
            ),
            Refusal::Failed(error) => Self::of_lake(error.as_ref()),
        }
    }
}
