//! A customer's orders of the last 365 days, in order, and the first ever.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use arrow::array::{Date32Array, Decimal128Array, Int32Array, RecordBatch};

use super::ORDER_DAYS;
use crate::error::{EngineError, Result};
use crate::lake::read_columns;
use crate::tile::Tiles;
use crate::tile::keys::column;
use crate::time::Day;

/// Days with orders per customer key, ascending, of the days from the first on.
#[derive(Debug, Clone, Default)]
pub struct OrderHistory {
    entries: Vec<OrderDay>,
    /// Where a key's are; what other keys once had may lie between.
    places: Vec<Range<usize>>,
    first_order: Vec<Option<Day>>,
    /// What is older is not told.
    first: Day,
}

/// The orders of one customer on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OrderDay {
    /// The day.
    pub day: Day,
    /// How many.
    pub orders: i32,
    /// Their amount, minor units.
    pub amount: i64,
}

/// Orders up to the end of a block, as the file of a life holds them.
#[derive(Debug)]
pub(crate) struct OrderLife {
    entries: Vec<OrderDay>,
    /// By ascending key.
    places: Vec<(i32, Range<usize>)>,
    path: PathBuf,
}

impl OrderLife {
    /// Reads a file of `tile.order_life`, whose rows are by ascending customer and day.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = path.metadata().map_err(EngineError::io("reading", path))?.len();
        // A row takes twelve bytes and more: there is room for what a month adds, so that nothing need be moved.
        let room = usize::try_from(bytes / 8).unwrap_or(0);
        let (mut entries, mut places) = (Vec::with_capacity(room), Vec::<(i32, Range<usize>)>::new());
        read_columns(path, &[], |batch| {
            let rows = Orders::new(&batch, 2)?;
            let days = column::<Date32Array>(&batch, 1)?.values();
            for (row, &key) in rows.keys.values().iter().enumerate() {
                let end = entries.len();
                entries.push(rows.of(row, days[row]));
                match places.last_mut() {
                    Some((last, place)) if *last == key => place.end = end + 1,
                    _ => places.push((key, end..end + 1)),
                }
            }
            Ok(())
        })?;
        Ok(Self { entries, places, path: path.to_owned() })
    }

    /// With the first order ever of every customer key.
    ///
    /// # Errors
    /// Where the file names customers that have no key, or not in their order.
    pub(crate) fn with_first_orders(self, first_order: Vec<Option<Day>>) -> Result<OrderHistory> {
        let Self { entries, places: found, path } = self;
        let mut places = vec![0..0; first_order.len()];
        if !found.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(damaged(&path, "its customers are not in order"));
        }
        for (key, place) in found {
            let known = usize::try_from(key).ok().and_then(|key| places.get_mut(key));
            *known.ok_or_else(|| damaged(&path, "it names a customer without a key"))? = place;
        }
        Ok(OrderHistory { entries, places, first_order, first: Day::MIN })
    }
}

fn damaged(path: &Path, how: &str) -> EngineError {
    EngineError::Lake(format!(
        "{} is damaged: {how}; remove the folder tile and run `tideline daily` again: tiles are rebuilt from raw events",
        path.display()
    ))
}

impl OrderHistory {
    /// The days with orders of a customer, ascending.
    pub fn of(&self, key: usize) -> &[OrderDay] {
        let days = self.places.get(key).and_then(|place| self.entries.get(place.clone())).unwrap_or_default();
        let past = days.iter().take_while(|order| order.day < self.first).count();
        &days[past..]
    }

    /// The day of the first order ever.
    pub fn first_order(&self, key: usize) -> Option<Day> {
        self.first_order.get(key).copied().flatten()
    }

    /// Goes on by the days of `window`, which are later than all before it, and tells of none earlier than `first`.
    fn go_on(mut self, tiles: &Tiles, window: RangeInclusive<Day>, first: Day) -> Result<Self> {
        let keys = tiles.keys.len();
        self.first = first;
        self.first_order.resize(keys, None);
        self.places.resize(keys, 0..0);
        let mut files = Vec::new();
        let mut more = vec![0_usize; keys];
        for day in window {
            let Some(path) = tiles.path_of_orders(day) else { continue };
            read_columns(path, &[], |batch| {
                let orders = Orders::new(&batch, 1)?;
                for (key, _) in orders.each(keys) {
                    self.first_order[key] = self.first_order[key].or(Some(day));
                    more[key] += usize::from(day >= first);
                }
                files.push((day, orders));
                Ok(())
            })?;
        }
        // Who has new ones is moved to the end, with room for them.
        let moved = |(key, more): (usize, &usize)| if *more > 0 { self.of(key).len() + more } else { 0 };
        self.entries.reserve(more.iter().enumerate().map(moved).sum());
        for (key, more) in more.into_iter().enumerate().filter(|(_, more)| *more > 0) {
            let known = self.of(key).len();
            let (start, old) = (self.entries.len(), self.places[key].end);
            self.entries.extend_from_within(old - known..old);
            self.places[key] = start..self.entries.len();
            self.entries.resize(start + known + more, OrderDay::default());
        }
        for (day, orders) in files.iter().filter(|(day, _)| *day >= first) {
            for (key, row) in orders.each(keys) {
                let end = self.places[key].end;
                self.entries[end] = orders.of(row, *day);
                self.places[key].end = end + 1;
            }
        }
        Ok(self)
    }
}

/// The orders of the 365 days that end with `as_of`, from those up to the day `base`.
///
/// # Errors
/// Where a file is damaged.
pub fn order_history(tiles: &Tiles, (life, base): (OrderHistory, Day), as_of: Day) -> Result<OrderHistory> {
    life.go_on(tiles, base + 1..=as_of, as_of - ORDER_DAYS + 1)
}

/// All orders up to and with `as_of`, from the tiles of their days.
///
/// # Errors
/// Where a file is damaged.
pub(crate) fn all_orders(tiles: &Tiles, as_of: Day) -> Result<OrderHistory> {
    let first = tiles.days(as_of).next().unwrap_or(as_of);
    OrderHistory::default().go_on(tiles, first..=as_of, first)
}

/// Rows of orders.
struct Orders {
    keys: Int32Array,
    counts: Int32Array,
    amounts: Decimal128Array,
}

impl Orders {
    /// From rows whose counts are in the column `counts`, with the amounts after it.
    fn new(batch: &RecordBatch, counts: usize) -> Result<Self> {
        Ok(Self {
            keys: column::<Int32Array>(batch, 0)?.clone(),
            counts: column::<Int32Array>(batch, counts)?.clone(),
            amounts: column::<Decimal128Array>(batch, counts + 1)?.clone(),
        })
    }

    fn of(&self, row: usize, day: Day) -> OrderDay {
        let amount = i64::try_from(self.amounts.value(row)).unwrap_or(i64::MAX);
        OrderDay { day, orders: self.counts.value(row), amount }
    }

    /// Key and row of each row of a known customer.
    fn each(&self, keys: usize) -> impl Iterator<Item = (usize, usize)> {
        let keyed = self.keys.values().iter().map(|key| usize::try_from(*key).unwrap_or(usize::MAX));
        keyed.zip(0..).filter(move |(key, _)| *key < keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a life whose rows name these customers, where two have keys.
    fn said_of(keys: &[i32]) -> Option<String> {
        let places = keys.iter().zip(0..).map(|(key, row)| (*key, row..row + 1)).collect();
        let entries = vec![OrderDay::default(); keys.len()];
        let life = OrderLife { entries, places, path: "life.parquet".into() };
        life.with_first_orders(vec![None; 2]).err().map(|error| error.to_string())
    }

    #[test]
    fn a_damaged_life_is_refused_by_name() {
        assert_eq!(said_of(&[0, 1]), None);
        for (keys, how) in
            [(vec![1, 0], "not in order"), (vec![0, 2], "without a key"), (vec![-1], "without a key")]
        {
            let said = said_of(&keys).unwrap();
            assert!(said.starts_with("life.parquet is damaged") && said.contains(how), "{said}");
        }
    }
}
