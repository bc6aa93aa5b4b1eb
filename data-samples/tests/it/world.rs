//! A world written to a temporary folder, and how its files are read back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use data_samples::{Dirt, Format, Scale, Summary, generate};
use serde_json::Value;
use tempfile::TempDir;

/// A small world with enough dirt to see every kind, unless a test says otherwise.
pub(crate) fn small() -> Scale {
    Scale {
        seed: 11,
        reps: 20,
        customers: 300,
        days: 12,
        events_per_day: 400,
        market_history_days: 10,
        dirt: Dirt {
            duplicates: 0.02,
            conflicts: 0.01,
            reused_ids: 0.01,
            late: 0.03,
            bad: 0.02,
            future: 0.01,
            unknown_entities: 0.02,
            ..Dirt::default()
        },
        ..Scale::default()
    }
}

/// A world on disk.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) summary: Summary,
}

impl World {
    pub(crate) fn new(scale: &Scale, format: Format) -> Self {
        let folder = TempDir::new().unwrap();
        let summary = generate(scale, folder.path(), format, &mut |_| {}).unwrap();
        Self { folder, summary }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The behaviour files in the order of their days.
    pub(crate) fn behaviour_files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path().join("behaviour")).unwrap();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    /// The rows of an NDJSON file.
    pub(crate) fn rows(&self, name: &str) -> Vec<Value> {
        read(&self.path().join(name)).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder, by its relative path.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

pub(crate) fn text<'a>(row: &'a Value, field: &str) -> Option<&'a str> {
    row.get(field).and_then(Value::as_str)
}

/// A decimal of two places in minor units.
pub(crate) fn minor(decimal: &str) -> i64 {
    let (whole, cents) = decimal.split_once('.').unwrap();
    assert_eq!(cents.len(), 2, "{decimal}");
    whole.parse::<i64>().unwrap() * 100 + cents.parse::<i64>().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "counts and cents stay far below 2^53")]
pub(crate) fn real(n: i64) -> f64 {
    n as f64
}
