//! What events come down to, which may follow which, and what acts when.

use super::{Ask, Change, Event, EventKind, Request, Status, in_force, requests};

fn ask(change: Change) -> Ask {
    Ask { change, beyond_plan: false, from: None, until: None }
}

fn event(sequence: i32, kind: EventKind, actor: &str, ask: Option<Ask>) -> Event {
    Event {
        request_id: "a".to_owned(),
        sequence,
        kind,
        actor: actor.to_owned(),
        at: i64::from(sequence),
        rep_id: "r1".to_owned(),
        period: "2026-03".to_owned(),
        ask,
        reason: None,
        evidence: None,
        idempotency: None,
    }
}

fn one(events: Vec<Event>) -> Request {
    requests(events).into_values().next().unwrap()
}

#[test]
fn the_terms_agreed_to_are_those_proposed_last() {
    let asked = event(1, EventKind::Request, "rep", Some(ask(Change::Percent(-20.0))));
    let countered = event(3, EventKind::Counter, "boss", Some(ask(Change::Pin(900_000))));
    let request = one(vec![countered.clone(), event(2, EventKind::Comment, "x", None), asked.clone()]);
    assert_eq!((request.status, request.ask.change), (Status::Countered, Change::Pin(900_000)));
    // Whoever proposed the terms doesn't agree to them.
    assert!(request.check(EventKind::Approve, "boss").is_err());
    request.check(EventKind::Approve, "rep").unwrap();
    let agreed = event(4, EventKind::Approve, "rep", Some(request.ask));
    let late = event(5, EventKind::Reject, "boss", None);
    let request = one(vec![asked, countered, agreed, late]);
    assert_eq!((request.status, request.ask.change), (Status::Approved, Change::Pin(900_000)));
    let message = request.check(EventKind::Reject, "boss").unwrap_err().to_string();
    assert!(message.starts_with("request a was approved by rep already"), "{message}");
    request.check(EventKind::Comment, "anybody").unwrap();
}

#[test]
fn an_adjustment_acts_in_its_period_and_on_its_days_alone() {
    let agreed = |from, until, period: &str| {
        let ask = Ask { from, until, ..ask(Change::Percent(5.0)) };
        let mut events = vec![
            event(1, EventKind::Request, "rep", Some(ask)),
            event(2, EventKind::Approve, "boss", Some(ask)),
        ];
        for event in &mut events {
            period.clone_into(&mut event.period);
        }
        requests(events)
    };
    let acts = |from, until, period: &str| {
        let requests = agreed(from, until, period);
        (10..=14).filter(|&day| !in_force(&requests, "2026-03", day).is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(acts(None, None, "2026-03"), [10, 11, 12, 13, 14]);
    assert_eq!(acts(Some(12), None, "2026-03"), [12, 13, 14]);
    assert_eq!(acts(Some(11), Some(12), "2026-03"), [11, 12]);
    assert_eq!(acts(None, None, "2026-04"), Vec::<i32>::new());
    let open = requests(vec![event(1, EventKind::Request, "rep", Some(ask(Change::Percent(5.0))))]);
    assert!(in_force(&open, "2026-03", 10).is_empty());
}
