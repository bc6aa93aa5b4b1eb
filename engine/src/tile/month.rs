//! Months of rep tiles: the history that a prediction looks back on, one file a month.

use std::collections::BTreeMap;

use super::life::{life_file, replace, write_life};
use super::rep::RepTile;
use super::source::short_hash;
use super::store::Tiles;
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
}
