//! The store: checked batches become data files, one per chunk and lane, for behaviour one per business day as well.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
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
/// Runs of equal days up to which a batch is sliced rather than sorted.
const RUNS_MAX: usize = 32;

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

    /// Takes a batch of the table's columns.
    ///
    /// # Errors
    /// As [`FileWriter`].
    pub(crate) fn push(&mut self, batch: RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let Some(zone) = &self.target.zone else {
            let bytes = batch.get_array_memory_size();
            return self.put(0, batch, bytes);
        };
        let days = days_of(&batch, zone);
        let runs: Vec<(usize, usize)> = runs(&days);
        let bytes = batch.get_array_memory_size() / batch.num_rows();
        if let [(_, rows)] = runs[..] {
            return self.put(days[0], batch, bytes * rows);
        }
        if runs.len() <= RUNS_MAX {
            return runs
                .into_iter()
                .try_for_each(|(start, rows)| self.put(days[start], batch.slice(start, rows), bytes * rows));
        }
        let mut order: Vec<u32> = (0..).take(days.len()).collect();
        let day = |row: &u32| usize::try_from(*row).ok().and_then(|row| days.get(row).copied());
        order.sort_by_key(day);
        let sorted_days: Vec<Day> = order.iter().filter_map(day).collect();
        let sorted = take_record_batch(&batch, &UInt32Array::from(order))
            .map_err(EngineError::arrow("sorting rows by day"))?;
        self::runs(&sorted_days).into_iter().try_for_each(|(start, rows)| {
            self.put(sorted_days[start], sorted.slice(start, rows), bytes * rows)
        })
    }

    fn put(&mut self, day: Day, batch: RecordBatch, bytes: usize) -> Result<()> {
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

/// Stretches of equal days: start and number of rows.
fn runs(days: &[Day]) -> Vec<(usize, usize)> {
    let mut start = 0;
    days.chunk_by(|a, b| a == b)
        .map(|run| {
            let first = start;
            start += run.len();
            (first, run.len())
        })
        .collect()
}
