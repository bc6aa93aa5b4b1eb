//! Rep tiles merged: over any span of days, and over whole months, the history that a prediction looks back on.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::life::{life_file, replace, write_life};
use super::rep::RepTile;
use super::source::short_hash;
use super::store::{DayTable, Tiles};
use crate::error::Result;
use crate::lake::{Lake, read, tables};
use crate::time::Day;

impl Tiles {
    /// The merged rep tiles of whole months, each given by its first and last day; made where they are missing.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn rep_months(
        &self,
        lake: &Lake,
        months: &[(Day, Day)],
    ) -> Result<BTreeMap<Day, RepTile>> {
        let mut table = lake.table("tile.rep_month").await?;
        let mut merged = BTreeMap::new();
        for &(first, last) in months {
            let stamps: Vec<&str> = (first..=last).map(|day| self.stamp(day)).collect();
            if stamps.iter().all(|stamp| stamp.is_empty()) {
                merged.insert(first, RepTile::default());
                continue;
            }
            let stamp = short_hash(&stamps);
            if let Some(file) = life_file(&table, last, &stamp) {
                let mut tile = RepTile::default();
                for batch in read(&table.dir().join(&file.path), &[])? {
                    tile.merge_batch(&batch)?;
                }
                merged.insert(first, tile);
                continue;
            }
            let tile = self.reps(&[(first, last)])?.pop().unwrap_or_default();
            let batch = tile.clone().into_batch(&tables::spec("tile.rep_month")?.file_schema())?;
            let file = write_life(&table, last, &stamp, &batch)?;
            replace(&mut table, last, file).await?;
            merged.insert(first, tile);
        }
        Ok(merged)
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
