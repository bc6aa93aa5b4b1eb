//! Which days' tiles are stale, and their rebuilding.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rayon::prelude::*;

use super::ahead::{Ahead, MERGED_TABLES};
use super::build::{Made, build};
use super::conflict::HASH_BYTES;
use super::day::DayTile;
use super::keys::{Keys, NO_KEY};
use super::rule::Rules;
use super::source::{Source, short_hash, source_stamps};
use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::lake::{DataFile, Encoding, Lake, NewFile, Table, hash_batches, write};
use crate::time::{Day, date, day_number};

/// Days built at once, and committed together: so many at most, and up to so many bytes of raw files.
const DAYS_AT_ONCE: usize = 64;
const BYTES_AT_ONCE: u64 = 256 << 20;
/// Ids that one thread looks up at once.
const CHUNK_IDS: usize = 8_192;

/// The tables of day tiles, in the order in which their files are listed.
pub(super) const DAY_TABLES: [&str; 5] =
    ["tile.customer_day", "tile.order_day", "tile.rep_day", "tile.fact_day", "tile.id_day"];

/// The tiles of a lake, fresh up to a day.
#[derive(Debug)]
pub struct Tiles {
    /// The customer dictionary.
    pub keys: Keys,
    keys_table: Table,
    tables: [Table; DAY_TABLES.len()],
    /// Per day: its files, and the stamp of their content.
    days: BTreeMap<Day, DayFiles>,
    pub(super) ahead: Ahead,
}

#[derive(Debug, Clone)]
struct DayFiles {
    source: String,
    content: String,
    paths: [PathBuf; DAY_TABLES.len()],
    /// Events, each once, as the size of their ids' hashes tells; a few too many for the file's own parts.
    events: u64,
}

/// What freshening the tiles did.
#[derive(Debug, Clone, Default)]
pub struct TileReport {
    /// Days with raw events, up to the day asked for.
    pub days: usize,
    /// Days rebuilt.
    pub rebuilt: usize,
    /// Rows read for that.
    pub events: u64,
    /// Copies left out.
    pub duplicates: u64,
    /// Events whose type the catalogue doesn't know.
    pub unknown_types: u64,
    /// Event ids that came with the rows read and lie on two days: how many, by the two days.
    pub conflicts: BTreeMap<(Day, Day), u64>,
    /// The first and last day rebuilt.
    pub span: Option<(Day, Day)>,
}

/// Rebuilds the tiles of every stale day up to `through`, giving the ids of `customers` keys first. `tiles`: those of the
/// lake, just opened.
///
/// # Errors
/// Where the lake can't be read or written, or another process commits tiles at the same time.
pub async fn ensure(
    mut tiles: Tiles,
    raw: &Table,
    catalogue: &Catalogue,
    through: Day,
    customers: impl Iterator<Item = &str>,
    mut progress: impl FnMut(usize, usize),
) -> Result<(Tiles, TileReport)> {
    let ids: Vec<&str> = customers.collect();
    let keys = &tiles.keys;
    let known: Vec<u32> =
        ids.par_chunks(CHUNK_IDS).flat_map_iter(|ids| keys.get_all(ids.iter().copied())).collect();
    for (id, _) in ids.iter().zip(known).filter(|(_, key)| *key == NO_KEY) {
        tiles.keys.insert(id);
    }
    let wanted = source_stamps(raw, catalogue, through)?;
    let stale: Vec<(Day, &Source)> = wanted
        .iter()
        .filter(|(day, source)| tiles.days.get(day).is_none_or(|files| files.source != source.stamp()))
        .map(|(day, source)| (*day, source))
        .collect();
    let mut report = TileReport {
        days: wanted.len(),
        rebuilt: stale.len(),
        span: stale.first().zip(stale.last()).map(|(first, last)| (first.0, last.0)),
        ..TileReport::default()
    };
    let rules = Rules::new(catalogue);
    let mut left = &stale[..];
    while !left.is_empty() {
        progress(stale.len() - left.len(), stale.len());
        let (some, rest) = left.split_at(days_at_once(left));
        left = rest;
        let keys = &tiles.keys;
        let built: Vec<DayTile> = some
            .par_iter()
            .map(|(day, source)| build(*day, &source.paths, tiles.made(*day, source), &rules, keys))
            .collect::<Result<_>>()?;
        for tile in &built {
            report.events += tile.report.events;
            report.duplicates += tile.report.duplicates;
            report.unknown_types += tile.report.unknown_types;
            tile.extra().iter().for_each(|id| {
                tiles.keys.insert(id);
            });
        }
        tiles.commit(&built, some).await?;
        tiles.conflicts(&built, &mut report.conflicts)?;
    }
    tiles.commit_keys().await?;
    Ok((tiles, report))
}

/// How many of the days to build together, at least one.
fn days_at_once(days: &[(Day, &Source)]) -> usize {
    let mut bytes = 0;
    let fits = days.iter().take(DAYS_AT_ONCE).take_while(|(_, source)| {
        bytes += source.bytes;
        bytes <= BYTES_AT_ONCE
    });
    fits.count().max(1)
}

/// Reads the value of a date partition.
pub(crate) fn parse_day(text: &str) -> Result<Day> {
    text.parse::<chrono::NaiveDate>()
        .map(day_number)
        .map_err(|_| EngineError::Lake(format!("the lake has a partition with the date '{text}'")))
}

impl Tiles {
    /// Opens the tiles that a lake has, fresh or not; for a run as of a day, what that will want of them is read while
    /// cores are idle.
    ///
    /// # Errors
    /// Where the lake can't be read.
    pub(crate) async fn open(lake: &Lake, run: Option<(Day, &Catalogue)>) -> Result<Self> {
        let names = [&DAY_TABLES[..], &["tile.customer_key"], &MERGED_TABLES].concat();
        let mut opened = lake.open_tables(&names).await?;
        let merged = opened.split_off(DAY_TABLES.len() + 1);
        let ahead = Ahead::new(merged, run);
        let wrong = || EngineError::Lake("the tile tables can't be opened".to_owned());
        let keys_table = opened.pop().ok_or_else(wrong)?;
        let tables: [Table; DAY_TABLES.len()] = opened.try_into().map_err(|_| wrong())?;
        let keys = Keys::load(&keys_table)?;
        let mut tiles = Self { keys, keys_table, tables, days: BTreeMap::new(), ahead };
        tiles.index()?;
        Ok(tiles)
    }

    /// Lists the days whose files are all there and made of the same source.
    fn index(&mut self) -> Result<()> {
        self.days.clear();
        let mut found: BTreeMap<Day, [Option<&DataFile>; DAY_TABLES.len()]> = BTreeMap::new();
        for (position, table) in self.tables.iter().enumerate() {
            for file in table.files() {
                found.entry(parse_day(file.partition_value("event_date"))?).or_default()[position] =
                    Some(file);
            }
        }
        for (day, files) in found {
            let files: Vec<&DataFile> = files.into_iter().flatten().collect();
            let stamps: Vec<(&str, &str)> =
                files.iter().filter_map(|file| file.stem().strip_prefix("tile-")?.split_once('-')).collect();
            let sources: BTreeSet<&str> = stamps.iter().map(|(source, _)| *source).collect();
            if stamps.len() != DAY_TABLES.len() || sources.len() != 1 {
                continue;
            }
            let contents: Vec<&str> = stamps.iter().map(|(_, content)| *content).collect();
            let entry = DayFiles {
                source: stamps[0].0.to_owned(),
                content: short_hash(&contents),
                paths: std::array::from_fn(|table| self.tables[table].dir().join(&files[table].path)),
                events: files[DayTable::Id as usize].size / HASH_BYTES as u64,
            };
            self.days.insert(day, entry);
        }
        Ok(())
    }

    async fn commit(&mut self, built: &[DayTile], sources: &[(Day, &Source)]) -> Result<()> {
        self.commit_keys().await?;
        let keys = &self.keys;
        let tables = &self.tables;
        let new: Vec<Vec<NewFile>> = built
            .par_iter()
            .zip(sources)
            .map(|(tile, (_, source))| {
                let (customers, orders) = tile.customer_batches(keys)?;
                let ids = tile.ids.to_batch()?;
                let batches = [&customers, &orders, &tile.reps, &tile.facts, &ids];
                let files = tables.iter().zip(batches);
                files.map(|(table, batch)| write_day(table, tile.day, source.stamp(), batch)).collect()
            })
            .collect::<Result<_>>()?;
        let mut per_table: [Vec<NewFile>; DAY_TABLES.len()] = Default::default();
        for files in new {
            for (list, file) in per_table.iter_mut().zip(files) {
                list.push(file);
            }
        }
        let days: BTreeSet<String> = built.iter().map(|tile| date(tile.day).to_string()).collect();
        let commits = self.tables.iter_mut().zip(per_table).map(|(table, files)| {
            let days = &days;
            async move {
                let fresh: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
                let old: Vec<DataFile> = table
                    .files()
                    .iter()
                    .filter(|file| days.contains(file.partition_value("event_date")))
                    .filter(|file| !fresh.contains(file.path.as_str()))
                    .cloned()
                    .collect();
                table.commit(files, &old, &[]).await
            }
        });
        futures::future::try_join_all(commits).await?;
        self.index()
    }

    async fn commit_keys(&mut self) -> Result<()> {
        if let Some(file) = self.keys.write_new(&self.keys_table)? {
            self.keys_table.commit(vec![file], &[], &[]).await?;
            self.keys.set_stored();
        }
        Ok(())
    }

    /// The tiles of a stale day, if they were made of its raw files but the last to arrive.
    fn made(&self, day: Day, source: &Source) -> Option<Made<'_>> {
        let files = self.days.get(&day)?;
        let position = source.stamps.iter().position(|stamp| *stamp == files.source)?;
        Some(Made { tiles: &files.paths, files: position + 1 })
    }

    /// Forgets the tiles of a day and all after it: what these hold is not asked for.
    pub(crate) fn forget_from(&mut self, day: Day) {
        self.days.split_off(&day);
    }

    /// The days that have tiles, up to and with `through`.
    pub fn days(&self, through: Day) -> impl Iterator<Item = Day> + '_ {
        self.days.range(..=through).map(|(day, _)| *day)
    }

    /// The stamp of a day's content; empty for a day without events.
    pub(super) fn stamp(&self, day: Day) -> &str {
        self.days.get(&day).map_or("", |files| files.content.as_str())
    }

    /// The days that have tiles, and their files in one of [`DAY_TABLES`].
    pub(super) fn files(&self, table: DayTable) -> Vec<(Day, &PathBuf)> {
        self.days.iter().map(|(day, files)| (*day, &files.paths[table as usize])).collect()
    }

    /// How many events a day has, each counted once.
    pub(super) fn events(&self, day: Day) -> u64 {
        self.days.get(&day).map_or(0, |files| files.events)
    }

    /// The file of a day in one of [`DAY_TABLES`].
    pub(crate) fn path(&self, table: DayTable, day: Day) -> Option<&PathBuf> {
        self.days.get(&day).map(|files| &files.paths[table as usize])
    }
}

/// The position of a table in [`DAY_TABLES`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum DayTable {
    Customer = 0,
    Order = 1,
    Rep = 2,
    Fact = 3,
    Id = 4,
}

fn write_day(table: &Table, day: Day, source: &str, batch: &arrow::array::RecordBatch) -> Result<NewFile> {
    let content = hash_batches(&table.spec().file_schema(), std::slice::from_ref(batch))?;
    let day = date(day).to_string();
    let path = format!("event_date={day}/tile-{source}-{content}.parquet");
    let partition = BTreeMap::from([("event_date".to_owned(), day)]);
    write(table.dir(), path, partition, batch, Encoding::Tile)
}
