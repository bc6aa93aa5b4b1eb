//! Messages of a topic: each is one record, or a batch of them, whatever its bytes.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;

use super::Lane;
use crate::error::Result;
use crate::ingest::check::layout::Slot;
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::decode::avro::{FRAME_BYTES, Schema, Writer, schema_id};
use crate::ingest::decode::parquet::BATCH_ROWS;
use crate::ingest::decode::record::Record;
use crate::ingest::decode::{columns, ipc, nested};
use crate::ingest::messages::{Message, Messages, Value};
use crate::ingest::summary::Counts;
use crate::ingest::text::{BYTE_ORDER_MARK, as_u64};

/// Avro messages of one schema that are decoded together.
#[derive(Default)]
struct Run<'m> {
    writer: Option<Arc<Writer>>,
    messages: Vec<Message<'m>>,
}

impl Lane<'_> {
    /// Takes messages that hold one JSON object or Avro record each, or batches as Arrow IPC.
    pub(super) fn messages(&mut self, input: usize, messages: &Messages, counts: &mut Counts) -> Result<()> {
        let mut record = Record::default();
        let mut run = Run::default();
        for message in messages.iter() {
            if message.value == Value::Whole && ipc::is_ipc(message.bytes) {
                self.batches(input, &message, counts)?;
                continue;
            }
            let checked = match self.text(&message) {
                Err(fault) => Err(fault),
                Ok(Text::Avro(writer)) => {
                    let same = run.writer.as_ref().is_some_and(|known| Arc::ptr_eq(known, &writer));
                    if !same || run.messages.len() >= BATCH_ROWS {
                        self.avro(input, std::mem::take(&mut run), counts)?;
                        run.writer = Some(writer);
                    }
                    run.messages.push(message);
                    continue;
                }
                Ok(Text::Json(text)) => {
                    self.rows_bytes += text.len();
                    record.clear();
                    self.json
                        .read(text, &self.plan.checker.layout, &mut record)
                        .and_then(|()| self.accept(&mut record, counts))
                }
            };
            self.settle(input, checked, message.offset, || message.bytes.to_vec(), counts)?;
        }
        self.avro(input, run, counts)
    }

    /// What a message holds that is no batch.
    fn text<'m>(&self, message: &Message<'m>) -> std::result::Result<Text<'m>, Fault> {
        match message.value {
            Value::None => return Err(Fault::record(reason::TOMBSTONE)),
            Value::TooLong => return Err(Fault::record(reason::RECORD_TOO_LONG)),
            Value::Whole => {}
        }
        let mut bytes = message.bytes;
        let mut other = reason::NOT_UTF8;
        if let Some(id) = schema_id(bytes) {
            match self.plan.schemas.0.get(&id) {
                Some(Schema::Avro(writer)) => return Ok(Text::Avro(Arc::clone(writer))),
                Some(Schema::Unusable(reason)) => return Err(Fault::record(reason)),
                Some(Schema::Json) => {}
                None => other = reason::NO_REGISTRY,
            }
            bytes = bytes.get(FRAME_BYTES..).unwrap_or_default();
            let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
            if other == reason::NO_REGISTRY && !is_object && !bytes.is_empty() {
                return Err(Fault::record(other));
            }
        }
        let text = std::str::from_utf8(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes))
            .map_err(|_| Fault::record(other))?;
        if text.trim_ascii().is_empty() { Err(Fault::record(reason::EMPTY)) } else { Ok(Text::Json(text)) }
    }

    /// Takes Avro messages of one schema.
    fn avro(&mut self, input: usize, run: Run<'_>, counts: &mut Counts) -> Result<()> {
        let Some(writer) = run.writer else { return Ok(()) };
        let refuse = |lane: &mut Self, at: usize, fault: Fault, counts: &mut Counts| {
            let Some(message) = run.messages.get(at) else { return Ok(()) };
            lane.settle(input, Err(fault), message.offset, || message.bytes.to_vec(), counts)
        };
        let slots = match writer.slots(&self.plan.checker.layout) {
            Ok(slots) => slots,
            Err(fault) => {
                return (0..run.messages.len()).try_for_each(|at| refuse(self, at, fault, counts));
            }
        };
        let frames: Vec<&[u8]> = run.messages.iter().map(|message| message.bytes).collect();
        let decoded = writer.read(&frames);
        for (batch, mut places) in decoded.batches {
            let Some(refused) = self.take_batch(&batch, &slots, counts)? else {
                let fault = Fault::record(reason::NOT_AVRO);
                places.try_for_each(|at| refuse(self, at, fault, counts))?;
                continue;
            };
            refused
                .into_iter()
                .try_for_each(|(row, fault)| refuse(self, places.start + row, fault, counts))?;
        }
        decoded
            .damaged
            .into_iter()
            .try_for_each(|at| refuse(self, at, Fault::record(reason::NOT_AVRO), counts))
    }

    /// Takes the rows of a message; those that are refused have its offset and become JSON.
    fn batches(&mut self, input: usize, message: &Message<'_>, counts: &mut Counts) -> Result<()> {
        let (batches, slots) = match ipc::read(message.bytes, &self.plan.checker.layout) {
            Ok(found) => found,
            Err(fault) => {
                return self.settle(input, Err(fault), message.offset, || message.bytes.to_vec(), counts);
            }
        };
        for batch in batches {
            let Some(refused) = self.take_batch(&batch, &slots, counts)? else {
                let fault = Err(Fault::record(reason::NOT_IPC));
                self.settle(input, fault, message.offset, || message.bytes.to_vec(), counts)?;
                continue;
            };
            for (row, fault) in refused {
                self.settle(input, Err(fault), message.offset, || nested::row_json(&batch, row), counts)?;
            }
        }
        Ok(())
    }

    /// Takes the good rows of a batch and returns the others; none at all where Arrow can't convert what its types
    /// promise, which is its message's fault and stops nothing.
    fn take_batch(
        &mut self,
        batch: &RecordBatch,
        slots: &[Slot],
        counts: &mut Counts,
    ) -> Result<Option<Vec<(usize, Fault)>>> {
        let Ok(checked) = columns::check(batch, slots, &self.plan.checker) else { return Ok(None) };
        let good = checked.good.as_ref();
        counts.accepted += as_u64(good.map_or(batch.num_rows(), BooleanBuffer::count_set_bits));
        self.sink.push(&checked.batch, good, &self.plan.checker.zone)?;
        Ok(Some(checked.faults.iter().collect()))
    }
}

/// A message that is one record.
enum Text<'m> {
    Json(&'m str),
    Avro(Arc<Writer>),
}
