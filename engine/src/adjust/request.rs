//! What the events of a request come down to, and which event may come next.

use std::collections::BTreeMap;

use super::{Ask, Event, EventKind};
use crate::error::{EngineError, Result};
use crate::time::{Day, Micros};

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Nobody has decided.
    Open,
    /// Other terms are on the table.
    Countered,
    /// The terms proposed last were agreed to.
    Approved,
    /// It was turned down.
    Rejected,
}

impl Status {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Countered => "countered",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Whether somebody has decided.
    pub fn is_decided(self) -> bool {
        matches!(self, Self::Approved | Self::Rejected)
    }
}

/// A request as its events leave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Whose quota.
    pub rep_id: String,
    /// Of which period.
    pub period: String,
    /// How far it has come.
    pub status: Status,
    /// The terms proposed last, or agreed to.
    pub ask: Ask,
    /// Who proposed them.
    pub proposed_by: String,
    /// Who decided, and when.
    pub decided: Option<(String, Micros)>,
    /// All that happened, in order.
    pub events: Vec<Event>,
}

impl Request {
    /// The number of the next event.
    pub fn next_sequence(&self) -> i32 {
        self.events.last().map_or(1, |event| event.sequence.saturating_add(1))
    }

    /// Refuses an event that can't follow: a second decision, or an approval by whoever proposed the terms.
    ///
    /// # Errors
    /// [`EngineError::Input`] that says who decided, or who has to.
    pub fn check(&self, kind: EventKind, actor: &str) -> Result<()> {
        if kind == EventKind::Comment {
            return Ok(());
        }
        if let Some((by, _)) = &self.decided {
            return Err(EngineError::Input(format!(
                "request {} was {} by {by} already; nothing is decided twice, so ask anew with `tideline adjust request`",
                self.id,
                self.status.as_str()
            )));
        }
        if kind == EventKind::Approve && actor == self.proposed_by {
            return Err(EngineError::Input(format!(
                "{actor} proposed these terms of request {} and can't approve them; somebody else has to",
                self.id
            )));
        }
        Ok(())
    }

    /// Whether it acts on a run of `day` in `period`.
    pub fn acts(&self, period: &str, day: Day) -> bool {
        self.status == Status::Approved
            && self.period == period
            && self.ask.from.is_none_or(|from| from <= day)
            && self.ask.until.is_none_or(|until| day <= until)
    }

    fn take(&mut self, event: Event) {
        if self.status.is_decided() && event.kind != EventKind::Comment {
            return;
        }
        match event.kind {
            EventKind::Counter => self.status = Status::Countered,
            EventKind::Approve => self.status = Status::Approved,
            EventKind::Reject => self.status = Status::Rejected,
            EventKind::Request | EventKind::Comment => {}
        }
        if self.status.is_decided() && event.kind != EventKind::Comment {
            self.decided = Some((event.actor.clone(), event.at));
        }
        if let (Some(ask), EventKind::Counter | EventKind::Approve) = (event.ask, event.kind) {
            self.ask = ask;
            if event.kind == EventKind::Counter {
                self.proposed_by.clone_from(&event.actor);
            }
        }
        self.events.push(event);
    }
}

/// All requests by id; events in any order. An event without its request is passed over.
pub fn requests(mut events: Vec<Event>) -> BTreeMap<String, Request> {
    events.sort_by(|a, b| (&a.request_id, a.sequence).cmp(&(&b.request_id, b.sequence)));
    let mut requests: BTreeMap<String, Request> = BTreeMap::new();
    for event in events {
        if let Some(request) = requests.get_mut(&event.request_id) {
            request.take(event);
        } else if let (EventKind::Request, Some(ask)) = (event.kind, event.ask) {
            let request = Request {
                id: event.request_id.clone(),
                rep_id: event.rep_id.clone(),
                period: event.period.clone(),
                status: Status::Open,
                ask,
                proposed_by: event.actor.clone(),
                decided: None,
                events: vec![event],
            };
            requests.insert(request.id.clone(), request);
        }
    }
    requests
}
