//! Rows: records that satisfy the contract, gathered column by column into batches of the stream's schema.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;

use super::buffer::{Buffer, Value};
use super::cell::convert;
use super::evidence;
use super::layout::{COLUMNS_MAX, Kind, Layout, behaviour};
use super::reason::{self, Fault};
use super::rules::{Rule, Rules, channel_word};
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::ingest::decode::json::{is_missing, read_pairs};
use crate::ingest::decode::record::{Cell, Pair, Record};
use crate::time::{Day, Micros, Zone};

/// What records are checked against.
#[derive(Debug)]
pub(crate) struct Checker {
    pub(crate) layout: Layout,
    pub(crate) rules: Rules,
    pub(crate) zone: Zone,
    /// Events after this are refused.
    pub(crate) latest: Micros,
}

/// Checked rows that are not yet batches, by the business day that they belong to.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    parts: BTreeMap<Day, Part>,
    /// The day and the instants of the row that came last.
    last: (Day, Range<Micros>),
    gathered: usize,
    /// Room for a row's evidence.
    canonical: String,
}

/// The rows of one day.
#[derive(Debug)]
struct Part {
    buffers: Vec<Buffer>,
    rows: usize,
}

impl Rows {
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
        let mut given = fill(record, checker, (paired, listed, &canonical), &mut values)?;
        let mut day = 0;
        if layout.stream == Stream::Behaviour {
            check_event(&mut values, &checker.rules, listed.ok().flatten())?;
            given |= 1 << behaviour::CHANNEL | 1 << behaviour::EVIDENCE_COUNT;
            if let Value::Time(at) = values[behaviour::EVENT_TIME] {
                day = self.day(at, &checker.zone);
            }
        }
        let part = self.parts.entry(day).or_insert_with(|| Part::new(layout));
        part.append(given, &values);
        if let (Some(position), false) = (layout.attributes, pairs.is_empty()) {
            part.append_pairs(position, &pairs);
        }
        part.rows += 1;
        self.gathered += 1;
        self.canonical = canonical;
        pairs.clear();
        record.pairs = pairs;
        Ok(())
    }

    fn day(&mut self, at: Micros, zone: &Zone) -> Day {
        if !self.last.1.contains(&at) {
            let day = zone.day(at);
            self.last = (day, zone.start(day)..zone.end(day));
        }
        self.last.0
    }

    /// The rows of each day as a batch of the stream's schema (for a stream without days, of day 0); none are left.
    ///
    /// # Errors
    /// [`EngineError::Arrow`] where the columns don't make the schema.
    pub(crate) fn finish(&mut self, layout: &Layout) -> Result<Vec<(Day, RecordBatch)>> {
        self.gathered = 0;
        // What a day had this time is about what it has the next; a day that had none is over.
        self.parts.retain(|_, part| part.rows > 0);
        let batches = self.parts.iter_mut().map(|(&day, part)| Ok((day, part.finish(layout)?)));
        batches.collect::<std::result::Result<_, ArrowError>>().map_err(EngineError::arrow("gathering rows"))
    }
}

impl Part {
    fn new(layout: &Layout) -> Self {
        Self { buffers: layout.columns.iter().map(|column| Buffer::new(column.kind)).collect(), rows: 0 }
    }

    /// Sets the values of the next row whose bits are set; the others are null.
    fn append(&mut self, given: u32, values: &[Value<'_>; COLUMNS_MAX]) {
        for position in bits(given) {
            if let Some(buffer) = self.buffers.get_mut(position) {
                buffer.set(self.rows, values[position]);
            }
        }
    }

    fn append_pairs(&mut self, position: usize, pairs: &[Pair<'_>]) {
        if let Some(Buffer::Attributes(map)) = self.buffers.get_mut(position) {
            map.fill(self.rows);
            map.push(pairs.iter().map(|pair| (pair.key.as_ref(), pair.value.as_ref())));
        }
    }

    fn finish(&mut self, layout: &Layout) -> std::result::Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self
            .buffers
            .iter_mut()
            .map(|buffer| buffer.finish(rows))
            .collect::<std::result::Result<_, _>>()?;
        RecordBatch::try_new(Arc::clone(&layout.schema), columns)
    }
}

/// The positions of the bits that are set, ascending.
fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = set.trailing_zeros();
        set &= set.wrapping_sub(1);
        (position < u32::BITS).then_some(position as usize)
    })
}

/// What `attributes` and `evidence` came to: whether the pairs are sound, the length of the list, and its text.
type Parts<'a> =
    (std::result::Result<(), &'static str>, std::result::Result<Option<i32>, &'static str>, &'a str);

/// Converts the cells that a record has; returns which columns got a value. Of several faults, that of the first column
/// is told.
fn fill<'r>(
    record: &'r Record<'_>,
    checker: &Checker,
    (paired, listed, canonical): Parts<'r>,
    values: &mut [Value<'r>; COLUMNS_MAX],
) -> std::result::Result<u32, Fault> {
    let layout = &checker.layout;
    let at = |position: Option<usize>| position.map_or(0, |position| 1 << position);
    let mut given = 0;
    let mut fault = None;
    for position in bits(record.seen() | at(layout.attributes) | at(layout.evidence)) {
        let Some(column) = layout.columns.get(position) else { break };
        let value = match column.kind {
            Kind::Attributes => paired.map(|()| Value::Null),
            Kind::Evidence => listed.map(|length| {
                length.filter(|length| *length > 0).map_or(Value::Null, |_| Value::Text(canonical))
            }),
            _ => convert(column, record.cell(position), checker),
        };
        match value {
            Ok(Value::Null) => {}
            Ok(value) => {
                values[position] = value;
                given |= 1 << position;
            }
            Err(reason) => {
                fault = Some((position, reason));
                break;
            }
        }
    }
    let before = fault.map_or(u32::MAX, |(position, _)| (1 << position) - 1);
    if let Some(missing) = bits(layout.required & !given & before).next() {
        return Err(Fault::column(missing, reason::MISSING));
    }
    fault.map_or(Ok(given), |(position, reason)| Err(Fault::column(position, reason)))
}

/// Completes and sorts the attribute pairs: those of an `attributes` cell that is text, then one pair a key.
fn attribute_pairs<'a>(
    record: &Record<'a>,
    layout: &Layout,
    pairs: &mut Vec<Pair<'a>>,
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
