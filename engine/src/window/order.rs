//! A customer's orders of the last 365 days, in order, and the first ever.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{BinaryViewArray, Decimal128Array, Int32Array, RecordBatch, builder::BinaryBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use super::ORDER_DAYS;
use crate::error::{EngineError, Result};
use crate::lake::{read_as, read_columns, tables};
use crate::tile::keys::column;
use crate::tile::{Tiles, batch};
use crate::time::Day;

/// The table of the orders up to a block's end.
pub(crate) const ORDER_LIFE: &str = "tile.order_year";

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

/// A day of a life: day, orders and amount, little end first.
const DAY_BYTES: usize = 16;

impl OrderDay {
    fn to_bytes(self) -> [u8; DAY_BYTES] {
        let mut bytes = [0; DAY_BYTES];
        bytes[..4].copy_from_slice(&self.day.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.orders.to_le_bytes());
        bytes[8..].copy_from_slice(&self.amount.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: [u8; DAY_BYTES]) -> Self {
        let [head, amount] = [0, 8].map(|at| std::array::from_fn(|byte| bytes[at + byte]));
        let [day, orders] = [0, 4].map(|at| std::array::from_fn(|byte| head[at + byte]));
        Self {
            day: Day::from_le_bytes(day),
            orders: i32::from_le_bytes(orders),
            amount: i64::from_le_bytes(amount),
        }
    }
}

/// Orders up to the end of a block, as a file of [`ORDER_LIFE`] holds them: a row a customer, by ascending key, with its
/// days one after the other. They stay the bytes of the file: a run asks for each customer's once.
#[derive(Debug, Clone, Default)]
pub(crate) struct OrderLife {
    /// Keys, and the days of each.
    batches: Vec<(Int32Array, BinaryViewArray)>,
    path: PathBuf,
}

/// A row of a life: the batch, and the row in it.
#[derive(Debug, Clone, Copy)]
struct Row(u32, u32);

impl OrderLife {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file is damaged.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        // Views of the file's bytes, that nothing need be copied.
        let declared = tables::spec(ORDER_LIFE)?.file_schema();
        let days = Field::new(declared.field(1).name(), DataType::BinaryView, false);
        let schema = Arc::new(Schema::new(vec![declared.field(0).clone(), days]));
        let mut batches = Vec::new();
        read_as(path, &schema, |batch| {
            let days = column::<BinaryViewArray>(&batch, 1)?.clone();
            if days.iter().flatten().any(|days| days.len() % DAY_BYTES != 0) {
                return Err(damaged(path, "it breaks off within a day"));
            }
            batches.push((column::<Int32Array>(&batch, 0)?.clone(), days));
            Ok(())
        })?;
        Ok(Self { batches, path: path.to_owned() })
    }

    /// With the first order ever of every customer key.
    ///
    /// # Errors
    /// Where the file names customers that have no key, or not in their order.
    pub(crate) fn with_first_orders(self, first_order: Vec<Option<Day>>) -> Result<OrderHistory> {
        let mut rows = vec![None; first_order.len()];
        let mut last = -1;
        for (batch, (keys, _)) in (0..).zip(&self.batches) {
            for (row, &key) in (0..).zip(keys.values()) {
                if key <= last {
                    return Err(damaged(&self.path, "its customers are not in order"));
                }
                last = key;
                let known = usize::try_from(key).ok().and_then(|key| rows.get_mut(key));
                *known.ok_or_else(|| damaged(&self.path, "it names a customer without a key"))? =
                    Some(Row(batch, row));
            }
        }
        let places = vec![0..0; first_order.len()];
        Ok(OrderHistory { life: self, rows, entries: Vec::new(), places, first_order, first: Day::MIN })
    }

    fn days(&self, Row(batch, row): Row) -> impl Iterator<Item = OrderDay> {
        let batch = usize::try_from(batch).ok().and_then(|batch| self.batches.get(batch));
        let bytes = batch.zip(usize::try_from(row).ok()).map_or(&[][..], |((_, days), row)| days.value(row));
        bytes.as_chunks().0.iter().map(|day| OrderDay::from_bytes(*day))
    }
}

fn damaged(path: &Path, how: &str) -> EngineError {
    EngineError::Lake(format!(
        "{} is damaged: {how}; remove the folder tile and run `tideline daily` again: tiles are rebuilt from raw events",
        path.display()
    ))
}

impl OrderHistory {
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
        let (mut keys, mut days, mut room) = (Vec::new(), BinaryBuilder::new(), Vec::new());
        for (number, key) in (0..).zip(0..self.first_order.len()) {
            let of_key = self.of(key, &mut room);
            if !of_key.is_empty() {
                keys.push(number);
                days.append_value(of_key.iter().flat_map(|day| day.to_bytes()).collect::<Vec<_>>());
            }
        }
        batch(ORDER_LIFE, vec![Arc::new(Int32Array::from(keys)), Arc::new(days.finish())])
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::lake::{Encoding, write};

    /// What is said of a life whose rows name these customers, where two have keys.
    fn said_of(keys: &[i32]) -> Option<String> {
        let days = BinaryViewArray::from_iter_values(keys.iter().map(|_| OrderDay::default().to_bytes()));
        let life =
            OrderLife { batches: vec![(Int32Array::from(keys.to_vec()), days)], path: "life.parquet".into() };
        life.with_first_orders(vec![None; 2]).err().map(|error| error.to_string())
    }

    #[test]
    fn a_damaged_life_is_refused_by_name() {
        assert_eq!(said_of(&[0, 1]), None);
        for (keys, how) in
            [(vec![1, 0], "not in order"), (vec![0, 2], "without a key"), (vec![-1], "not in order")]
        {
            let said = said_of(&keys).unwrap();
            assert!(said.starts_with("life.parquet is damaged") && said.contains(how), "{said}");
        }
    }

    #[test]
    fn a_life_is_read_as_it_was_written() {
        let orders = |day, orders, amount| OrderDay { day, orders, amount };
        let days = vec![orders(-3, 1, 5), orders(20_000, 2, i64::MAX), orders(20_007, 3, -4)];
        let history = OrderHistory {
            entries: days.clone(),
            places: vec![0..2, 0..0, 2..3],
            first_order: vec![None; 3],
            first: Day::MIN,
            ..OrderHistory::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let file = write(
            dir.path(),
            "a.parquet".to_owned(),
            BTreeMap::new(),
            &history.to_batch().unwrap(),
            Encoding::Tile,
        );
        let path = dir.path().join(file.unwrap().path);
        let first_order = vec![Some(-3), None, None];
        let mut read = OrderLife::read(&path).unwrap().with_first_orders(first_order).unwrap();
        let room = &mut Vec::new();
        assert_eq!([0, 1, 2, 3].map(|key| read.of(key, room).to_vec()), [&days[..2], &[], &days[2..], &[]]);
        read.first = 20_000;
        assert_eq!(read.of(0, room), &days[1..2]);
        assert_eq!((read.first_order(0), read.first_order(2)), (Some(-3), None));
    }
}
