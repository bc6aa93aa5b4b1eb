//! A customer's orders of the last 365 days, in order, and the first ever.

use arrow::array::{Date32Array, Decimal128Array, Int32Array, RecordBatch};

use super::ORDER_DAYS;
use crate::error::Result;
use crate::lake::read;
use crate::tile::keys::column;
use crate::tile::{LifeSource, Tiles};
use crate::time::Day;

/// Days with orders per customer key, ascending, within the window; flat arrays with offsets.
#[derive(Debug, Default)]
pub struct OrderHistory {
    offsets: Vec<usize>,
    entries: Vec<OrderDay>,
    first_order: Vec<Option<Day>>,
}

/// The orders of one customer on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderDay {
    /// The day.
    pub day: Day,
    /// How many.
    pub orders: i32,
    /// Their amount, minor units.
    pub amount: i64,
}

impl OrderHistory {
    /// The days with orders of a customer, ascending.
    pub fn of(&self, key: usize) -> &[OrderDay] {
        match (self.offsets.get(key), self.offsets.get(key + 1)) {
            (Some(&start), Some(&end)) => &self.entries[start..end],
            _ => &[],
        }
    }

    /// The day of the first order ever.
    pub fn first_order(&self, key: usize) -> Option<Day> {
        self.first_order.get(key).copied().flatten()
    }
}

/// The orders of the 365 days that end with `as_of`.
///
/// # Errors
/// Where a file is damaged.
pub fn order_history(tiles: &Tiles, life: &LifeSource, as_of: Day) -> Result<OrderHistory> {
    let first = as_of - ORDER_DAYS + 1;
    let keys = tiles.keys.len();
    let mut rows: Vec<(usize, OrderDay)> = Vec::new();
    let mut first_order = life.first_orders(keys);
    if let Some(path) = life.orders() {
        for batch in read(path, &[])? {
            let days = column::<Date32Array>(&batch, 1)?;
            collect(&batch, 2, |row| days.value(row), &mut rows)?;
        }
    }
    for day in life.as_of + 1..=as_of {
        if let Some(path) = tiles.path_of_orders(day) {
            let from = rows.len();
            for batch in read(path, &[])? {
                collect(&batch, 1, |_| day, &mut rows)?;
            }
            for (key, _) in &rows[from..] {
                if let Some(slot) = first_order.get_mut(*key) {
                    *slot = slot.or(Some(day));
                }
            }
        }
    }
    rows.retain(|(key, order)| order.day >= first && order.day <= as_of && *key < keys);
    let mut offsets = vec![0_usize; keys + 1];
    for (key, _) in &rows {
        offsets[key + 1] += 1;
    }
    for key in 0..keys {
        offsets[key + 1] += offsets[key];
    }
    // Rows come in day order per customer, so a counting sort by key keeps them ascending by day.
    let mut next = offsets.clone();
    let mut entries = vec![OrderDay { day: 0, orders: 0, amount: 0 }; rows.len()];
    for (key, order) in rows {
        entries[next[key]] = order;
        next[key] += 1;
    }
    Ok(OrderHistory { offsets, entries, first_order })
}

fn collect(
    batch: &RecordBatch,
    counts: usize,
    day: impl Fn(usize) -> Day,
    rows: &mut Vec<(usize, OrderDay)>,
) -> Result<()> {
    let keys = column::<Int32Array>(batch, 0)?.values();
    let orders = column::<Int32Array>(batch, counts)?.values();
    let amounts = column::<Decimal128Array>(batch, counts + 1)?;
    rows.reserve(batch.num_rows());
    for row in 0..batch.num_rows() {
        let amount = i64::try_from(amounts.value(row)).unwrap_or(i64::MAX);
        rows.push((usize::try_from(keys[row]).unwrap_or(usize::MAX), OrderDay { day: day(row), orders: orders[row], amount }));
    }
    Ok(())
}
