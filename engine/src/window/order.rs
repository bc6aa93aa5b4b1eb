//! A customer's orders of the last 365 days, in order, and the first ever.

use std::ops::{Range, RangeInclusive};

use arrow::array::{Decimal128Array, Int32Array, RecordBatch};

use super::ORDER_DAYS;
use super::order_life::{LifeRows, OrderLife, Row};
use crate::error::Result;
use crate::lake::read_columns;
use crate::tile::Tiles;
use crate::tile::keys::column;
use crate::time::Day;

/// Days with orders per customer key, ascending, of the days from the first on.
#[derive(Debug, Clone, Default)]
pub struct OrderHistory {
    life: OrderLife,
    /// Where a key's are in the life.
    rows: Vec<Option<Row>>,
    /// Those since the life.
    entries: Vec<OrderDay>,
    /// Where a key's are among them; what other keys once had may lie between.
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

impl OrderHistory {
    /// Begins with a life, and the first order ever of every customer key.
    ///
    /// # Errors
    /// Where the life names customers that have no key, or not in their order.
    pub(crate) fn of_life(life: OrderLife, first_order: Vec<Option<Day>>) -> Result<Self> {
        let rows = life.rows(first_order.len())?;
        let places = vec![0..0; first_order.len()];
        Ok(Self { life, rows, entries: Vec::new(), places, first_order, first: Day::MIN })
    }

    /// The days with orders of a customer, ascending; put into `room` where they don't lie together.
    pub fn of<'a>(&'a self, key: usize, room: &'a mut Vec<OrderDay>) -> &'a [OrderDay] {
        let since = self.since_life(key);
        let Some(row) = self.rows.get(key).copied().flatten() else { return since };
        room.clear();
        room.extend(self.life.days(row).skip_while(|order| order.day < self.first));
        room.extend_from_slice(since);
        room
    }

    fn since_life(&self, key: usize) -> &[OrderDay] {
        let days = self.places.get(key).and_then(|place| self.entries.get(place.clone())).unwrap_or_default();
        let past = days.iter().take_while(|order| order.day < self.first).count();
        &days[past..]
    }

    /// A file's worth of a life: every customer's days.
    ///
    /// # Errors
    /// Where they take more than the format can hold.
    pub(crate) fn to_batch(&self) -> Result<RecordBatch> {
        let (mut rows, mut room) = (LifeRows::default(), Vec::new());
        for (number, key) in (0..).zip(0..self.first_order.len()) {
            rows.push(number, self.of(key, &mut room));
        }
        rows.finish()
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
        self.rows.resize(keys, None);
        let mut files = Vec::new();
        let mut more = vec![0_usize; keys];
        for day in window {
            let Some(path) = tiles.path_of_orders(day) else { continue };
            read_columns(path, &[], |batch| {
                let orders = Orders::new(&batch)?;
                for (key, _) in orders.each(keys) {
                    self.first_order[key] = self.first_order[key].or(Some(day));
                    more[key] += usize::from(day >= first);
                }
                files.push((day, orders));
                Ok(())
            })?;
        }
        // Who has new ones is moved to the end, with room for them.
        let moved =
            |(key, more): (usize, &usize)| if *more > 0 { self.since_life(key).len() + more } else { 0 };
        self.entries.reserve(more.iter().enumerate().map(moved).sum());
        for (key, more) in more.into_iter().enumerate().filter(|(_, more)| *more > 0) {
            let known = self.since_life(key).len();
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

/// Rows of a day's orders.
struct Orders {
    keys: Int32Array,
    counts: Int32Array,
    amounts: Decimal128Array,
}

impl Orders {
    fn new(batch: &RecordBatch) -> Result<Self> {
        Ok(Self {
            keys: column::<Int32Array>(batch, 0)?.clone(),
            counts: column::<Int32Array>(batch, 1)?.clone(),
            amounts: column::<Decimal128Array>(batch, 2)?.clone(),
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
