//! Rep tiles merged: over any span of days, and over whole months.

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

impl Tiles {
    /// The day of each rep's first deal in whole months, each given by its first and last day; merged tiles of months are
    /// made where they are missing.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn first_deals(
        &self,
        lake: &Lake,
        months: &[(Day, Day)],
    ) -> Result<FxHashMap<String, Day>> {
        let mut table = self.ahead.table(lake, "tile.rep_month").await?;
        let mut found: FxHashMap<String, Day> = FxHashMap::default();
        for &(first, last) in months {
            let stamps: Vec<&str> = (first..=last).map(|day| self.stamp(day)).collect();
            if stamps.iter().all(|stamp| stamp.is_empty()) {
                continue;
            }
            let stamp = short_hash(&stamps);
            if life_file(&table, last, &stamp).is_none() {
                let tile = self.reps(&[(first, last)])?.pop().unwrap_or_default();
                let batch = tile.into_batch(&tables::spec("tile.rep_month")?.file_schema())?;
                let file = write_life(&table, last, &stamp, &batch)?;
                replace(&mut table, last, file).await?;
            }
            let Some(file) = life_file(&table, last, &stamp) else { continue };
            for batch in read(&table.dir().join(&file.path), &["rep_id", "first_deal"])? {
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

    /// The reps' tiles of several spans of days, each merged; every day's file is read once.
    ///
    /// # Errors
    /// Where a file is damaged.
    pub fn reps(&self, spans: &[(Day, Day)]) -> Result<Vec<RepTile>> {
        let within = |day: Day, span: &(Day, Day)| (span.0..=span.1).contains(&day);
        let mut files = self.files(DayTable::Rep);
        files.retain(|(day, _)| spans.iter().any(|span| within(*day, span)));
        let share = files.len().div_ceil(rayon::current_num_threads()).max(1);
        let parts: Vec<Vec<RepTile>> = files
            .par_chunks(share)
            .map(|files| {
                let mut tiles = vec![RepTile::default(); spans.len()];
                for (day, path) in files {
                    for batch in read(path, &[])? {
                        for (span, tile) in spans.iter().zip(&mut tiles) {
                            if within(*day, span) {
                                tile.merge_batch(&batch)?;
                            }
                        }
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
