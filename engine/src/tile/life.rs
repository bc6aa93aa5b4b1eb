//! Lives: what must be known of all days up to a block's end, so that a run doesn't read its whole history.
//!
//! `tile.life` holds each customer's last touch and first order, `tile.order_year` the orders of the last 365 days,
//! `tile.fact_life` the facts that still matter (see [`crate::measure::facts`]). A life's source stamp chains the
//! stamps of all blocks before it: a late event anywhere makes exactly the lives after it stale.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Int32Array, RecordBatch, TimestampMicrosecondArray};

use super::source::short_hash;
use super::store::{DayTable, Tiles};
use super::{BLOCK_DAYS, batch, block_end_at_or_before, dates, signed};
use crate::error::Result;
use crate::lake::{DataFile, Encoding, Lake, NewFile, Table, hash_batches, read, write};
use crate::tile::keys::column;
use crate::time::{Day, Micros, date};
use crate::window::{CustomerSums, ORDER_LIFE, OrderHistory, OrderLife, order_history};

const NEVER: Micros = Micros::MIN;

/// What is known of every customer up to the end of a block.
#[derive(Debug)]
pub struct LifeSource {
    pub(crate) as_of: Day,
    last_touch: Vec<Micros>,
    /// The orders up to the life's day.
    pub(crate) orders: OrderHistory,
}

impl LifeSource {
    /// The last touch ever of a customer up to the life's day.
    pub(crate) fn last_touch(&self, key: usize) -> Micros {
        self.last_touch.get(key).copied().unwrap_or(NEVER)
    }

    pub(crate) fn empty(as_of: Day) -> Self {
        Self { as_of, last_touch: Vec::new(), orders: OrderHistory::default() }
    }
}

impl Tiles {
    /// The stamps of the lives at every block end up to `last`, each chained to the one before.
    pub(crate) fn chain(&self, last: Day, seed: &str) -> BTreeMap<Day, String> {
        let mut chain = BTreeMap::new();
        let Some(first) = self.days(Day::MAX).next() else { return chain };
        let mut end = block_end_at_or_before(first + BLOCK_DAYS - 1);
        let mut stamp = seed.to_owned();
        while end <= last {
            stamp = short_hash(&[&stamp, &self.block_stamp(end).unwrap_or_default()]);
            chain.insert(end, stamp.clone());
            end += BLOCK_DAYS;
        }
        chain
    }

    /// The file of a day's touches by customer.
    pub(crate) fn path_of_touches(&self, day: Day) -> Option<&Path> {
        self.path(DayTable::Customer, day).map(PathBuf::as_path)
    }

    /// The file of a day's orders.
    pub(crate) fn path_of_orders(&self, day: Day) -> Option<&Path> {
        self.path(DayTable::Order, day).map(PathBuf::as_path)
    }

    /// What is known of every customer up to `base` (a block's end): read, or rolled forward from the newest life
    /// before it and written.
    ///
    /// # Errors
    /// Where the lake can't be read or written.
    pub async fn life(&self, lake: &Lake, base: Day) -> Result<LifeSource> {
        let chain = self.chain(base, "");
        let Some(wanted) = chain.get(&base) else { return Ok(LifeSource::empty(base)) };
        let mut lives = self.ahead.table(lake, "tile.life").await?;
        let mut orders = self.ahead.table(lake, ORDER_LIFE).await?;
        let start = chain.iter().rev().find_map(|(end, stamp)| {
            Some((*end, life_file(&lives, *end, stamp)?.clone(), life_file(&orders, *end, stamp)?.clone()))
        });
        let mut life = match start {
            Some((end, file, order_file)) => {
                let path = orders.dir().join(&order_file.path);
                let orders = match self.ahead.orders.take(&path).await {
                    Some(orders) => orders,
                    None => OrderLife::read(&path)?,
                };
                load(&lives.dir().join(&file.path), orders, (self.keys.len(), end))?
            }
            None => LifeSource::empty(chain.keys().next().copied().unwrap_or(base) - BLOCK_DAYS),
        };
        if life.as_of == base {
            return Ok(life);
        }
        let history = order_history(self, (std::mem::take(&mut life.orders), life.as_of), base)?;
        let mut sums = CustomerSums::new(self.keys.len());
        for day in life.as_of + 1..=base {
            if let Some(path) = self.path(DayTable::Customer, day) {
                sums.add_file(path)?;
            }
        }
        let keys = self.keys.len();
        let last: Vec<Micros> = (0..keys).map(|key| life.last_touch(key).max(sums.last_touch[key])).collect();
        let first: Vec<Option<Day>> = (0..keys).map(|key| history.first_order(key)).collect();
        let file = write_life(&lives, base, wanted, &life_batch(&last, &first)?)?;
        let order_file = write_life(&orders, base, wanted, &history.to_batch()?)?;
        replace(&mut lives, base, file).await?;
        replace(&mut orders, base, order_file).await?;
        Ok(LifeSource { as_of: base, last_touch: last, orders: history })
    }
}

/// The file of a life with a given stamp.
pub(crate) fn life_file<'a>(table: &'a Table, end: Day, stamp: &str) -> Option<&'a DataFile> {
    let name = format!("as_of={}/tile-{stamp}-", date(end));
    table.files().iter().find(|file| file.path.starts_with(&name))
}

/// Writes a life's file.
pub(crate) fn write_life(table: &Table, end: Day, stamp: &str, batch: &RecordBatch) -> Result<NewFile> {
    let content = hash_batches(&batch.schema(), std::slice::from_ref(batch))?;
    let day = date(end).to_string();
    let path = format!("as_of={day}/tile-{stamp}-{content}.parquet");
    write(table.dir(), path, BTreeMap::from([("as_of".to_owned(), day)]), batch, Encoding::Tile)
}

/// Commits a life in place of an older one of the same day.
pub(crate) async fn replace(table: &mut Table, end: Day, file: NewFile) -> Result<()> {
    let day = date(end).to_string();
    let old: Vec<DataFile> = table
        .files()
        .iter()
        .filter(|other| other.partition_value("as_of") == day && other.path != file.path)
        .cloned()
        .collect();
    table.commit(vec![file], &old, &[]).await?;
    Ok(())
}

fn load(path: &Path, orders: OrderLife, (keys, as_of): (usize, Day)) -> Result<LifeSource> {
    let (mut last_touch, mut first_order) = (vec![NEVER; keys], vec![None; keys]);
    for batch in read(path, &[])? {
        let numbers = column::<Int32Array>(&batch, 0)?.values();
        let touches = column::<TimestampMicrosecondArray>(&batch, 1)?;
        let firsts = column::<Date32Array>(&batch, 2)?;
        for row in 0..batch.num_rows() {
            let Some(key) = usize::try_from(numbers[row]).ok().filter(|key| *key < keys) else { continue };
            if touches.is_valid(row) {
                last_touch[key] = touches.value(row);
            }
            first_order[key] = firsts.is_valid(row).then(|| firsts.value(row));
        }
    }
    Ok(LifeSource { as_of, last_touch, orders: OrderHistory::of_life(orders, first_order)? })
}

fn life_batch(last: &[Micros], first: &[Option<Day>]) -> Result<RecordBatch> {
    let rows: Vec<usize> =
        (0..last.len()).filter(|&key| last[key] != NEVER || first[key].is_some()).collect();
    let keys = rows.iter().map(|&row| signed(u32::try_from(row).unwrap_or(u32::MAX)));
    let touches: TimestampMicrosecondArray =
        rows.iter().map(|&row| (last[row] != NEVER).then(|| last[row])).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(keys)),
        Arc::new(touches.with_timezone("UTC")),
        dates(rows.iter().map(|&row| first[row])),
    ];
    batch("tile.life", columns)
}
