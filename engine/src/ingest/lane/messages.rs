//! Messages of a topic: each is one record, whatever its bytes.

use super::Lane;
use crate::error::Result;
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::decode::record::Record;
use crate::ingest::messages::{Messages, Value};
use crate::ingest::summary::Counts;

/// Bytes of a schema registry's frame.
const FRAME_BYTES: usize = 5;

impl Lane<'_> {
    /// Takes messages that hold one JSON object each.
    pub(super) fn messages(&mut self, input: usize, messages: &Messages, counts: &mut Counts) -> Result<()> {
        let mut record = Record::default();
        for message in messages.iter() {
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

/// The text of a message: after the frame (a zero and the number of a schema) that a schema registry's JSON has, and
/// after a byte-order mark.
fn json(bytes: &[u8]) -> &[u8] {
    let text = if bytes.first() == Some(&0) { bytes.get(FRAME_BYTES..).unwrap_or(bytes) } else { bytes };
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}
