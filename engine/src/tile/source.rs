//! What a day's tiles are made of: its raw files, and the stamps that stand for them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::store::parse_day;
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::lake::{DataFile, Table};
use crate::time::Day;

/// Changed whenever the kernel's output changes for the same input; part of every tile's source stamp.
const TILE_FORMAT: &str = "4";

/// The raw files of a day in order of arrival, and a stamp after each of them.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) stamps: Vec<String>,
    pub(super) paths: Vec<PathBuf>,
    /// Of all files.
    pub(super) bytes: u64,
}

impl Source {
    /// The stamp of all files.
    pub(super) fn stamp(&self) -> &str {
        self.stamps.last().map_or("", String::as_str)
    }
}

/// The sources of all days up to `through`.
pub(super) fn source_stamps(
    raw: &Table,
    catalogue: &Catalogue,
    through: Day,
) -> Result<BTreeMap<Day, Source>> {
    let mut days: BTreeMap<Day, Vec<&DataFile>> = BTreeMap::new();
    for file in raw.files() {
        let day = parse_day(file.partition_value("event_date"))?;
        if day <= through {
            days.entry(day).or_default().push(file);
        }
    }
    let source = |mut files: Vec<&DataFile>| {
        files.sort_by_key(|file| (file.modified_ms, &file.path));
        let mut sum: u64 = 0;
        let stamps = files.iter().map(|file| {
            sum = sum.wrapping_add(content_id(file));
            short_hash(&[&sum.to_string(), catalogue.hash(), TILE_FORMAT])
        });
        let stamps = stamps.collect();
        let paths = files.iter().map(|file| raw.dir().join(&file.path)).collect();
        Source { stamps, paths, bytes: files.iter().map(|file| file.size).sum() }
    };
    Ok(days.into_iter().map(|(day, files)| (day, source(files))).collect())
}

/// What a raw file holds, as a number that adds up: folding files into one keeps the sum (see `lake::maintain`).
pub(crate) fn content_id(file: &DataFile) -> u64 {
    let stem = file.stem();
    let folded = stem.strip_prefix("fold-").and_then(|rest| rest.get(..16));
    if let Some(sum) = folded.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        return sum;
    }
    let hash = blake3::hash(stem.as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

/// Sixteen hex digits that stand for the parts, in order.
pub(crate) fn short_hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
