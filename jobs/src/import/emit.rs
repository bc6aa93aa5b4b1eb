//! One record of the contract from one row.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, NaiveDate};

use super::contract::{CHANNELS, ID_BYTES_MAX, Kind, Stream};
use super::decimal::{Decimal, Rounding};
use super::expr::Expr;
use super::spec::Distinct;
use super::summary::Reason;
use super::table::{ColumnId, Failure, TableId, Tables};
use super::value::Value;

/// Hexadecimal digits of a hashed key: 128 bits.
const HEX_LENGTH: usize = 32;

#[derive(Debug)]
pub(super) struct Emit {
    pub(super) name: String,
    /// Begins every event id: the mapping's name and the emit's.
    pub(super) id_prefix: String,
    pub(super) table: TableId,
    pub(super) stream: &'static Stream,
    pub(super) when: Option<Expr<ColumnId>>,
    pub(super) key: Vec<ColumnId>,
    pub(super) distinct: Distinct,
    /// One place per field of the stream.
    pub(super) fields: Vec<Option<Value>>,
    /// Sorted by name.
    pub(super) attributes: Vec<(String, Value)>,
}

/// A record, and what tells it from others.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) json: String,
    pub(super) key: [u8; 16],
}

impl Emit {
    pub(super) fn record(&self, tables: &Tables, row: usize) -> Result<Record, Box<Failure>> {
        let mut json = String::with_capacity(256);
        let mut key = blake3::Hasher::new();
        key.update(self.stream.name.as_bytes());
        let mut identified = self.stream.one_of.is_empty();
        for (field, value) in self.stream.fields.iter().zip(&self.fields) {
            let text = match value {
                None if field.name == "event_id" => Some(Cow::Owned(self.event_id(tables, row)?)),
                None => None,
                Some(value) => value.evaluate(tables, self.table, row)?,
            };
            if self.stream.key.contains(&field.name) {
                part(&mut key, text.as_deref());
            }
            let Some(text) = text else {
                if field.required {
                    let right = format!("a value for {}", field.name);
                    let column = value.as_ref().map_or(field.name, |value| value.label.as_str());
                    return Err(failure(Reason::MissingValue, column, "", right).into());
                }
                continue;
            };
            identified |= self.stream.one_of.contains(&field.name);
            let known = value.as_ref().and_then(Value::kind);
            let label = value.as_ref().map_or(field.name, |value| value.label.as_str());
            let text = if known == Some(field.kind) { text } else { checked(field.kind, text, label)? };
            push_name(&mut json, field.name);
            match field.kind {
                Kind::Number | Kind::Bool => json.push_str(&text),
                _ => push_text(&mut json, &text),
            }
        }
        if !identified {
            let right = format!("at least one of {}", self.stream.one_of.join(", "));
            return Err(failure(Reason::MissingValue, &self.stream.one_of.join(", "), "", right).into());
        }
        self.push_attributes(&mut json, tables, row)?;
        json.push('}');
        let mut short = [0; 16];
        key.finalize_xof().fill(&mut short);
        Ok(Record { json, key: short })
    }

    fn push_attributes(&self, json: &mut String, tables: &Tables, row: usize) -> Result<(), Box<Failure>> {
        let mut object = String::new();
        for (name, value) in &self.attributes {
            if let Some(text) = value.evaluate(tables, self.table, row)? {
                push_name(&mut object, name);
                push_text(&mut object, &text);
            }
        }
        if !object.is_empty() {
            push_name(json, "attributes");
            json.push_str(&object);
            json.push('}');
        }
        Ok(())
    }

    /// `mapping:emit:key`, with the key hashed where it is too long or could be read in two ways.
    fn event_id(&self, tables: &Tables, row: usize) -> Result<String, Box<Failure>> {
        let mut id = self.id_prefix.clone();
        let mut hash = blake3::Hasher::new();
        let mut plain = true;
        for column in &self.key {
            let value = tables.cell(self.table, *column, row)?;
            let Some(value) = value else {
                let name = &tables.list[self.table].column_names[*column];
                let right = "a value, for the event id is made of it".to_owned();
                return Err(failure(Reason::MissingValue, name, "", right).into());
            };
            plain &= !value.contains(':');
            part(&mut hash, Some(&value));
            id.push(':');
            id.push_str(&value);
        }
        if plain && id.len() <= ID_BYTES_MAX {
            return Ok(id);
        }
        let hex = hash.finalize().to_hex();
        Ok(format!("{}:{}", self.id_prefix, hex.get(..HEX_LENGTH).unwrap_or_default()))
    }
}

/// Feeds one part of a key, so that no two lists of parts are alike.
fn part(hash: &mut blake3::Hasher, text: Option<&str>) {
    match text {
        None => hash.update(&[0]),
        Some(text) => {
            hash.update(&[1]);
            hash.update(text.len().to_string().as_bytes());
            hash.update(b":");
            hash.update(text.as_bytes())
        }
    };
}

fn push_name(json: &mut String, name: &str) {
    json.push(if json.is_empty() { '{' } else { ',' });
    push_text(json, name);
    json.push(':');
}

fn push_text(json: &mut String, text: &str) {
    json.push_str(&serde_json::Value::from(text).to_string());
}

fn failure(reason: Reason, column: &str, value: &str, right: String) -> Failure {
    Failure { reason, column: column.to_owned(), value: value.to_owned(), right }
}

/// A text that no rule has made to its field's kind: accepted if it is of it already.
fn checked<'a>(kind: Kind, text: Cow<'a, str>, label: &str) -> Result<Cow<'a, str>, Box<Failure>> {
    let fail = |reason, right: String| Err(Box::new(failure(reason, label, &text, right)));
    match kind {
        Kind::Text => Ok(text),
        Kind::Id if text.len() <= ID_BYTES_MAX => Ok(text),
        Kind::Id => fail(Reason::IdTooLong, format!("an id of at most {ID_BYTES_MAX} bytes")),
        Kind::Channel if CHANNELS.contains(&text.as_ref()) => Ok(text),
        Kind::Channel => fail(Reason::BadChannel, format!("one of {}", CHANNELS.join(", "))),
        Kind::Bool if text == "true" || text == "false" => Ok(text),
        Kind::Bool => fail(Reason::BadBoolean, "true or false (a `map` says what means which)".to_owned()),
        Kind::Time if DateTime::parse_from_rfc3339(&text).is_ok() => Ok(text),
        Kind::Time => fail(Reason::BadDate, "an RFC 3339 time (or `time = ..` with its format)".to_owned()),
        Kind::Date if text.len() == 10 && text.parse::<NaiveDate>().is_ok() => Ok(text),
        Kind::Date => {
            fail(Reason::BadDate, "a day as YYYY-MM-DD (or `date = ..` with its format)".to_owned())
        }
        Kind::Period if is_period(&text) => Ok(text),
        Kind::Period => fail(Reason::BadDate, "a period as 2026-11 or 2026-Q4".to_owned()),
        Kind::Number => match Decimal::parse(&text) {
            Some(number) => Ok(Cow::Owned(number.to_string())),
            None => fail(Reason::BadNumber, "a decimal number such as 1234.50".to_owned()),
        },
        Kind::Amount => match Decimal::parse(&text).map(|number| number.to_amount(Rounding::Exact)) {
            Some(Some(amount)) => Ok(Cow::Owned(amount)),
            Some(None) => {
                fail(Reason::BadAmount, "an amount with two decimal places (or `amount = ..`)".to_owned())
            }
            None => fail(Reason::BadNumber, "a decimal number such as 1234.50".to_owned()),
        },
    }
}

fn is_period(text: &str) -> bool {
    let Some((year, part)) = text.split_once('-') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let month = part.len() == 2 && part.parse().is_ok_and(|month: u8| (1..=12).contains(&month));
    year.len() == 4 && digits(year) && (matches!(part, "Q1" | "Q2" | "Q3" | "Q4") || (digits(part) && month))
}

/// The records written so far, by key.
#[derive(Debug, Default)]
pub(super) struct Seen(HashMap<[u8; 16], [u8; 16]>);

/// What a record is to those before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Novelty {
    New,
    Repeated,
    Contradicts,
}

impl Seen {
    pub(super) fn add(&mut self, record: &Record) -> Novelty {
        let mut content = [0; 16];
        blake3::Hasher::new().update(record.json.as_bytes()).finalize_xof().fill(&mut content);
        match self.0.entry(record.key) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(content);
                Novelty::New
            }
            std::collections::hash_map::Entry::Occupied(entry) if *entry.get() == content => {
                Novelty::Repeated
            }
            std::collections::hash_map::Entry::Occupied(_) => Novelty::Contradicts,
        }
    }
}
