//! A lane: one thread that decodes, checks and writes its share of a chunk's units.

mod messages;

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use memchr::memchr;

use super::check::reason::{self, Fault};
use super::check::rows::{Checker, Rows};
use super::dead_letter::{Letter, LetterWriter};
use super::decode::avro::Schemas;
use super::decode::columns;
use super::decode::csv::{Header, reader};
use super::decode::json::JsonReader;
use super::decode::nested::row_json;
use super::decode::parquet::{BATCH_ROWS, ParquetSource, RowRange};
use super::decode::record::Record;
use super::feed::{Unit, Work};
use super::store::{Store, Target, name_hash, split_by_day};
use super::summary::Counts;
use super::text::{Block, RECORD_BYTES_MAX, as_u64};
use crate::error::Result;
use crate::lake::NewFile;
use crate::time::{Day, Micros, Zone};

/// Bytes of records gathered before they become a batch.
const ROWS_BYTES_MAX: usize = 32 << 20;

/// What the lanes of a command share.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) checker: Checker,
    pub(crate) target: Target,
    pub(crate) letters_dir: PathBuf,
    /// By position of the input.
    pub(crate) sources: Vec<Source>,
    /// Of the messages framed by a schema registry.
    pub(crate) schemas: Schemas,
    pub(crate) ingested_at: Micros,
    /// Sets the names of this command's files apart from those of any other.
    pub(crate) seed: String,
}

/// An input as dead letters name it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// A file's path, or topic and partition.
    pub(crate) name: String,
    /// Letters before this position are in the lake already.
    pub(crate) letters: Option<i64>,
}

/// What a lane made of its share.
#[derive(Debug, Default)]
pub(crate) struct Share {
    pub(crate) files: Vec<NewFile>,
    pub(crate) letters: Option<NewFile>,
    /// Of a lane in memory: its rows by business day.
    pub(crate) rows: Vec<(Day, RecordBatch)>,
    /// By position of the input.
    pub(crate) counts: BTreeMap<usize, Counts>,
}

/// One lane over one chunk.
#[derive(Debug)]
pub(crate) struct Lane<'p> {
    plan: &'p Plan,
    json: JsonReader,
    rows: Rows,
    /// Bytes of the records in `rows`.
    rows_bytes: usize,
    sink: Sink,
    counts: BTreeMap<usize, Counts>,
}

/// Where a lane's records go.
#[derive(Debug)]
enum Sink {
    /// Data files, and the refused ones into another.
    Files(Box<Store>, Box<LetterWriter>),
    /// Batches by business day; the refused ones are only counted.
    Memory(Vec<(Day, RecordBatch)>),
}

impl Sink {
    /// Takes rows of one business day.
    fn put(&mut self, day: Day, batch: RecordBatch) -> Result<()> {
        match self {
            Self::Files(store, _) => store.put(day, batch),
            Self::Memory(batches) => {
                batches.push((day, batch));
                Ok(())
            }
        }
    }

    /// Takes the good rows of a batch.
    fn push(&mut self, batch: &RecordBatch, good: Option<&BooleanBuffer>, zone: &Zone) -> Result<()> {
        match self {
            Self::Files(store, _) => store.push(batch, good),
            Self::Memory(batches) => {
                batches.extend(split_by_day(batch, Some(zone), good)?);
                Ok(())
            }
        }
    }
}

impl<'p> Lane<'p> {
    /// A lane whose first unit is `first`.
    ///
    /// # Errors
    /// As [`LetterWriter::new`].
    pub(crate) fn new(plan: &'p Plan, lane: usize, first: &Unit) -> Result<Self> {
        let name = plan.sources.get(first.input).map_or("", |source| source.name.as_str());
        let seed = format!("{}|{name}|{}|{lane}", plan.seed, first.work.start());
        let letters_name = format!("part-{}.parquet", name_hash(&format!("{seed}|letters")));
        plan.target.made.note(plan.letters_dir.join(&letters_name));
        let stream = plan.checker.layout.stream;
        let store = Store::new(plan.target.clone(), seed);
        let letters = LetterWriter::new(plan.letters_dir.clone(), letters_name, stream, plan.ingested_at)?;
        Ok(Self::into_sink(plan, Sink::Files(Box::new(store), Box::new(letters))))
    }

    /// A lane that writes nothing.
    pub(crate) fn in_memory(plan: &'p Plan) -> Self {
        Self::into_sink(plan, Sink::Memory(Vec::new()))
    }

    fn into_sink(plan: &'p Plan, sink: Sink) -> Self {
        Self {
            plan,
            json: JsonReader::new(&plan.checker.layout),
            rows: Rows::default(),
            rows_bytes: 0,
            sink,
            counts: BTreeMap::new(),
        }
    }

    /// Takes a unit.
    ///
    /// # Errors
    /// [`crate::EngineError::Input`] for a damaged file; as [`crate::lake::FileWriter`].
    pub(crate) fn take(&mut self, unit: Unit) -> Result<()> {
        let mut counts = self.counts.remove(&unit.input).unwrap_or_default();
        match unit.work {
            Work::Ndjson(block) => self.ndjson(unit.input, &block, &mut counts)?,
            Work::Csv(block, header) => self.csv(unit.input, &block, &header, &mut counts)?,
            Work::Parquet(source, range) => self.parquet(unit.input, &source, range, &mut counts)?,
            Work::Messages(messages) => self.messages(unit.input, &messages, &mut counts)?,
        }
        self.counts.insert(unit.input, counts);
        Ok(())
    }

    /// Ends the files.
    ///
    /// # Errors
    /// As [`crate::lake::FileWriter`].
    pub(crate) fn finish(mut self) -> Result<Share> {
        self.flush()?;
        let counts = self.counts;
        match self.sink {
            Sink::Files(store, letters) => {
                Ok(Share { files: store.finish()?, letters: letters.finish()?, rows: Vec::new(), counts })
            }
            Sink::Memory(rows) => Ok(Share { rows, counts, ..Share::default() }),
        }
    }

    fn flush(&mut self) -> Result<()> {
        if self.rows.len() == 0 {
            return Ok(());
        }
        self.rows_bytes = 0;
        let batches = self.rows.finish(&self.plan.checker.layout)?;
        batches.into_iter().try_for_each(|(day, batch)| self.sink.put(day, batch))
    }

    fn ndjson(&mut self, input: usize, block: &Block, counts: &mut Counts) -> Result<()> {
        let whole = std::str::from_utf8(&block.bytes).ok();
        let mut record = Record::default();
        let mut at = 0;
        while at < block.bytes.len() {
            let end = memchr(b'\n', &block.bytes[at..]).map_or(block.bytes.len(), |step| at + step);
            let bytes = &block.bytes[at..end];
            let line = whole.map_or_else(|| std::str::from_utf8(bytes), |text| Ok(&text[at..end]));
            let position = block.start + as_u64(at);
            at = end + 1;
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            let checked = match line {
                _ if block.oversized || bytes.len() > RECORD_BYTES_MAX => {
                    Err(Fault::record(reason::RECORD_TOO_LONG))
                }
                Err(_) => Err(Fault::record(reason::NOT_UTF8)),
                Ok(line) => {
                    self.rows_bytes += line.len();
                    record.clear();
                    self.json
                        .read(line, &self.plan.checker.layout, &mut record)
                        .and_then(|()| self.accept(&mut record, counts))
                }
            };
            self.settle(input, checked, position, || bytes.to_vec(), counts)?;
        }
        Ok(())
    }

    fn csv(&mut self, input: usize, block: &Block, header: &Header, counts: &mut Counts) -> Result<()> {
        if block.oversized {
            let fault = Err(Fault::record(reason::RECORD_TOO_LONG));
            return self.settle(input, fault, block.start, || block.bytes.clone(), counts);
        }
        let mut rows = reader(&block.bytes);
        let mut row = csv::ByteRecord::new();
        // A block of whole records in memory has nothing left that could fail.
        while rows.read_byte_record(&mut row).unwrap_or(false) {
            let (start, raw) = csv_record(&block.bytes, row.position(), rows.position());
            self.rows_bytes += raw.len();
            let mut record = Record::default();
            let checked = header.fill(&row, &mut record).and_then(|()| self.accept(&mut record, counts));
            self.settle(input, checked, block.start + as_u64(start), || raw.to_vec(), counts)?;
        }
        Ok(())
    }

    fn accept(&mut self, record: &mut Record<'_>, counts: &mut Counts) -> std::result::Result<(), Fault> {
        let ignores = self.plan.checker.layout.attributes.is_none() && !record.pairs.is_empty();
        let names: Vec<String> =
            if ignores { record.pairs.iter().map(|pair| pair.key.to_string()).collect() } else { Vec::new() };
        self.rows.push(record, &self.plan.checker)?;
        for name in names {
            counts.note_ignored(&name, 1);
        }
        Ok(())
    }

    /// Counts a record; a refused one becomes a letter, unless it is one already.
    fn settle(
        &mut self,
        input: usize,
        checked: std::result::Result<(), Fault>,
        position: u64,
        raw: impl FnOnce() -> Vec<u8>,
        counts: &mut Counts,
    ) -> Result<()> {
        let Err(fault) = checked else {
            counts.accepted += 1;
            let full = self.rows.len() >= BATCH_ROWS || self.rows_bytes >= ROWS_BYTES_MAX;
            return if full { self.flush() } else { Ok(()) };
        };
        let layout = &self.plan.checker.layout;
        let field = fault.column.map(|column| layout.name(column));
        counts.reject(field.unwrap_or_default(), fault.reason);
        let Sink::Files(_, letters) = &mut self.sink else { return Ok(()) };
        let Some(source) = self.plan.sources.get(input) else { return Ok(()) };
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        if source.letters.is_some_and(|known| position < known) {
            return Ok(());
        }
        let raw = raw();
        let letter = Letter { source: &source.name, position, field, reason: fault.reason, raw: &raw };
        letters.push(letter)
    }

    fn parquet(
        &mut self,
        input: usize,
        source: &ParquetSource,
        range: RowRange,
        counts: &mut Counts,
    ) -> Result<()> {
        for name in &source.ignored {
            counts.note_ignored(name, range.rows);
        }
        source.read(range, |batch, first| {
            let checked = columns::check(&batch, &source.slots, &self.plan.checker)?;
            for (row, fault) in checked.faults.iter() {
                self.settle(input, Err(fault), first + as_u64(row), || row_json(&batch, row), counts)?;
            }
            let good = checked.good.as_ref();
            counts.accepted += as_u64(good.map_or(batch.num_rows(), BooleanBuffer::count_set_bits));
            self.sink.push(&checked.batch, good, &self.plan.checker.zone)
        })
    }
}

/// Where a CSV record begins in its block, and its bytes without the line ends around it.
fn csv_record<'b>(block: &'b [u8], start: Option<&csv::Position>, end: &csv::Position) -> (usize, &'b [u8]) {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(block.len());
    let (start, end) = (place(start.map_or(0, csv::Position::byte)), place(end.byte()));
    let line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let bytes = block.get(start..end).unwrap_or_default();
    let lead = bytes.iter().take_while(|byte| line_end(byte)).count();
    let trail = bytes[lead..].iter().rev().take_while(|byte| line_end(byte)).count();
    (start + lead, &bytes[lead..bytes.len() - trail])
}
