//! Blocks: eight aligned days of customer tiles merged into one, so that a window reads few files.
//!
//! ```text
//! days    … 7 | 8 9 10 11 12 13 14 15 | 16 17 18 19 20 21 22 23 | 24 25 …
//! window        10 ─────────────────────────────────────────────── 25   = days 10…15, block 23, days 24, 25
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::source::short_hash;
use super::store::{DayTable, Tiles};
use crate::error::Result;
use crate::lake::{Encoding, Lake, NewFile, hash_batches, write};
use crate::time::{Day, date};
use crate::window::CustomerSums;

/// Days of a block.
pub(crate) const BLOCK_DAYS: Day = 8;

/// A part of a window: one day, or the block that ends with a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Day(Day),
    Block(Day),
}

/// The last day of the newest block that ends at or before `day`.
pub(crate) fn block_end_at_or_before(day: Day) -> Day {
    (day + 1).div_euclid(BLOCK_DAYS) * BLOCK_DAYS - 1
}

/// The days `first..=last` as whole blocks and single days, in order.
pub(crate) fn spans(first: Day, last: Day) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut day = first;
    while day <= last {
        let end = day + BLOCK_DAYS - 1;
        if day.rem_euclid(BLOCK_DAYS) == 0 && end <= last {
            spans.push(Span::Block(end));
            day = end + 1;
        } else {
            spans.push(Span::Day(day));
            day += 1;
        }
    }
    spans
}

impl Tiles {
    /// The stamp of the block that ends with `end`; `None` where none of its days has events.
    pub(super) fn block_stamp(&self, end: Day) -> Option<String> {
        let stamps: Vec<&str> = (end - BLOCK_DAYS + 1..=end).map(|day| self.stamp(day)).collect();
        stamps.iter().any(|stamp| !stamp.is_empty()).then(|| short_hash(&stamps))
    }

    /// The customer tiles of a window: one file per day or block, blocks made where they are missing.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn customer_paths(&self, lake: &Lake, spans: &[Span]) -> Result<BTreeMap<Day, PathBuf>> {
        let mut table = self.ahead.table(lake, "tile.customer_block").await?;
        let mut missing = Vec::new();
        let mut paths = BTreeMap::new();
        for span in spans {
            match *span {
                Span::Day(day) => {
                    if let Some(path) = self.path(DayTable::Customer, day) {
                        paths.insert(day, path.clone());
                    }
                }
                Span::Block(end) => {
                    let Some(stamp) = self.block_stamp(end) else { continue };
                    let name = format!("as_of={}/tile-{stamp}-", date(end));
                    match table.files().iter().find(|file| file.path.starts_with(&name)) {
                        Some(file) => {
                            paths.insert(end, table.dir().join(&file.path));
                        }
                        None => missing.push((end, name)),
                    }
                }
            }
        }
        if missing.is_empty() {
            return Ok(paths);
        }
        let built: Vec<(Day, NewFile)> = missing
            .par_iter()
            .map(|(end, name)| {
                let mut sums = CustomerSums::new(self.keys.len());
                for day in end - BLOCK_DAYS + 1..=*end {
                    if let Some(path) = self.path(DayTable::Customer, day) {
                        sums.add_file(path)?;
                    }
                }
                let batch = sums.into_batch()?;
                let content = hash_batches(&batch.schema(), std::slice::from_ref(&batch))?;
                let partition = BTreeMap::from([("as_of".to_owned(), date(*end).to_string())]);
                let path = format!("{name}{content}.parquet");
                Ok((*end, write(table.dir(), path, partition, &batch, Encoding::Tile)?))
            })
            .collect::<Result<_>>()?;
        let days: Vec<String> = built.iter().map(|(end, _)| date(*end).to_string()).collect();
        let old: Vec<_> = table
            .files()
            .iter()
            .filter(|file| days.iter().any(|day| day == file.partition_value("as_of")))
            .cloned()
            .collect();
        for (end, file) in &built {
            paths.insert(*end, table.dir().join(&file.path));
        }
        table.commit(built.into_iter().map(|(_, file)| file).collect(), &old, &[]).await?;
        Ok(paths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_cover_every_day_once() {
        for first in -20..20 {
            for length in 0..40 {
                let last = first + length - 1;
                let mut covered = Vec::new();
                for span in spans(first, last) {
                    match span {
                        Span::Day(day) => covered.push(day),
                        Span::Block(end) => covered.extend(end - BLOCK_DAYS + 1..=end),
                    }
                }
                assert_eq!(covered, (first..=last).collect::<Vec<_>>());
            }
        }
        assert_eq!(block_end_at_or_before(15), 15);
        assert_eq!(block_end_at_or_before(14), 7);
        assert_eq!(block_end_at_or_before(-1), -1);
    }
}
