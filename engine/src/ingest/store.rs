//! The store: checked batches become data files, one per chunk and lane, for behaviour one per business day as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, BooleanArray, BooleanBufferBuilder, RecordBatch, UInt32Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{filter_record_batch, take_record_batch};
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};

use super::check::layout::behaviour::EVENT_TIME;
use crate::error::{EngineError, Result};
use crate::lake::{Encoding, FileWriter, NewFile};
use crate::time::{Day, Zone, date};

/// Rows of a day that are gathered before they are encoded.
const GATHERED_ROWS: usize = 65_536;
/// Bytes gathered over all days of a lane before all are encoded.
const GATHERED_BYTES_MAX: usize = 192 << 20;
/// Files open in one lane.
const OPEN_FILES_MAX: usize = 64;
/// Encoded bytes held by the open files of a lane.
const ENCODED_BYTES_MAX: usize = 256 << 20;
/// A day's rows are filtered where they are at least one in so many of a batch.
const SHARE_FILTERED: usize = 8;

/// The paths of files made for a chunk, for removal where the chunk fails.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made(Arc<Mutex<Vec<PathBuf>>>);

impl Made {
    /// Notes a file.
    pub(crate) fn note(&self, path: PathBuf) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Forgets the files noted: they are whole.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Removes the files noted; those that can't be removed are left for `lake maintain`.
    pub(crate) fn remove(&self) {
        for path in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::debug!(path = %path.display(), %error, "an uncommitted file stays");
            }
        }
    }
}

/// Where and as what files are written.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) dir: PathBuf,
    pub(crate) schema: SchemaRef,
    /// Days of events; none for a table that isn't partitioned.
    pub(crate) zone: Option<Zone>,
    pub(crate) made: Made,
}

/// Writes the batches of one lane and chunk.
#[derive(Debug)]
pub(crate) struct Store {
    target: Target,
    /// What the names of the files are hashed from: source, place, lane.
    seed: String,
    slots: BTreeMap<Day, Slot>,
    gathered_bytes: usize,
    finished: Vec<NewFile>,
}

#[derive(Debug, Default)]
struct Slot {
    gathered: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    writer: Option<FileWriter>,
}

impl Store {
    /// An empty store. `seed` must differ from that of any other store that ever wrote to the table.
    pub(crate) fn new(target: Target, seed: String) -> Self {
        Self { target, seed, slots: BTreeMap::new(), gathered_bytes: 0, finished: Vec::new() }
    }

    /// Takes the good rows of a batch of the table's columns; all where none are named.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn push(&mut self, batch: &RecordBatch, good: Option<&BooleanBuffer>) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let bytes = batch.get_array_memory_size() / batch.num_rows();
        for (day, part) in split_by_day(batch, self.target.zone.as_ref(), good)? {
            let bytes = bytes * part.num_rows();
            self.gather(day, part, bytes)?;
        }
        Ok(())
    }

    /// Takes rows of one business day, with the table's columns; day 0 for a table that isn't partitioned.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn put(&mut self, day: Day, batch: RecordBatch) -> Result<()> {
        let bytes = batch.get_array_memory_size();
        self.gather(day, batch, bytes)
    }

    fn gather(&mut self, day: Day, batch: RecordBatch, bytes: usize) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let slot = self.slots.entry(day).or_default();
        slot.rows += batch.num_rows();
        slot.bytes += bytes;
        slot.gathered.push(batch);
        self.gathered_bytes += bytes;
        if slot.rows >= GATHERED_ROWS {
            self.encode(day)
        } else if self.gathered_bytes > GATHERED_BYTES_MAX {
            let days: Vec<Day> = self.slots.keys().copied().collect();
            days.into_iter().try_for_each(|day| self.encode(day))
        } else {
            Ok(())
        }
    }

    /// Writes what was gathered for a day into its file.
    fn encode(&mut self, day: Day) -> Result<()> {
        let Some(mut slot) = self.slots.remove(&day) else { return Ok(()) };
        if slot.gathered.is_empty() {
            self.slots.insert(day, slot);
            return Ok(());
        }
        let mut writer = if let Some(writer) = slot.writer.take() {
            writer
        } else {
            self.limit_open_files()?;
            self.create(day)?
        };
        for batch in slot.gathered.drain(..) {
            writer.write(&batch)?;
        }
        self.gathered_bytes = self.gathered_bytes.saturating_sub(slot.bytes);
        (slot.rows, slot.bytes) = (0, 0);
        slot.writer = Some(writer);
        self.slots.insert(day, slot);
        self.limit_encoded_bytes()
    }

    fn create(&self, day: Day) -> Result<FileWriter> {
        let name =
            format!("part-{}.parquet", name_hash(&format!("{}|{day}|{}", self.seed, self.finished.len())));
        let (path, partition) = if self.target.zone.is_some() {
            let value = date(day).to_string();
            (format!("event_date={value}/{name}"), BTreeMap::from([("event_date".to_owned(), value)]))
        } else {
            (name, BTreeMap::new())
        };
        self.target.made.note(self.target.dir.join(&path));
        FileWriter::create(&self.target.dir, path, partition, &self.target.schema, Encoding::Raw)
    }

    fn limit_open_files(&mut self) -> Result<()> {
        let open = self.slots.values().filter(|slot| slot.writer.is_some()).count();
        if open >= OPEN_FILES_MAX { self.finish_largest() } else { Ok(()) }
    }

    fn limit_encoded_bytes(&mut self) -> Result<()> {
        let held = |slot: &Slot| slot.writer.as_ref().map_or(0, FileWriter::buffered_bytes);
        if self.slots.values().map(held).sum::<usize>() > ENCODED_BYTES_MAX {
            self.finish_largest()
        } else {
            Ok(())
        }
    }

    fn finish_largest(&mut self) -> Result<()> {
        let largest = self
            .slots
            .values_mut()
            .filter(|slot| slot.writer.is_some())
            .max_by_key(|slot| slot.writer.as_ref().map_or(0, FileWriter::buffered_bytes));
        if let Some(writer) = largest.and_then(|slot| slot.writer.take()) {
            self.finished.push(writer.finish()?);
        }
        Ok(())
    }

    /// Ends and syncs every file.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn finish(mut self) -> Result<Vec<NewFile>> {
        let days: Vec<Day> = self.slots.keys().copied().collect();
        for day in days {
            self.encode(day)?;
            if let Some(writer) = self.slots.remove(&day).and_then(|slot| slot.writer) {
                self.finished.push(writer.finish()?);
            }
        }
        Ok(self.finished)
    }
}

/// 16 hex digits.
pub(crate) fn name_hash(seed: &str) -> String {
    blake3::hash(seed.as_bytes()).to_hex()[..16].to_owned()
}

/// The good rows of each business day; all of day 0 without a zone.
pub(crate) fn split_by_day(
    batch: &RecordBatch,
    zone: Option<&Zone>,
    good: Option<&BooleanBuffer>,
) -> Result<Vec<(Day, RecordBatch)>> {
    let days = match zone {
        Some(zone) => days_of(batch, zone),
        None => vec![0; batch.num_rows()],
    };
    let runs = by_day(&runs(&days));
    runs.into_iter().map(|(day, runs)| Ok((day, rows_of(batch, &runs, good)?))).collect()
}

/// The business day of every row.
fn days_of(batch: &RecordBatch, zone: &Zone) -> Vec<Day> {
    let times = batch.column(EVENT_TIME).as_primitive::<TimestampMicrosecondType>();
    let mut day = 0;
    let mut known = 0..0;
    let mut days = Vec::with_capacity(times.len());
    for at in times.values() {
        if !known.contains(at) {
            day = zone.day(*at);
            known = zone.start(day)..zone.end(day);
        }
        days.push(day);
    }
    days
}

/// A stretch of rows of one day.
#[derive(Debug, Clone, Copy)]
struct Run {
    day: Day,
    start: usize,
    rows: usize,
}

/// The stretches of equal days.
fn runs(days: &[Day]) -> Vec<Run> {
    let mut next = 0;
    days.chunk_by(|a, b| a == b)
        .map(|run| {
            let start = next;
            next += run.len();
            Run { day: days[start], start, rows: run.len() }
        })
        .collect()
}

/// Each day's stretches, in their order.
fn by_day(runs: &[Run]) -> BTreeMap<Day, Vec<Run>> {
    let mut days: BTreeMap<Day, Vec<Run>> = BTreeMap::new();
    for run in runs {
        days.entry(run.day).or_default().push(*run);
    }
    days
}

/// The good rows of some stretches: what is most of a batch is filtered, single rows are picked.
fn rows_of(batch: &RecordBatch, runs: &[Run], good: Option<&BooleanBuffer>) -> Result<RecordBatch> {
    if let ([run], None) = (runs, good) {
        return Ok(batch.slice(run.start, run.rows));
    }
    let rows: usize = runs.iter().map(|run| run.rows).sum();
    if rows * SHARE_FILTERED < batch.num_rows() {
        let is_good = |row: &usize| good.is_none_or(|good| good.value(*row));
        let rows = runs.iter().flat_map(|run| run.start..run.start + run.rows).filter(is_good);
        let rows: UInt32Array = rows.filter_map(|row| u32::try_from(row).ok()).map(Some).collect();
        return take_record_batch(batch, &rows).map_err(EngineError::arrow("picking a day's rows"));
    }
    let mut mask = BooleanBufferBuilder::new(batch.num_rows());
    for run in runs {
        mask.append_n(run.start - mask.len(), false);
        mask.append_n(run.rows, true);
    }
    mask.append_n(batch.num_rows() - mask.len(), false);
    let mask = mask.finish();
    let mask = good.map_or_else(|| mask.clone(), |good| &mask & good);
    filter_record_batch(batch, &BooleanArray::new(mask, None))
        .map_err(EngineError::arrow("filtering a day's rows"))
}
