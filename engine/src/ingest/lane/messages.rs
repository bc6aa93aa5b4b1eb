//! Messages of a topic: each is one record, or a batch of them, whatever its bytes.

use arrow::buffer::BooleanBuffer;

use super::Lane;
use crate::error::Result;
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::decode::record::Record;
use crate::ingest::decode::{columns, ipc, nested};
use crate::ingest::messages::{Message, Messages, Value};
use crate::ingest::summary::Counts;
use crate::ingest::text::as_u64;

/// Bytes of a schema registry's frame.
const FRAME_BYTES: usize = 5;

impl Lane<'_> {
    /// Takes messages that hold one JSON object each, or batches as Arrow IPC.
    pub(super) fn messages(&mut self, input: usize, messages: &Messages, counts: &mut Counts) -> Result<()> {
        let mut record = Record::default();
        for message in messages.iter() {
            if message.value == Value::Whole && ipc::is_ipc(message.bytes) {
                self.batches(input, &message, counts)?;
                continue;
            }
            let checked = match message.value {
                Value::None => Err(Fault::record(reason::TOMBSTONE)),
                Value::TooLong => Err(Fault::record(reason::RECORD_TOO_LONG)),
                Value::Whole => match std::str::from_utf8(json(message.bytes)) {
                    Err(_) => Err(Fault::record(reason::NOT_UTF8)),
                    Ok(text) if text.trim_ascii().is_empty() => Err(Fault::record(reason::EMPTY)),
                    Ok(text) => {
                        self.rows_bytes += text.len();
                        record.clear();
                        self.json
                            .read(text, &self.plan.checker.layout, &mut record)
                            .and_then(|()| self.accept(&mut record, counts))
                    }
                },
            };
            self.settle(input, checked, message.offset, || message.bytes.to_vec(), counts)?;
        }
        Ok(())
    }
}

impl Lane<'_> {
    /// Takes the rows of a message; those that are refused have its offset and become JSON.
    fn batches(&mut self, input: usize, message: &Message<'_>, counts: &mut Counts) -> Result<()> {
        let plan = self.plan;
        let (batches, slots) = match ipc::read(message.bytes, &plan.checker.layout) {
            Ok(found) => found,
            Err(fault) => {
                return self.settle(input, Err(fault), message.offset, || message.bytes.to_vec(), counts);
            }
        };
        for batch in batches {
            // What Arrow can't convert in spite of its type is the message's fault, and stops nothing.
            let Ok(checked) = columns::check(&batch, &slots, &plan.checker) else {
                let fault = Err(Fault::record(reason::NOT_IPC));
                self.settle(input, fault, message.offset, || message.bytes.to_vec(), counts)?;
                continue;
            };
            for (row, fault) in checked.faults.iter() {
                self.settle(input, Err(fault), message.offset, || nested::row_json(&batch, row), counts)?;
            }
            let good = checked.good.as_ref();
            counts.accepted += as_u64(good.map_or(batch.num_rows(), BooleanBuffer::count_set_bits));
            self.store.push(&checked.batch, good)?;
        }
        Ok(())
    }
}

/// The text of a message: after the frame (a zero and the number of a schema) that a schema registry's JSON has, and
/// after a byte-order mark.
fn json(bytes: &[u8]) -> &[u8] {
    let text = if bytes.first() == Some(&0) { bytes.get(FRAME_BYTES..).unwrap_or(bytes) } else { bytes };
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
