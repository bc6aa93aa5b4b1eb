//! One cell of a record as its column wants it.

use super::buffer::Value;
use super::layout::{Column, Kind};
use super::reason;
use super::rows::Checker;
use super::rules::{channel_position, channel_word};
use super::value;
use crate::catalogue::Channel;
use crate::contract::ID_BYTES_MAX;
use crate::ingest::decode::json::is_missing;
use crate::ingest::decode::record::Cell;

/// The value of a cell, or why it has none.
pub(super) fn convert<'r>(
    column: &Column,
    cell: &'r Cell<'_>,
    checker: &Checker,
) -> Result<Value<'r>, &'static str> {
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

fn id<'r>(cell: &'r Cell<'_>) -> Result<&'r str, &'static str> {
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
