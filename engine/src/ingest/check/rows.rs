//! Rows: records that satisfy the contract, gathered column by column into batches of the stream's schema.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};

use super::buffer::{Buffer, Value};
use super::layout::{COLUMNS_MAX, Column, Kind, Layout, behaviour};
use super::reason::{self, Fault};
use super::rules::{Rule, Rules, channel_position, channel_word};
use super::{evidence, value};
use crate::catalogue::Channel;
use crate::contract::{ID_BYTES_MAX, Stream};
use crate::error::{EngineError, Result};
use crate::ingest::decode::json::{is_missing, read_pairs};
use crate::ingest::decode::record::{Cell, Record};
use crate::time::{Micros, Zone};

/// What records are checked against.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) layout: Layout,
    pub(crate) rules: Rules,
    pub(crate) zone: Zone,
    /// Events after this are refused.
    pub(crate) latest: Micros,
}

/// Checked rows that are not yet a batch.
#[derive(Debug)]
pub(crate) struct Rows {
    buffers: Vec<Buffer>,
    gathered: usize,
    /// Room for a row's evidence.
    canonical: String,
}

impl Rows {
    /// No rows.
    pub(crate) fn new(layout: &Layout) -> Self {
        let buffers = layout.columns.iter().map(|column| Buffer::new(column.kind)).collect();
        Self { buffers, gathered: 0, canonical: String::new() }
    }

    /// Rows gathered.
    pub(crate) fn len(&self) -> usize {
        self.gathered
    }

    /// Checks a record and appends it, or appends nothing and says why. Sorts the record's pairs.
    pub(crate) fn push(
        &mut self,
        record: &mut Record<'_>,
        checker: &Checker,
    ) -> std::result::Result<(), Fault> {
        let layout = &checker.layout;
        let mut pairs = std::mem::take(&mut record.pairs);
        let paired = attribute_pairs(record, layout, &mut pairs);
        let mut canonical = std::mem::take(&mut self.canonical);
        let listed = evidence_text(record, layout, &mut canonical);
        let mut values = [Value::Null; COLUMNS_MAX];
        for (position, column) in layout.columns.iter().enumerate() {
            let value = match column.kind {
                Kind::Attributes => {
                    paired.map_err(|reason| Fault::column(position, reason))?;
                    continue;
                }
                Kind::Evidence => listed.map(|length| {
                    length.filter(|length| *length > 0).map_or(Value::Null, |_| Value::Text(&canonical))
                }),
                _ => convert(column, record.cell(position), checker),
            };
            let value = value.map_err(|reason| Fault::column(position, reason))?;
            if column.required && matches!(value, Value::Null) {
                return Err(Fault::column(position, reason::MISSING));
            }
            values[position] = value;
        }
        if layout.stream == Stream::Behaviour {
            check_event(&mut values, &checker.rules, listed.ok().flatten())?;
        }
        for (buffer, value) in self.buffers.iter_mut().zip(values) {
            match buffer {
                Buffer::Attributes(map) => {
                    map.push(pairs.iter().map(|pair| (pair.key.as_ref(), pair.value.as_ref())));
                }
                other => other.append(value),
            }
        }
        self.gathered += 1;
        self.canonical = canonical;
        pairs.clear();
        record.pairs = pairs;
        Ok(())
    }

    /// The rows as a batch of the stream's schema; none are left.
    ///
    /// # Errors
    /// [`EngineError::Arrow`] where the columns don't make the schema.
    pub(crate) fn finish(&mut self, layout: &Layout) -> Result<RecordBatch> {
        self.gathered = 0;
        let columns = self
            .buffers
            .iter_mut()
            .map(Buffer::finish)
            .collect::<std::result::Result<Vec<ArrayRef>, _>>()
            .map_err(EngineError::arrow("gathering rows"))?;
        RecordBatch::try_new(Arc::clone(&layout.schema), columns)
            .map_err(EngineError::arrow("gathering rows"))
    }
}

/// Completes and sorts the attribute pairs: those of an `attributes` cell that is text, then one pair a key.
fn attribute_pairs<'a>(
    record: &Record<'a>,
    layout: &Layout,
    pairs: &mut Vec<crate::ingest::decode::record::Pair<'a>>,
) -> std::result::Result<(), &'static str> {
    let Some(position) = layout.attributes else { return Ok(()) };
    match record.cell(position) {
        Cell::Missing | Cell::Plain("") => {}
        Cell::Plain(text) => read_pairs(text, pairs)?,
        _ => return Err(reason::NOT_A_MAP),
    }
    super::map::settle(pairs)
}

/// Writes the record's evidence as canonical JSON text; the length of its list, none without one.
fn evidence_text(
    record: &Record<'_>,
    layout: &Layout,
    canonical: &mut String,
) -> std::result::Result<Option<i32>, &'static str> {
    canonical.clear();
    let Some(position) = layout.evidence else { return Ok(None) };
    match record.cell(position) {
        cell if is_missing(cell) => Ok(None),
        Cell::Nested(text) | Cell::Plain(text) => evidence::canonical(text, canonical).map(Some),
        _ => Err(reason::NOT_EVIDENCE),
    }
}

/// The rules that tie the columns of one event together; sets the channel and the count of evidence where absent.
fn check_event(
    values: &mut [Value<'_>; COLUMNS_MAX],
    rules: &Rules,
    counted: Option<i32>,
) -> std::result::Result<(), Fault> {
    let rule = match &values[behaviour::EVENT_TYPE] {
        Value::Text(code) => rules.of(code).map_err(|reason| Fault::column(behaviour::EVENT_TYPE, reason))?,
        _ => return Err(Fault::column(behaviour::EVENT_TYPE, reason::MISSING)),
    };
    if matches!(values[behaviour::CHANNEL], Value::Null) {
        values[behaviour::CHANNEL] = Value::Text(channel_word(rule.channel));
    }
    check_carried(values, rule)?;
    if let Some(count) = counted {
        values[behaviour::EVIDENCE_COUNT] = Value::Count(count);
    } else if matches!(values[behaviour::EVIDENCE_COUNT], Value::Null) {
        values[behaviour::EVIDENCE_COUNT] = Value::Count(0);
    }
    Ok(())
}

fn check_carried(values: &[Value<'_>; COLUMNS_MAX], rule: Rule) -> std::result::Result<(), Fault> {
    let entities = (0..4_usize)
        .filter(|entity| !matches!(values[behaviour::FIRST_ENTITY + entity], Value::Null))
        .fold(0_u8, |bits, entity| bits | 1 << entity);
    rule.check(entities, !matches!(values[behaviour::AMOUNT], Value::Null))
}

/// One cell as its column wants it.
fn convert<'r>(
    column: &Column,
    cell: &'r Cell<'_>,
    checker: &Checker,
) -> std::result::Result<Value<'r>, &'static str> {
    if is_missing(cell) {
        return Ok(Value::Null);
    }
    let zone = &checker.zone;
    Ok(match column.kind {
        Kind::Id => Value::Text(id(cell)?),
        Kind::Text | Kind::EventType => Value::Text(text(cell).ok_or(reason::NOT_TEXT)?),
        Kind::Channel => {
            let channel =
                Channel::parse(text(cell).ok_or(reason::NOT_TEXT)?).ok_or(reason::UNKNOWN_CHANNEL)?;
            Value::Text(channel_word(channel_position(channel)))
        }
        Kind::EventTime => {
            let at = value::time(scalar(cell).ok_or(reason::NOT_A_TIME)?)?;
            Value::Time(value::event_time(at, checker.latest)?)
        }
        Kind::Time => Value::Time(value::time_or_date(scalar(cell).ok_or(reason::NOT_A_TIME)?, zone)?),
        Kind::Date => Value::Date(value::date(text(cell).ok_or(reason::NOT_A_DATE)?, zone)?),
        Kind::Money => Value::Money(value::money(scalar(cell).ok_or(reason::NOT_AN_AMOUNT)?)?),
        Kind::Number => Value::Number(value::number(untyped(cell).ok_or(reason::NOT_A_NUMBER)?)?),
        Kind::Count => Value::Count(value::count(untyped(cell).ok_or(reason::NOT_A_COUNT)?)?),
        Kind::Flag => Value::Flag(match cell {
            Cell::Bool(flag) => *flag,
            Cell::Plain(text) => value::flag(text)?,
            _ => return Err(reason::NOT_A_FLAG),
        }),
        Kind::Evidence | Kind::Attributes => Value::Null,
    })
}

fn id<'r>(cell: &'r Cell<'_>) -> std::result::Result<&'r str, &'static str> {
    let id = text(cell).ok_or(reason::NOT_TEXT)?;
    if id.len() > ID_BYTES_MAX { Err(reason::ID_TOO_LONG) } else { Ok(id) }
}

/// A string.
fn text<'r>(cell: &'r Cell<'_>) -> Option<&'r str> {
    match cell {
        Cell::Text(text) => Some(text),
        Cell::Plain(text) => Some(text),
        _ => None,
    }
}

/// A string or a number.
fn scalar<'r>(cell: &'r Cell<'_>) -> Option<&'r str> {
    if let Cell::Number(number) = cell { Some(number) } else { text(cell) }
}

/// A number.
fn untyped<'r>(cell: &'r Cell<'_>) -> Option<&'r str> {
    match cell {
        Cell::Number(text) | Cell::Plain(text) => Some(text),
        _ => None,
    }
}
