//! A customer's orders of the last 365 days, in order, and the first ever.

use std::ops::RangeInclusive;

use arrow::array::{Date32Array, Decimal128Array, Int32Array, RecordBatch};

use super::ORDER_DAYS;
use crate::error::Result;
use crate::lake::read_columns;
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
    orders_within(tiles, life, as_of - ORDER_DAYS + 1..=as_of)
}

/// All orders up to and with `as_of`, from the tiles of their days.
///
/// # Errors
/// Where a file is damaged.
pub(crate) fn all_orders(tiles: &Tiles, as_of: Day) -> Result<OrderHistory> {
    let first = tiles.days(as_of).next().unwrap_or(as_of);
    orders_within(tiles, &LifeSource::empty(first - 1), first..=as_of)
}

fn orders_within(tiles: &Tiles, life: &LifeSource, window: RangeInclusive<Day>) -> Result<OrderHistory> {
    let (keys, as_of) = (tiles.keys.len(), *window.end());
    let mut first_order = life.first_orders(keys);
    // A life is ordered by customer and day, and the days after it follow: ascending by day for every customer.
    let mut files: Vec<Orders> =
        life.orders().iter().map(|batch| Orders::new(batch, None)).collect::<Result<_>>()?;
    for day in life.as_of + 1..=as_of {
        let Some(path) = tiles.path_of_orders(day) else { continue };
        read_columns(path, &[], |batch| {
            let orders = Orders::new(&batch, Some(day))?;
            let known = orders.keys.values().iter().filter_map(|key| usize::try_from(*key).ok());
            for key in known.filter(|key| *key < keys) {
                first_order[key] = first_order[key].or(Some(day));
            }
            files.push(orders);
            Ok(())
        })?;
    }
    let mut offsets = vec![0_usize; keys + 1];
    for orders in &files {
        orders.each(keys, &window, |key, _, _| offsets[key + 1] += 1);
    }
    for key in 0..keys {
        offsets[key + 1] += offsets[key];
    }
    let mut next = offsets.clone();
    let mut entries = vec![OrderDay { day: 0, orders: 0, amount: 0 }; offsets[keys]];
    for orders in &files {
        let (counts, amounts) = (orders.counts.values(), orders.amounts.values());
        orders.each(keys, &window, |key, day, row| {
            let amount = i64::try_from(amounts[row]).unwrap_or(i64::MAX);
            entries[next[key]] = OrderDay { day, orders: counts[row], amount };
            next[key] += 1;
        });
    }
    Ok(OrderHistory { offsets, entries, first_order })
}

/// Rows of a life, or of a day's orders, which have no column of days.
struct Orders {
    keys: Int32Array,
    days: Option<Date32Array>,
    day: Day,
    counts: Int32Array,
    amounts: Decimal128Array,
}

impl Orders {
    fn new(batch: &RecordBatch, day: Option<Day>) -> Result<Self> {
        let counts = if day.is_some() { 1 } else { 2 };
        let days = if day.is_some() { None } else { Some(column::<Date32Array>(batch, 1)?.clone()) };
        Ok(Self {
            keys: column::<Int32Array>(batch, 0)?.clone(),
            days,
            day: day.unwrap_or_default(),
            counts: column::<Int32Array>(batch, counts)?.clone(),
            amounts: column::<Decimal128Array>(batch, counts + 1)?.clone(),
        })
    }

    /// Calls with key, day and row of each row of a known customer within the window.
    fn each(&self, keys: usize, window: &RangeInclusive<Day>, mut call: impl FnMut(usize, Day, usize)) {
        let days = self.days.as_ref().map(|days| &days.values()[..]);
        for (row, key) in self.keys.values().iter().enumerate() {
            let day = days.map_or(self.day, |days| days[row]);
            if let Some(key) = usize::try_from(*key).ok().filter(|key| *key < keys && window.contains(&day)) {
                call(key, day, row);
            }
        }
    }
}
