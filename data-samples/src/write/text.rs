//! Behaviour as text: NDJSON and CSV. Every value is made here of letters, digits and plain signs, so nothing
//! needs escaping but the quotes of JSON inside a CSV cell.

use std::io::{self, Write};

use crate::clock::Clock;
use crate::event::{
    Event, Flaw, NO_AMOUNT, write_customer, write_event_id, write_lead, write_money, write_opportunity,
    write_rep,
};
use crate::write::{BAD_TIME, CHUNK_BYTES, channel, event_type, given, write_attributes, write_evidence};

/// A format of one record a line.
pub(crate) trait Lines {
    /// Appends the first line of a file, if there is one.
    fn header(&self, out: &mut Vec<u8>);
    /// Appends a record and its line end.
    fn record(&mut self, event: &Event, out: &mut Vec<u8>);
}

/// Writes records to the end, in large pieces.
pub(crate) fn write<'a>(
    mut to: impl Write,
    records: impl Iterator<Item = &'a Event>,
    lines: &mut impl Lines,
) -> io::Result<()> {
    let mut out = Vec::with_capacity(CHUNK_BYTES + 4_096);
    lines.header(&mut out);
    for record in records {
        lines.record(record, &mut out);
        if out.len() >= CHUNK_BYTES {
            to.write_all(&out)?;
            out.clear();
        }
    }
    to.write_all(&out)?;
    to.flush()
}

/// NDJSON.
#[derive(Debug)]
pub(crate) struct Json<'a> {
    clock: &'a Clock,
}

impl<'a> Json<'a> {
    pub(crate) const fn new(clock: &'a Clock) -> Self {
        Self { clock }
    }
}

impl Lines for Json<'_> {
    fn header(&self, _: &mut Vec<u8>) {}

    fn record(&mut self, event: &Event, out: &mut Vec<u8>) {
        let from = out.len();
        out.push(b'{');
        if event.flaw != Flaw::MissingId {
            out.extend_from_slice(b"\"event_id\":\"");
            write_event_id(event.id, out);
            out.extend_from_slice(b"\",");
        }
        out.extend_from_slice(b"\"event_time\":\"");
        write_time(self.clock, event, out);
        out.extend_from_slice(b"\",\"event_type\":\"");
        out.extend_from_slice(event_type(event).as_bytes());
        out.push(b'"');
        if let Some(channel) = channel(event) {
            out.extend_from_slice(b",\"channel\":\"");
            out.extend_from_slice(channel.as_bytes());
            out.push(b'"');
        }
        for (key, write, n) in entities(event) {
            if let Some(n) = n {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(key.as_bytes());
                out.extend_from_slice(b"\":\"");
                write(n, out);
                out.push(b'"');
            }
        }
        if event.amount != NO_AMOUNT {
            out.extend_from_slice(b",\"amount\":\"");
            write_amount(event, out);
            out.push(b'"');
        }
        if event.evidence > 0 {
            out.extend_from_slice(b",\"evidence\":");
            write_evidence(event, out);
        }
        if event.attributes.is_some() {
            out.extend_from_slice(b",\"attributes\":");
            write_attributes(event, out);
        }
        if event.flaw == Flaw::BrokenJson {
            out.truncate(from + (out.len() - from) * 2 / 3);
        } else {
            out.push(b'}');
        }
        out.push(b'\n');
    }
}

/// CSV.
#[derive(Debug)]
pub(crate) struct Csv<'a> {
    clock: &'a Clock,
    cell: Vec<u8>,
}

impl<'a> Csv<'a> {
    pub(crate) const fn new(clock: &'a Clock) -> Self {
        Self { clock, cell: Vec::new() }
    }

    fn json_cell(&mut self, event: &Event, write: fn(&Event, &mut Vec<u8>), out: &mut Vec<u8>) {
        self.cell.clear();
        write(event, &mut self.cell);
        out.push(b'"');
        for &byte in &self.cell {
            if byte == b'"' {
                out.push(b'"');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
}

impl Lines for Csv<'_> {
    fn header(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"event_id,event_time,event_type,channel,rep_id,customer_id,lead_id,opportunity_id,amount,evidence,attributes\n",
        );
    }

    fn record(&mut self, event: &Event, out: &mut Vec<u8>) {
        if event.flaw != Flaw::MissingId {
            write_event_id(event.id, out);
        }
        out.push(b',');
        write_time(self.clock, event, out);
        out.push(b',');
        out.extend_from_slice(event_type(event).as_bytes());
        out.push(b',');
        out.extend_from_slice(channel(event).unwrap_or("").as_bytes());
        for (_, write, n) in entities(event) {
            out.push(b',');
            if let Some(n) = n {
                write(n, out);
            }
        }
        out.push(b',');
        if event.amount != NO_AMOUNT {
            write_amount(event, out);
        }
        out.push(b',');
        if event.evidence > 0 {
            self.json_cell(event, write_evidence, out);
        }
        out.push(b',');
        if event.attributes.is_some() {
            self.json_cell(event, write_attributes, out);
        }
        out.push(b'\n');
    }
}

type WriteId = fn(u32, &mut Vec<u8>);

fn entities(event: &Event) -> [(&'static str, WriteId, Option<u32>); 4] {
    [
        ("rep_id", write_rep, given(event.rep)),
        ("customer_id", write_customer, given(event.customer)),
        ("lead_id", write_lead, given(event.lead)),
        ("opportunity_id", write_opportunity, given(event.opportunity)),
    ]
}

fn write_time(clock: &Clock, event: &Event, out: &mut Vec<u8>) {
    if event.flaw == Flaw::BadTime {
        out.extend_from_slice(BAD_TIME.as_bytes());
    } else {
        clock.write(event.time, out);
    }
}

fn write_amount(event: &Event, out: &mut Vec<u8>) {
    write_money(event.amount, out);
    if event.flaw == Flaw::TooManyDecimals {
        out.push(b'5');
    }
}
