//! The life of leads, opportunities and facts: what of all days up to a block's end still matters for the days after
//! it.

use std::path::PathBuf;

use super::life::{life_file, replace, write_life};
use super::source::short_hash;
use super::store::{DayTable, Tiles};
use super::{BLOCK_DAYS, block_end_at_or_before};
use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::lake::{Lake, Table, read};
use crate::measure::facts::{Facts, Lives};
use crate::measure::firsts::Firsts;
use crate::time::Day;

/// Changed whenever a life of facts is written otherwise from the same tiles.
const LIFE_FORMAT: &str = "5";
const FIRSTS: &str = "tile.first_life";

/// What a run's facts are read from.
#[derive(Debug)]
pub(crate) struct FactSource {
    /// Those of the life, see [`Lives::TABLES`].
    pub(crate) facts: Facts,
    /// Which firsts had come true up to the life's day.
    pub(crate) firsts: Firsts,
    /// The tiles of the days after it.
    pub(crate) days: Vec<(Day, PathBuf)>,
}

impl Tiles {
    /// The facts that matter as of `as_of`: the newest life before it, rolled on to the last block's end and written
    /// where it is older, and the days since.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub(crate) async fn facts(&self, lake: &Lake, catalogue: &Catalogue, as_of: Day) -> Result<FactSource> {
        let base = block_end_at_or_before(as_of - 1);
        let chain = self.chain(base, &short_hash(&[catalogue.hash(), LIFE_FORMAT]));
        let mut tables = Vec::with_capacity(Lives::TABLES.len() + 1);
        for name in Lives::TABLES.into_iter().chain([FIRSTS]) {
            tables.push(self.ahead.table(lake, name).await?);
        }
        let start = chain.iter().rev().find_map(|(end, stamp)| {
            let file = |table: &Table| Some(table.dir().join(&life_file(table, *end, stamp)?.path));
            let files: Vec<PathBuf> = tables.iter().map(file).collect::<Option<_>>()?;
            Some((*end, <[PathBuf; 4]>::try_from(files).ok()?))
        });
        let (mut from, mut facts, mut firsts) = match start {
            Some((end, [facts, leads, deals, firsts])) => {
                let lives = [facts, leads, deals];
                let facts = match self.ahead.facts.take(&lives).await {
                    Some(facts) => facts,
                    None => Facts::read(Some(Lives::read(&lives)?), &[], catalogue)?,
                };
                (end, facts, Firsts::read(&read(&firsts, &[])?, &self.keys)?)
            }
            None => (Day::MIN, Facts::default(), Firsts::default()),
        };
        let Some(stamp) = chain.get(&base).filter(|_| from < base) else {
            return Ok(FactSource { facts, firsts, days: self.fact_days(from, as_of) });
        };
        let mut life = None;
        // Block by block, so that a long history needs no more memory than a short one.
        for end in chain.range(from.saturating_add(BLOCK_DAYS)..).map(|(end, _)| *end) {
            facts.read_days(&self.fact_days(from, end), catalogue)?;
            firsts.note(catalogue, &self.keys, facts.of_customers());
            let pruned = {
                let known = firsts.known(catalogue, &self.keys, &facts.customers);
                facts.pruned(catalogue, end, lake.zone().end(end), &known)?
            };
            facts = Facts::read(Some(pruned.clone()), &[], catalogue)?;
            (life, from) = (Some(pruned), end);
        }
        let firsts_rows = firsts.to_batch()?;
        let batches = life.iter().flat_map(Lives::batches).chain([&firsts_rows]);
        for (table, rows) in tables.iter_mut().zip(batches) {
            let file = write_life(table, base, stamp, rows)?;
            replace(table, base, file).await?;
        }
        Ok(FactSource { facts, firsts, days: self.fact_days(base, as_of) })
    }

    /// The fact tiles of the days after `from`, up to `to`.
    pub(crate) fn fact_days(&self, from: Day, to: Day) -> Vec<(Day, PathBuf)> {
        let days = self.days(to).filter(|day| *day > from);
        days.filter_map(|day| Some((day, self.path(DayTable::Fact, day)?.clone()))).collect()
    }
}
