//! Messages of a topic instead of records of a file: the same decoding, checks and files, one position a message.

use std::collections::BTreeMap;

use super::check::layout::Layout;
use super::chunk::share;
use super::decode::avro::{Schemas, schema_id};
use super::feed::{Unit, Work};
use super::lane::Source;
use super::store::Made;
use super::summary::Counts;
use super::text::{KEPT_BYTES, RECORD_BYTES_MAX, as_u64};
use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::error::Result;
use crate::lake::{Lake, NewFile};
use crate::time::Micros;

/// Bytes of one block of messages: the work that a lane is dealt at a time.
const BLOCK_BYTES: usize = 2 << 20;
/// Bytes that a message costs beside its own.
pub(crate) const MARK_BYTES: usize = size_of::<Mark>();

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// No value at all.
    None,
    /// All of its value.
    Whole,
    /// The head of a value that is longer than a record may be.
    TooLong,
}

/// One message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message<'m> {
    pub(crate) offset: u64,
    pub(crate) value: Value,
    pub(crate) bytes: &'m [u8],
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    offset: u64,
    end: usize,
    value: Value,
}

/// Messages of one partition of a topic, in their order.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
}

impl Messages {
    /// Appends a message; of one that is too long its head.
    pub(crate) fn push(&mut self, offset: u64, value: Option<&[u8]>) {
        let (bytes, value) = match value {
            None => (&[][..], Value::None),
            Some(bytes) if bytes.len() > RECORD_BYTES_MAX => (&bytes[..KEPT_BYTES], Value::TooLong),
            Some(bytes) => (bytes, Value::Whole),
        };
        self.bytes.extend_from_slice(bytes);
        self.marks.push(Mark { offset, end: self.bytes.len(), value });
    }

    /// Whether the next message belongs into another block.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= BLOCK_BYTES || self.marks.len() * MARK_BYTES >= BLOCK_BYTES
    }

    /// How many.
    pub(crate) fn len(&self) -> u64 {
        as_u64(self.marks.len())
    }

    /// The first one's offset.
    pub(super) fn start(&self) -> u64 {
        self.marks.first().map_or(0, |mark| mark.offset)
    }

    /// The numbers of the schemas that messages name, those of no registry included.
    pub(crate) fn schema_ids(&self) -> impl Iterator<Item = u32> {
        self.iter().filter_map(|message| schema_id(message.bytes))
    }

    /// One after the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = Message<'_>> {
        let mut start = 0;
        self.marks.iter().map(move |mark| {
            let bytes = self.bytes.get(start..mark.end).unwrap_or_default();
            start = mark.end;
            Message { offset: mark.offset, value: mark.value, bytes }
        })
    }
}

/// Messages of one partition, to be taken in.
#[derive(Debug)]
pub(crate) struct Part {
    /// Topic and partition, as dead letters name them.
    pub(crate) name: String,
    /// Letters before this offset are in the lake already.
    pub(crate) letters: Option<i64>,
    pub(crate) blocks: Vec<Messages>,
}

/// What messages became: files on disk that no commit names yet.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) files: Vec<NewFile>,
    pub(crate) letters: Vec<NewFile>,
    /// By position of the part.
    pub(crate) counts: BTreeMap<usize, Counts>,
    made: Made,
}

impl Taken {
    /// Removes the files: nobody will commit them.
    pub(crate) fn remove(&self) {
        self.made.remove();
    }
}

/// How messages of one stream are taken in.
#[derive(Debug)]
pub(crate) struct Taking<'t> {
    pub(crate) lake: &'t Lake,
    pub(crate) rules: &'t Catalogue,
    pub(crate) stream: Stream,
    /// Events more than 24 hours after it are refused, and dead letters bear it.
    pub(crate) now: Micros,
    /// Sets the names of these files apart from those of any others.
    pub(crate) seed: String,
    /// Threads that decode and write.
    pub(crate) lanes: usize,
    /// What the schema registry says, where there is one.
    pub(crate) schemas: Schemas,
}

/// Decodes, checks and writes messages. Where it fails, its files are removed.
///
/// # Errors
/// As [`crate::lake::FileWriter`].
pub(crate) fn take(taking: &Taking<'_>, parts: Vec<Part>) -> Result<Taken> {
    let layout = Layout::of(taking.stream);
    let source = |part: &Part| Source { name: part.name.clone(), letters: part.letters };
    let sources = parts.iter().map(source).collect();
    let plan = super::plan(
        taking.lake,
        taking.rules,
        layout,
        sources,
        taking.now,
        taking.seed.clone(),
        taking.schemas.clone(),
    )?;
    let units = parts.into_iter().enumerate().flat_map(|(input, part)| {
        part.blocks.into_iter().map(move |block| Unit { input, work: Work::Messages(block) })
    });
    let shares = share(&plan, taking.lanes.max(1), |senders| {
        for (unit, sender) in units.zip(senders.iter().cycle()) {
            // A lane that is gone has failed, and says why when it is joined.
            if sender.send(unit).is_err() {
                break;
            }
        }
        Ok(())
    });
    let mut taken = Taken { made: plan.target.made.clone(), ..Taken::default() };
    let shares = shares.inspect_err(|_| taken.remove())?;
    for share in shares {
        taken.files.extend(share.files);
        taken.letters.extend(share.letters);
        for (part, counts) in share.counts {
            taken.counts.entry(part).or_default().add(&counts);
        }
    }
    Ok(taken)
}
