//! Single records for tests: a test states only what differs from the default.
//!
//! ```
//! use data_samples::build::{Event, Row, ndjson};
//! let events = [
//!     Event::new("call.connected").at("2026-01-05T09:00:00+08:00").rep("r1").customer("c1"),
//!     Event::new("deal.signed").rep("r1").customer("c1").amount("12.50").attr("stage", "proposal"),
//! ];
//! assert_eq!(ndjson(&events).lines().count(), 2);
//! let rep = Row::new().text("rep_id", "r1").text("region_id", "R1").null("left_on");
//! assert_eq!(rep.to_json(), r#"{"rep_id":"r1","region_id":"R1","left_on":null}"#);
//! ```

use std::fmt::Write;

use crate::draw::mix;

/// The instant of an event that names none: a Monday morning in Shanghai.
pub const DEFAULT_TIME: &str = "2026-01-05T09:00:00+08:00";

/// A behaviour event for a test. Without an id of its own it gets one made of its content, so that two equal
/// events are duplicates and two different ones are not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Event {
    id: Option<String>,
    time: String,
    kind: String,
    fields: Vec<(&'static str, String)>,
    evidence: Vec<(String, String)>,
    attributes: Vec<(String, String)>,
}

impl Event {
    /// An event of a type at [`DEFAULT_TIME`], of nobody, with the catalogue's channel.
    pub fn new(event_type: &str) -> Self {
        Self {
            id: None,
            time: DEFAULT_TIME.to_owned(),
            kind: event_type.to_owned(),
            fields: Vec::new(),
            evidence: Vec::new(),
            attributes: Vec::new(),
        }
    }

    /// Sets `event_id`.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Sets `event_time`, written as given.
    pub fn at(mut self, time: &str) -> Self {
        time.clone_into(&mut self.time);
        self
    }

    /// Sets `channel`.
    pub fn channel(self, channel: &str) -> Self {
        self.field("channel", channel)
    }

    /// Sets `rep_id`.
    pub fn rep(self, id: &str) -> Self {
        self.field("rep_id", id)
    }

    /// Sets `customer_id`.
    pub fn customer(self, id: &str) -> Self {
        self.field("customer_id", id)
    }

    /// Sets `lead_id`.
    pub fn lead(self, id: &str) -> Self {
        self.field("lead_id", id)
    }

    /// Sets `opportunity_id`.
    pub fn opportunity(self, id: &str) -> Self {
        self.field("opportunity_id", id)
    }

    /// Sets `amount`, a decimal in major units, written as given.
    pub fn amount(self, amount: &str) -> Self {
        self.field("amount", amount)
    }

    /// Adds a piece of evidence.
    pub fn evidence(mut self, kind: &str, uri: &str) -> Self {
        self.evidence.push((kind.to_owned(), uri.to_owned()));
        self
    }

    /// Sets an attribute.
    pub fn attr(mut self, key: &str, value: &str) -> Self {
        self.attributes.retain(|(known, _)| known != key);
        self.attributes.push((key.to_owned(), value.to_owned()));
        self
    }

    fn field(mut self, name: &'static str, value: &str) -> Self {
        self.fields.retain(|(known, _)| *known != name);
        self.fields.push((name, value.to_owned()));
        self
    }

    /// The event's `event_id`.
    pub fn event_id(&self) -> String {
        self.id.clone().unwrap_or_else(|| {
            let hash =
                self.content().bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)).wrapping_add(1));
            format!("{hash:016x}")
        })
    }

    /// The event as a line of NDJSON, without the line end.
    pub fn to_json(&self) -> String {
        format!("{{\"event_id\":{},{}}}", quoted(&self.event_id()), self.content())
    }

    fn content(&self) -> String {
        let mut out = format!("\"event_time\":{},\"event_type\":{}", quoted(&self.time), quoted(&self.kind));
        for (name, value) in &self.fields {
            append(&mut out, format_args!(",\"{name}\":{}", quoted(value)));
        }
        if !self.evidence.is_empty() {
            let list: Vec<String> = self
                .evidence
                .iter()
                .map(|(kind, uri)| format!("{{\"kind\":{},\"uri\":{}}}", quoted(kind), quoted(uri)))
                .collect();
            append(&mut out, format_args!(",\"evidence\":[{}]", list.join(",")));
        }
        if !self.attributes.is_empty() {
            let pairs: Vec<String> = self
                .attributes
                .iter()
                .map(|(key, value)| format!("{}:{}", quoted(key), quoted(value)))
                .collect();
            append(&mut out, format_args!(",\"attributes\":{{{}}}", pairs.join(",")));
        }
        out
    }
}

/// A row of an entity stream or of `market_factor` for a test: fields in the order they are given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Row {
    fields: Vec<(String, String)>,
}

impl Row {
    /// A row without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text, date, time or decimal.
    pub fn text(self, name: &str, value: &str) -> Self {
        self.raw(name, quoted(value))
    }

    /// Adds a number.
    pub fn number(self, name: &str, value: f64) -> Self {
        self.raw(name, value.to_string())
    }

    /// Adds a boolean.
    pub fn flag(self, name: &str, value: bool) -> Self {
        self.raw(name, value.to_string())
    }

    /// Adds a null.
    pub fn null(self, name: &str) -> Self {
        self.raw(name, "null".to_owned())
    }

    fn raw(mut self, name: &str, value: String) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value));
        self
    }

    /// The row as a line of NDJSON, without the line end.
    pub fn to_json(&self) -> String {
        let pairs: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{}:{value}", quoted(name))).collect();
        format!("{{{}}}", pairs.join(","))
    }
}

/// Events as NDJSON, one a line.
pub fn ndjson(events: &[Event]) -> String {
    events.iter().map(|event| event.to_json() + "\n").collect()
}

fn append(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    out.write_fmt(text).unwrap_or_default();
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::Event;

    #[test]
    fn equal_content_is_an_equal_id() {
        let call = || Event::new("call.connected").rep("r1").customer("c1");
        assert_eq!(call().event_id(), call().event_id());
        assert_ne!(call().event_id(), call().attr("x", "y").event_id());
        assert_eq!(call().id("e7").event_id(), "e7");
    }

    #[test]
    fn lines_are_json_with_what_was_stated() {
        let event = Event::new("quote.sent")
            .at("2026-01-05T09:00:00+08:00")
            .rep("r\"1")
            .amount("12.50")
            .amount("13.00")
            .evidence("photo", "a/b")
            .attr("stage", "proposal");
        let json: serde_json::Value = serde_json::from_str(&event.to_json()).unwrap();
        assert_eq!(json["rep_id"], "r\"1");
        assert_eq!(json["amount"], "13.00");
        assert_eq!(json["evidence"][0]["uri"], "a/b");
        assert_eq!(json["attributes"]["stage"], "proposal");
        assert!(json.get("channel").is_none());
    }
}
