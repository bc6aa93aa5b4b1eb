//! Requests for other quotas, as people read them: what is asked, what was said, and who would pay.

use engine::adjust::{Ask, Change, Event, EventKind, Request};
use engine::time::date;

use super::words::{columns, count, money, percent, signed, term};
use crate::negotiate::{Known, Line};

/// Siblings named one by one; the others are a sum.
const SIBLINGS_MAX: usize = 30;

/// What is asked for, in a phrase.
pub(crate) fn terms(ask: &Ask, rep: &str, period: &str) -> String {
    let beyond = if ask.beyond_plan { ", beyond plan" } else { "" };
    let change = match ask.change {
        Change::Pin(amount) => format!("quota {}", money(amount)),
        Change::Percent(percent) => format!("quota {} %", signed(&plain(percent))),
    };
    format!("{rep}, {period}: {change}{beyond}")
}

/// The terms of an event, in a phrase; nothing for one without any.
pub(crate) fn terms_of(event: &Event) -> String {
    event.ask.map(|ask| terms(&ask, &event.rep_id, &event.period)).unwrap_or_default()
}

/// The days on which it acts.
pub(crate) fn days(ask: &Ask, period: &str) -> String {
    let from = ask.from.map_or_else(String::new, |from| format!(" from {}", date(from)));
    let until = ask.until.map_or_else(String::new, |until| format!(" until {}", date(until)));
    format!("{period}{from}{until}")
}

fn plain(percent: f64) -> String {
    format!("{percent}")
}

/// All requests, a line each.
pub(crate) fn list(requests: &[&Request]) -> String {
    if requests.is_empty() {
        return "no requests".to_owned();
    }
    let head = ["request", "rep", "period", "asked for", "by", "status"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(requests.iter().map(|request| {
        let asked = terms(&request.ask, "", "");
        let by = request.events.first().map(|event| event.actor.clone()).unwrap_or_default();
        let status = match &request.decided {
            Some((who, _)) => format!("{} by {who}", request.status.as_str()),
            None => request.status.as_str().to_owned(),
        };
        let asked = asked.trim_start_matches([',', ' ', ':']).to_owned();
        vec![request.id.clone(), request.rep_id.clone(), request.period.clone(), asked, by, status]
    }));
    columns(&[false; 6], &lines)
}

/// A request with all that happened.
pub(crate) fn request(request: &Request) -> String {
    let mut text = format!(
        "Request {}: {}\n  {}; acts on runs of {}",
        request.id,
        terms(&request.ask, &request.rep_id, &request.period),
        request.status.as_str(),
        days(&request.ask, &request.period)
    );
    let lines: Vec<Vec<String>> = (request.events.iter())
        .map(|event| {
            let at = chrono::DateTime::from_timestamp_micros(event.at)
                .map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M UTC").to_string());
            let asked = event.ask.filter(|_| matches!(event.kind, EventKind::Request | EventKind::Counter));
            let what = asked.map(|ask| match ask.change {
                Change::Pin(amount) => money(amount),
                Change::Percent(percent) => format!("{} %", signed(&plain(percent))),
            });
            let said =
                [what, event.reason.clone(), event.evidence.as_ref().map(|text| format!("evidence: {text}"))];
            let said: Vec<String> = said.into_iter().flatten().collect();
            vec![at, event.actor.clone(), event.kind.as_str().to_owned(), said.join("; ")]
        })
        .collect();
    text.push('\n');
    text.push_str(&columns(&[false; 4], &lines));
    text
}

/// Who would pay, to the cent.
pub(crate) fn effect(known: &Known) -> String {
    let line = |line: &Line| {
        let (before, after) = line.chance;
        vec![
            line.rep_id.clone(),
            money(line.before),
            "→".to_owned(),
            money(line.after),
            signed(&money(line.change())),
            format!("chance {} → {}", percent(before), percent(after)),
            if line.bound == "none" { String::new() } else { format!("held by {}", term(line.bound)) },
        ]
    };
    let mut rows = vec![line(&known.own)];
    rows.extend(known.others.iter().take(SIBLINGS_MAX).map(line));
    let mut text = format!("What it would do, on the state of {}:\n", date(known.as_of));
    text.push_str(&columns(&[false, true, false, true, true, false, false], &rows));
    let more = known.others.get(SIBLINGS_MAX..).unwrap_or_default();
    if !more.is_empty() {
        let sum: i64 = more.iter().map(Line::change).sum();
        text.extend([format!("\n  and {} others {}", count_of(more.len()), signed(&money(sum)))]);
    }
    let paid = known.paid();
    let siblings = match known.others.len() {
        0 => "Nobody else's quota changes".to_owned(),
        1 => format!("One sibling pays {}", signed(&money(paid))),
        n => format!("{} siblings pay {}", count_of(n), signed(&money(paid))),
    };
    let total = known.own.change() + paid;
    text.extend([format!("\n  {siblings}; all quotas together change by {}.", signed(&money(total)))]);
    text.push_str(&plans(known));
    if known.own.change() == 0 {
        text.push_str(
            "\n  It changes nothing today: a rule, a limit or the daily cap holds the quota where it is.",
        );
    }
    text
}

/// Regions whose distance from their plan changes, or where a limit gives way.
fn plans(known: &Known) -> String {
    let mut text = String::new();
    let distance =
        |amount: Option<i64>| amount.map_or_else(|| "–".to_owned(), |amount| signed(&money(amount)));
    for (id, before, after) in &known.regions {
        if before.difference != after.difference {
            text.extend([format!(
                "\n  Region {id} would be {} from its plan instead of {}.",
                distance(after.difference),
                distance(before.difference),
            )]);
        }
        if after.relaxed > before.relaxed {
            text.extend([format!(
                "\n  In region {id} limits would give way by {} more, so that its plan holds.",
                money(after.relaxed - before.relaxed)
            )]);
        }
    }
    text
}

fn count_of(n: usize) -> String {
    count(u64::try_from(n).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_a_phrase() {
        let ask = |change| Ask { change, beyond_plan: true, from: None, until: None };
        assert_eq!(
            terms(&ask(Change::Pin(12_345_600)), "r1", "2026-03"),
            "r1, 2026-03: quota 123,456.00, beyond plan"
        );
        assert_eq!(
            terms(&ask(Change::Percent(-10.0)), "r1", "2026-03"),
            "r1, 2026-03: quota -10 %, beyond plan"
        );
    }
}
