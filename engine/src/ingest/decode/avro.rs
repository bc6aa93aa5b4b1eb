//! Avro: messages framed by a schema registry (a zero, the number of a schema, the record), decoded many at a time.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow_avro::reader::{Decoder, ReaderBuilder};
use arrow_avro::schema::{AvroSchema, Fingerprint, FingerprintAlgorithm, SchemaStore};
use serde_json::Value;

use super::types::fits;
use crate::ingest::check::layout::{Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

/// Bytes of a registry's frame: a zero and the number of a schema, big-endian.
pub(crate) const FRAME_BYTES: usize = 5;

/// The number of a message's schema, where it is framed.
pub(crate) fn schema_id(bytes: &[u8]) -> Option<u32> {
    let frame = bytes.get(..FRAME_BYTES).filter(|frame| frame.first() == Some(&0))?;
    frame.get(1..)?.try_into().ok().map(u32::from_be_bytes)
}

/// What a registry said of the schemas that messages name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Schemas(pub(crate) BTreeMap<u32, Schema>);

/// What messages of one schema are.
#[derive(Debug, Clone)]
pub(crate) enum Schema {
    /// Avro.
    Avro(Arc<Writer>),
    /// JSON after the frame.
    Json,
    /// Nothing that can be read.
    Unusable(&'static str),
}

/// A schema that messages were written with.
#[derive(Debug)]
pub(crate) struct Writer {
    store: SchemaStore,
    fingerprint: Fingerprint,
}

/// What a run of messages came to.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    /// Batches, each with the part of the run that its rows come from, one each.
    pub(crate) batches: Vec<(RecordBatch, Range<usize>)>,
    /// The positions of the damaged ones.
    pub(crate) damaged: Vec<usize>,
}

impl Writer {
    /// The schema `text` that the registry calls `id`.
    ///
    /// # Errors
    /// Where it isn't Avro, or has what Arrow has no type for.
    pub(crate) fn new(id: u32, text: &str) -> Result<Self, ArrowError> {
        let schema =
            serde_json::from_str(text).map_or_else(|_| text.to_owned(), |json| plain(json).to_string());
        let mut store = SchemaStore::new_with_type(FingerprintAlgorithm::Id);
        let fingerprint = store.set(Fingerprint::Id(id), AvroSchema::new(schema))?;
        let writer = Self { store, fingerprint };
        writer.decoder(1).map(|_| writer)
    }

    fn decoder(&self, rows: usize) -> Result<Decoder, ArrowError> {
        ReaderBuilder::new()
            .with_writer_schema_store(self.store.clone())
            .with_active_fingerprint(self.fingerprint)
            .with_batch_size(rows)
            .build_decoder()
    }

    /// Where the columns go, or why no message of this schema can be a record.
    ///
    /// # Errors
    /// The first column that is missing, there twice, or of a type that can't be converted.
    pub(crate) fn slots(&self, layout: &Layout) -> Result<Vec<Slot>, Fault> {
        let decoder = self.decoder(1).map_err(|_| Fault::record(reason::UNUSABLE_SCHEMA))?;
        let schema = decoder.schema();
        fits(&schema, layout)?;
        Ok(schema.fields().iter().map(|field| layout.slot(field.name())).collect())
    }

    /// Decodes framed messages of this schema.
    ///
    /// A decoder that has met damaged bytes is left with half a record, so what it had before them is decoded again by
    /// a fresh one: every message is decoded twice at most. Text that is not UTF-8 is found out only when a batch is
    /// made; whose it is, by halves.
    pub(crate) fn read(&self, run: &[&[u8]]) -> Decoded {
        let mut decoded = Decoded::default();
        let mut left = Vec::from([Range { start: 0, end: run.len() }]);
        while let Some(range) = left.pop() {
            let Some(part) = run.get(range.clone()).filter(|part| !part.is_empty()) else { continue };
            let Whole { count, batch } = self.whole(part);
            if let Some(batch) = batch.filter(|batch| batch.num_rows() == part.len()) {
                decoded.batches.push((batch, range));
            } else if count < part.len() {
                let at = range.start + count;
                decoded.damaged.push(at);
                left.push(at + 1..range.end);
                left.push(range.start..at);
            } else if let [_] = part {
                decoded.damaged.push(range.start);
            } else {
                let middle = range.start + part.len() / 2;
                left.push(middle..range.end);
                left.push(range.start..middle);
            }
        }
        decoded
    }

    /// Decodes messages up to the first damaged one; a batch only where none is.
    fn whole(&self, run: &[&[u8]]) -> Whole {
        let mut count = 0;
        // The decoder checks what it reads, but trusts some lengths.
        let batch = catch_unwind(AssertUnwindSafe(|| {
            let mut decoder = self.decoder(run.len()).ok()?;
            for frame in run {
                let left = decoder.capacity();
                let read = decoder.decode(frame).ok()?;
                if read != frame.len() || decoder.capacity() + 1 != left {
                    return None;
                }
                count += 1;
            }
            decoder.flush().ok().flatten()
        }));
        Whole { count, batch: batch.ok().flatten() }
    }
}

/// A run decoded as far as it is sound.
struct Whole {
    count: usize,
    batch: Option<RecordBatch>,
}

/// A schema without what the contract has no use for: ids that are declared as UUIDs stay text.
fn plain(schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) => {
            let is = |name: &str, text: &str| fields.get(name).and_then(Value::as_str) == Some(text);
            if is("type", "string") && is("logicalType", "uuid") {
                fields.remove("logicalType");
            }
            Value::Object(fields.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
