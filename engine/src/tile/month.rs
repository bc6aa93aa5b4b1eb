//! Rep tiles merged: over any span of days, and over whole months.

use std::collections::BTreeMap;
use std::path::PathBuf;

use arrow::array::{Date32Array, StringArray};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::keys::column;
use super::life::{life_file, replace, write_life};
use super::rep::RepTile;
use super::source::short_hash;
use super::store::{DayTable, Tiles};
use crate::error::Result;
use crate::lake::{Lake, read, tables};
use crate::time::Day;

/// Merged tiles of whole months: first and last day, and the file.
#[derive(Debug, Default)]
pub(crate) struct RepMonths(Vec<(Day, Day, PathBuf)>);

impl RepMonths {
    /// The day of each rep's first deal in these months.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub(crate) fn first_deals(&self) -> Result<FxHashMap<String, Day>> {
        let mut found: FxHashMap<String, Day> = FxHashMap::default();
        for (.., path) in &self.0 {
            for batch in read(path, &["rep_id", "first_deal"])? {
                let (reps, days) = (column::<StringArray>(&batch, 0)?, column::<Date32Array>(&batch, 1)?);
                for (rep, day) in reps.iter().zip(days).filter_map(|(rep, day)| rep.zip(day)) {
                    match found.get_mut(rep) {
                        Some(first) => *first = day.min(*first),
                        None => drop(found.insert(rep.to_owned(), day)),
                    }
                }
            }
        }
        Ok(found)
    }
}

impl Tiles {
    /// The merged tiles of whole months that have events, each given by its first and last day; made where they are
    /// missing.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn rep_months(&self, lake: &Lake, months: &[(Day, Day)]) -> Result<RepMonths> {
        let mut table = self.ahead.table(lake, "tile.rep_month").await?;
        let mut found = Vec::new();
        for &(first, last) in months {
            let stamps: Vec<&str> = (first..=last).map(|day| self.stamp(day)).collect();
            if stamps.iter().all(|stamp| stamp.is_empty()) {
                continue;
            }
            let stamp = short_hash(&stamps);
            if life_file(&table, last, &stamp).is_none() {
                let tile = self.reps(&[(first, last)], &RepMonths::default())?.pop().unwrap_or_default();
                let batch = tile.into_batch(&tables::spec("tile.rep_month")?.file_schema())?;
                let file = write_life(&table, last, &stamp, &batch)?;
                replace(&mut table, last, file).await?;
            }
            let file = life_file(&table, last, &stamp);
            found.extend(file.map(|file| (first, last, table.dir().join(&file.path))));
        }
        Ok(RepMonths(found))
    }

    /// The reps' tiles of several spans of days, each merged: of months that lie within a span whole, and of its other
    /// days. Every file is read once.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub(crate) fn reps(&self, spans: &[(Day, Day)], months: &RepMonths) -> Result<Vec<RepTile>> {
        let days = self.files(DayTable::Rep);
        let mut wanted: BTreeMap<&PathBuf, Vec<usize>> = BTreeMap::new();
        for (span, (first, last)) in spans.iter().enumerate() {
            let whole: Vec<_> = months.0.iter().filter(|(from, to, _)| first <= from && to <= last).collect();
            let left = |day: Day| !whole.iter().any(|(from, to, _)| (*from..=*to).contains(&day));
            let days = days.iter().filter(|(day, _)| (*first..=*last).contains(day) && left(*day));
            let files = whole.iter().map(|(.., path)| path).chain(days.map(|(_, path)| *path));
            files.for_each(|path| wanted.entry(path).or_default().push(span));
        }
        let wanted: Vec<(&PathBuf, Vec<usize>)> = wanted.into_iter().collect();
        let share = wanted.len().div_ceil(rayon::current_num_threads()).max(1);
        let parts: Vec<Vec<RepTile>> = wanted
            .par_chunks(share)
            .map(|files| {
                let mut tiles = vec![RepTile::default(); spans.len()];
                for (path, spans) in files {
                    for batch in read(path, &[])? {
                        spans.iter().try_for_each(|span| tiles[*span].merge_batch(&batch))?;
                    }
                }
                Ok(tiles)
            })
            .collect::<Result<_>>()?;
        let mut merged = vec![RepTile::default(); spans.len()];
        for part in &parts {
            merged.iter_mut().zip(part).for_each(|(tile, part)| tile.merge(part));
        }
        Ok(merged)
    }
}
