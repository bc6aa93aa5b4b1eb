//! A life of orders: those of a year up to a block's end, as a file holds them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{BinaryViewArray, Int32Array, RecordBatch, builder::LargeBinaryBuilder};
use arrow::datatypes::{DataType, Field, Schema};

use super::order::OrderDay;
use crate::error::{EngineError, Result};
use crate::lake::{read_as, tables};
use crate::tile::batch;
use crate::tile::keys::column;
use crate::time::Day;

/// The table of the orders up to a block's end.
pub(crate) const ORDER_LIFE: &str = "tile.order_year";

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
pub(super) struct Row(u32, u32);

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

    /// Where the days of so many customer keys are.
    ///
    /// # Errors
    /// Where the file names customers that have no key, or not in their order.
    pub(super) fn rows(&self, keys: usize) -> Result<Vec<Option<Row>>> {
        let mut rows = vec![None; keys];
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
        Ok(rows)
    }

    /// A customer's days.
    pub(super) fn days(&self, Row(batch, row): Row) -> impl Iterator<Item = OrderDay> {
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

/// The rows of a life while they are put together.
#[derive(Debug, Default)]
pub(super) struct LifeRows {
    keys: Vec<i32>,
    /// More than the two GiB that 32-bit offsets allow where many order.
    days: LargeBinaryBuilder,
}

impl LifeRows {
    /// Adds a customer, unless it has no days; keys ascend.
    pub(super) fn push(&mut self, key: i32, days: &[OrderDay]) {
        if !days.is_empty() {
            self.keys.push(key);
            self.days.append_value(days.iter().flat_map(|day| day.to_bytes()).collect::<Vec<_>>());
        }
    }

    /// A file's worth of rows.
    ///
    /// # Errors
    /// Where the table is of another schema.
    pub(super) fn finish(mut self) -> Result<RecordBatch> {
        batch(ORDER_LIFE, vec![Arc::new(Int32Array::from(self.keys)), Arc::new(self.days.finish())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::lake::{Encoding, write};
    use crate::window::OrderHistory;

    /// What is said of a life whose rows name these customers, where two have keys.
    fn said_of(keys: &[i32]) -> Option<String> {
        let days = BinaryViewArray::from_iter_values(keys.iter().map(|_| OrderDay::default().to_bytes()));
        let life =
            OrderLife { batches: vec![(Int32Array::from(keys.to_vec()), days)], path: "life.parquet".into() };
        life.rows(2).err().map(|error| error.to_string())
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

    /// The path of a life with this batch, in a folder.
    fn written(dir: &Path, batch: &RecordBatch) -> PathBuf {
        write(dir, "life.parquet".to_owned(), BTreeMap::new(), batch, Encoding::Tile).unwrap();
        dir.join("life.parquet")
    }

    #[test]
    fn a_life_that_breaks_off_is_refused_by_name() {
        let mut rows = LifeRows { keys: vec![0], ..LifeRows::default() };
        rows.days.append_value([0; DAY_BYTES + 1]);
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path(), &rows.finish().unwrap());
        let said = OrderLife::read(&path).unwrap_err().to_string();
        assert!(said.contains("life.parquet is damaged: it breaks off within a day"), "{said}");
    }

    #[test]
    fn a_life_is_read_as_it_was_written() {
        let orders = |day, orders, amount| OrderDay { day, orders, amount };
        let days = [orders(-3, 1, 5), orders(20_000, 2, i64::MAX), orders(20_007, 3, -4)];
        let mut rows = LifeRows::default();
        [&days[..2], &[], &days[2..]].into_iter().zip(0..).for_each(|(days, key)| rows.push(key, days));
        let batch = rows.finish().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = written(dir.path(), &batch);
        let first_order = vec![Some(-3), None, None];
        let history = OrderHistory::of_life(OrderLife::read(&path).unwrap(), first_order).unwrap();
        let room = &mut Vec::new();
        assert_eq!(
            [0, 1, 2, 3].map(|key| history.of(key, room).to_vec()),
            [&days[..2], &[], &days[2..], &[]]
        );
        assert_eq!((history.first_order(0), history.first_order(2)), (Some(-3), None));
        // What a later life is made of.
        assert_eq!(history.to_batch().unwrap(), batch);
    }
}
