//! The models of a lake: what `ops.model` tells of them, and which one is in use for a day.
//!
//! `ops.model` is a log. A model that was fitted has an entry; each time it comes into use or is taken back has another,
//! with the same details. The model itself is a file of its own, named after its content.
//!
//! ```text
//! sequence  name  model_id  status
//! 1         lead  aa…       in_use       ── in use
//! 2         lead  bb…       rejected        (no better)
//! 3         lead  cc…       in_use       ── in use for days from its as_of on; aa… for those before
//! 4         lead  cc…       taken_back   ── aa… again
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Date32Type, Field, Int64Type, TimestampMicrosecondType};

use super::tables::{long, maybe_text, text};
use super::{Encoding, Job, Lake, Table, read, write, write_atomically};
use crate::contract::{required, timestamp};
use crate::error::{EngineError, Result};
use crate::time::{Day, Micros};

/// What an entry says of its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Fitted, and not better by enough.
    Rejected,
    /// Came into use.
    InUse,
    /// Was in use, and is no longer.
    TakenBack,
}

impl Status {
    /// The word in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::InUse => "in_use",
            Self::TakenBack => "taken_back",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Rejected, Self::InUse, Self::TakenBack].into_iter().find(|status| status.as_str() == word)
    }
}

/// One row of `ops.model`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place in the log, from 1.
    pub sequence: i64,
    /// The hash of the model's file.
    pub model_id: String,
    /// What it is a model of.
    pub name: String,
    /// What happened.
    pub status: Status,
    /// The day whose end it was fitted from.
    pub as_of: Day,
    /// When the entry was made.
    pub recorded_at: Micros,
    /// The seed of its draws.
    pub seed: i64,
    /// JSON: `inputs`, `features`, `parameters`, `metrics`, `calibration`, in this order.
    pub details: [String; 5],
    /// Why it was promoted or not, or who took it back.
    pub reason: String,
    /// The program that made the entry.
    pub program: String,
}

const DETAILS: [&str; 5] = ["inputs", "features", "parameters", "metrics", "calibration"];

pub(super) fn fields() -> Vec<Field> {
    let mut fields = vec![
        long("sequence"),
        text("model_id"),
        text("name"),
        text("status"),
        required("as_of", DataType::Date32),
        required("recorded_at", timestamp()),
        long("seed"),
    ];
    fields.extend(DETAILS.map(text));
    fields.extend([maybe_text("reason"), text("program")]);
    fields
}

/// All entries, in order.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// By ascending sequence.
    pub entries: Vec<Entry>,
    /// The table's version; −1 where there is none.
    pub version: i64,
}

impl Log {
    /// Reads the log of a lake.
    ///
    /// # Errors
    /// Where a file is missing or damaged.
    pub async fn load(lake: &Lake) -> Result<Self> {
        let table = lake.table("ops.model").await?;
        let mut entries = Vec::new();
        for file in table.files() {
            for batch in read(&table.dir().join(&file.path), &[])? {
                entries.extend(entries_of(&batch)?);
            }
        }
        entries.sort_by_key(|entry: &Entry| entry.sequence);
        Ok(Self { entries, version: table.version() })
    }

    /// The models of a name that are in use, each for the days from its own on that no later one covers: the newest last.
    pub fn in_use(&self, name: &str) -> Vec<&Entry> {
        let mut stack: Vec<&Entry> = Vec::new();
        for entry in self.entries.iter().filter(|entry| entry.name == name) {
            match entry.status {
                Status::InUse => stack.push(entry),
                Status::TakenBack => {
                    if let Some(at) = stack.iter().rposition(|known| known.model_id == entry.model_id) {
                        stack.remove(at);
                    }
                }
                Status::Rejected => {}
            }
        }
        stack
    }

    /// The model of a name for a day: the one promoted last of those fitted from that day or an earlier one.
    pub fn for_day(&self, name: &str, day: Day) -> Option<&Entry> {
        self.in_use(name).into_iter().rfind(|entry| entry.as_of <= day)
    }

    /// The entries of the model whose id begins so.
    ///
    /// # Errors
    /// [`EngineError::Input`] where there is none, or several.
    pub fn find(&self, id: &str) -> Result<Vec<&Entry>> {
        let begins = |entry: &&Entry| !id.is_empty() && entry.model_id.starts_with(id);
        let found: Vec<&Entry> = self.entries.iter().filter(begins).collect();
        let wrong = |message: String| Err(EngineError::Input(message));
        match found.first() {
            None => wrong(format!("there is no model {id}; `tideline model list` lists them")),
            Some(first) if found.iter().any(|entry| entry.model_id != first.model_id) => {
                wrong(format!("several models begin with {id}; give more of the id"))
            }
            Some(_) => Ok(found),
        }
    }
}

impl Lake {
    /// The file of a model.
    pub fn model_path(&self, model_id: &str) -> PathBuf {
        self.root().join("_tideline/model").join(format!("{model_id}.json"))
    }

    /// Records entries, in their order and after all that are there; each gets its sequence. The files of models that
    /// are not on disk yet are written and synced before.
    ///
    /// # Errors
    /// [`EngineError::Busy`] where another process records; where the lake can't be written.
    pub async fn record_models(&self, entries: Vec<Entry>, files: &BTreeMap<String, Vec<u8>>) -> Result<()> {
        let _lock = self.lock(Job::Model)?;
        for (model_id, bytes) in files {
            write_atomically(&self.model_path(model_id), bytes)?;
        }
        let known = Log::load(self).await?;
        let last = known.entries.last().map_or(0, |entry| entry.sequence);
        let entries: Vec<Entry> = entries
            .into_iter()
            .zip(last + 1..)
            .map(|(entry, sequence)| Entry { sequence, ..entry })
            .collect();
        let mut table = self.table("ops.model").await?;
        let batch = batch(&table, &entries)?;
        let name = format!("model-{:06}.parquet", last + 1);
        let file = write(table.dir(), name, BTreeMap::new(), &batch, Encoding::Mart)?;
        table.commit(vec![file], &[], &[]).await?;
        Ok(())
    }
}

fn batch(table: &Table, entries: &[Entry]) -> Result<RecordBatch> {
    let texts = |of: &dyn Fn(&Entry) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(entries.iter().map(of)))
    };
    let longs = |of: fn(&Entry) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(entries.iter().map(of)))
    };
    let times = TimestampMicrosecondArray::from_iter_values(entries.iter().map(|entry| entry.recorded_at));
    let mut columns = vec![
        longs(|entry| entry.sequence),
        texts(&|entry| entry.model_id.clone()),
        texts(&|entry| entry.name.clone()),
        texts(&|entry| entry.status.as_str().to_owned()),
        Arc::new(Date32Array::from_iter_values(entries.iter().map(|entry| entry.as_of))),
        Arc::new(times.with_timezone("UTC")),
        longs(|entry| entry.seed),
    ];
    columns.extend((0..DETAILS.len()).map(|detail| texts(&|entry| entry.details[detail].clone())));
    columns.extend([texts(&|entry| entry.reason.clone()), texts(&|entry| entry.program.clone())]);
    RecordBatch::try_new(table.spec().file_schema(), columns)
        .map_err(EngineError::arrow("building ops.model"))
}

fn entries_of(batch: &RecordBatch) -> Result<Vec<Entry>> {
    let wrong = |column: &str| {
        EngineError::Lake(format!("ops.model has no column {column} of the type that this program writes"))
    };
    let column = |name: &str| batch.column_by_name(name).ok_or_else(|| wrong(name));
    let texts = |name: &str| column(name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name));
    let longs = |name: &str| column(name)?.as_primitive_opt::<Int64Type>().ok_or_else(|| wrong(name));
    let (sequences, seeds) = (longs("sequence")?, longs("seed")?);
    let (ids, names, statuses) = (texts("model_id")?, texts("name")?, texts("status")?);
    let days = column("as_of")?.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong("as_of"))?;
    let times = column("recorded_at")?
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| wrong("recorded_at"))?;
    let details: Vec<&StringArray> = DETAILS.iter().map(|name| texts(name)).collect::<Result<_>>()?;
    let (reasons, programs) = (texts("reason")?, texts("program")?);
    (0..batch.num_rows())
        .map(|row| {
            let status = Status::parse(statuses.value(row)).ok_or_else(|| {
                EngineError::Lake(format!("ops.model has the unknown status '{}'", statuses.value(row)))
            })?;
            Ok(Entry {
                sequence: sequences.value(row),
                model_id: ids.value(row).to_owned(),
                name: names.value(row).to_owned(),
                status,
                as_of: days.value(row),
                recorded_at: times.value(row),
                seed: seeds.value(row),
                details: std::array::from_fn(|detail| details[detail].value(row).to_owned()),
                reason: if reasons.is_valid(row) { reasons.value(row).to_owned() } else { String::new() },
                program: programs.value(row).to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: i64, id: &str, status: Status, as_of: Day) -> Entry {
        Entry {
            sequence,
            model_id: id.to_owned(),
            name: "lead".to_owned(),
            status,
            as_of,
            recorded_at: sequence,
            seed: 0,
            details: Default::default(),
            reason: String::new(),
            program: String::new(),
        }
    }

    #[test]
    fn the_log_says_which_model_a_day_has() {
        let log = Log {
            entries: vec![
                entry(1, "aa", Status::InUse, 10),
                entry(2, "bb", Status::Rejected, 15),
                entry(3, "cc", Status::InUse, 20),
            ],
            version: 0,
        };
        let of = |log: &Log, day| log.for_day("lead", day).map(|entry| entry.model_id.clone());
        let found: Vec<_> = [9, 10, 19, 20, 30].map(|day| of(&log, day)).into_iter().collect();
        let expected = [None, Some("aa"), Some("aa"), Some("cc"), Some("cc")];
        assert_eq!(found, expected.map(|id| id.map(str::to_owned)));
        let mut back = log.clone();
        back.entries.push(entry(4, "cc", Status::TakenBack, 20));
        assert_eq!(of(&back, 30), Some("aa".to_owned()));
        // A model may come into use again, also after a later one.
        back.entries.push(entry(5, "cc", Status::InUse, 20));
        assert_eq!(of(&back, 30), Some("cc".to_owned()));
        assert_eq!(log.for_day("win", 30), None);
        assert_eq!(log.find("b").unwrap().len(), 1);
        assert!(log.find("x").is_err() && log.find("").is_err());
    }
}
