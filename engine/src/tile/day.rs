//! A day's tiles: counts and sums per customer, orders, counts per rep, facts of life.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::columns::{batch, decimals, signed};
use super::conflict::Ids;
use super::keys::{Keys, index};
use crate::error::Result;
use crate::time::Day;

/// A day's tiles before the ids that have no key yet are given one.
#[derive(Debug)]
pub(crate) struct DayTile {
    pub(crate) day: Day,
    pub(super) customers: Vec<(u32, CustomerDay)>,
    pub(super) orders: Vec<(u32, OrderDay)>,
    /// Ids without a key: `customers` and `orders` name them by `EXTRA | position`.
    pub(super) extra: Vec<String>,
    pub(crate) reps: RecordBatch,
    pub(crate) facts: RecordBatch,
    pub(super) ids: Ids,
    pub(crate) report: DayReport,
}

/// What a day's events were.
#[derive(Debug, Clone, Copy, Default)]
pub struct DayReport {
    /// Rows read.
    pub events: u64,
    /// Copies left out.
    pub duplicates: u64,
    /// Events whose type the catalogue doesn't know (any more).
    pub unknown_types: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CustomerDay {
    pub(super) touches: i32,
    pub(super) effective: i32,
    pub(super) evidenced: i32,
    pub(super) evidence: i64,
    pub(super) last_touch: i64,
}

impl CustomerDay {
    pub(super) fn merge(&mut self, other: &Self) {
        self.touches += other.touches;
        self.effective += other.effective;
        self.evidenced += other.evidenced;
        self.evidence += other.evidence;
        self.last_touch = self.last_touch.max(other.last_touch);
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OrderDay {
    pub(super) orders: i32,
    pub(super) amount: i64,
}

/// Marks a key that is a position among the ids without a key.
pub(super) const EXTRA: u32 = 1 << 31;

impl DayTile {
    /// The ids that have no key yet.
    pub(crate) fn extra(&self) -> &[String] {
        &self.extra
    }

    /// The batches of `tile.customer_day` and `tile.order_day`, by ascending key. Every extra id must have its key.
    pub(crate) fn customer_batches(&self, keys: &Keys) -> Result<(RecordBatch, RecordBatch)> {
        let extra: Vec<u32> = self.extra.iter().map(|id| keys.get(id)).collect();
        let key_of = |key: u32| if key & EXTRA == 0 { key } else { extra[index(key & !EXTRA)] };
        let mut customers: Vec<(u32, CustomerDay)> =
            self.customers.iter().map(|&(key, tile)| (key_of(key), tile)).collect();
        customers.sort_unstable_by_key(|(key, _)| *key);
        let mut orders: Vec<(u32, OrderDay)> =
            self.orders.iter().map(|&(key, tile)| (key_of(key), tile)).collect();
        orders.sort_unstable_by_key(|(key, _)| *key);
        let ints = |values: Vec<i32>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
        let customer_columns: Vec<ArrayRef> = vec![
            ints(customers.iter().map(|(key, _)| signed(*key)).collect()),
            ints(customers.iter().map(|(_, tile)| tile.touches).collect()),
            ints(customers.iter().map(|(_, tile)| tile.effective).collect()),
            ints(customers.iter().map(|(_, tile)| tile.evidenced).collect()),
            Arc::new(Int64Array::from_iter_values(customers.iter().map(|(_, tile)| tile.evidence))),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    customers.iter().map(|(_, tile)| tile.last_touch),
                )
                .with_timezone("UTC"),
            ),
        ];
        let order_columns: Vec<ArrayRef> = vec![
            ints(orders.iter().map(|(key, _)| signed(*key)).collect()),
            ints(orders.iter().map(|(_, tile)| tile.orders).collect()),
            decimals(orders.iter().map(|(_, tile)| tile.amount)),
        ];
        Ok((batch("tile.customer_day", customer_columns)?, batch("tile.order_day", order_columns)?))
    }
}
