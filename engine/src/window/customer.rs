//! Touches per customer over the last 30 days and over the 30 days before, and the last touch ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};

use super::WINDOW_DAYS;
use crate::error::Result;
use crate::lake::{Lake, read_columns};
use crate::tile::keys::column;
use crate::tile::{LifeSource, Span, Tiles, batch, block_end_at_or_before, signed, spans};
use crate::time::{Day, Micros};

/// No touch.
pub(crate) const NEVER: Micros = Micros::MIN;

/// Sums per customer key.
#[derive(Debug, Clone)]
pub(crate) struct CustomerSums {
    pub(crate) touches: Vec<i32>,
    pub(crate) effective: Vec<i32>,
    pub(crate) evidenced: Vec<i32>,
    pub(crate) evidence: Vec<i64>,
    pub(crate) last_touch: Vec<Micros>,
}

/// The sums of one customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touches {
    pub(crate) count: i32,
    pub(crate) effective: i32,
    pub(crate) evidenced: i32,
    pub(crate) evidence: i64,
    pub(crate) last_touch: Micros,
}

impl Touches {
    /// Adds sums of other days.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.effective += other.effective;
        self.evidenced += other.evidenced;
        self.evidence += other.evidence;
        self.last_touch = self.last_touch.max(other.last_touch);
    }
}

impl CustomerSums {
    /// The sums of one customer.
    pub(crate) fn of(&self, key: usize) -> Touches {
        Touches {
            count: self.touches[key],
            effective: self.effective[key],
            evidenced: self.evidenced[key],
            evidence: self.evidence[key],
            last_touch: self.last_touch[key],
        }
    }

    pub(crate) fn new(keys: usize) -> Self {
        Self {
            touches: vec![0; keys],
            effective: vec![0; keys],
            evidenced: vec![0; keys],
            evidence: vec![0; keys],
            last_touch: vec![NEVER; keys],
        }
    }

    /// Adds the tiles of a file.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<()> {
        read_columns(path, &[], |batch| self.add(&batch))
    }

    /// Adds tiles.
    pub(crate) fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = column::<Int32Array>(batch, 0)?.values();
        let touches = column::<Int32Array>(batch, 1)?.values();
        let effective = column::<Int32Array>(batch, 2)?.values();
        let evidenced = column::<Int32Array>(batch, 3)?.values();
        let evidence = column::<Int64Array>(batch, 4)?.values();
        let last = column::<TimestampMicrosecondArray>(batch, 5)?.values();
        for row in 0..batch.num_rows() {
            let Some(key) = usize::try_from(keys[row]).ok().filter(|key| *key < self.touches.len()) else {
                continue;
            };
            self.touches[key] += touches[row];
            self.effective[key] += effective[row];
            self.evidenced[key] += evidenced[row];
            self.evidence[key] += evidence[row];
            self.last_touch[key] = self.last_touch[key].max(last[row]);
        }
        Ok(())
    }

    /// The sums of touched customers, by ascending key.
    pub(crate) fn into_batch(self) -> Result<RecordBatch> {
        let rows: Vec<usize> = (0..self.touches.len()).filter(|&key| self.touches[key] > 0).collect();
        let ints = |values: &[i32]| -> ArrayRef {
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|&row| values[row])))
        };
        let keys = rows.iter().map(|&row| signed(u32::try_from(row).unwrap_or(u32::MAX)));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values(keys)),
            ints(&self.touches),
            ints(&self.effective),
            ints(&self.evidenced),
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|&row| self.evidence[row]))),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(rows.iter().map(|&row| self.last_touch[row]))
                    .with_timezone("UTC"),
            ),
        ];
        batch("tile.customer_block", columns)
    }
}

/// Customers' touches as of a day and as of 30 days before it, by customer key.
#[derive(Debug)]
pub struct CustomerWindows {
    pub(crate) now: CustomerSums,
    pub(crate) before: CustomerSums,
}

/// The files that the two windows are merged from.
#[derive(Debug)]
pub(crate) struct CustomerFiles {
    previous: Vec<Span>,
    current: Vec<Span>,
    paths: BTreeMap<Day, PathBuf>,
}

impl CustomerFiles {
    /// Finds them, and merges blocks that aren't there yet. At most six blocks and some twenty days, whatever the
    /// history.
    pub(crate) async fn find(lake: &Lake, tiles: &Tiles, as_of: Day) -> Result<Self> {
        let split = as_of - WINDOW_DAYS;
        let (previous, current) = (spans(split - WINDOW_DAYS + 1, split), spans(split + 1, as_of));
        let paths = tiles.customer_paths(lake, &[&previous[..], &current].concat()).await?;
        Ok(Self { previous, current, paths })
    }

    /// The touches of the window that ends 30 days before the day.
    pub(crate) fn before(&self, tiles: &Tiles) -> Result<CustomerSums> {
        self.sum(&self.previous, tiles.keys.len())
    }

    fn sum(&self, spans: &[Span], keys: usize) -> Result<CustomerSums> {
        let mut sums = CustomerSums::new(keys);
        for span in spans {
            let (Span::Day(day) | Span::Block(day)) = *span;
            // A block's last day and a day of the same number never stand in one window: blocks replace their days.
            if let Some(path) = self.paths.get(&day) {
                sums.add_file(path)?;
            }
        }
        Ok(sums)
    }
}

/// Merges the tiles of the window that ends with the day, beside that of 30 days `before`.
///
/// # Errors
/// Where a file is damaged.
pub(crate) fn customer_windows(
    tiles: &Tiles,
    life: &LifeSource,
    files: &CustomerFiles,
    mut before: CustomerSums,
) -> Result<CustomerWindows> {
    let keys = tiles.keys.len();
    let mut now = files.sum(&files.current, keys)?;
    for key in 0..keys {
        before.last_touch[key] = before.last_touch[key].max(life.last_touch(key));
        now.last_touch[key] = now.last_touch[key].max(before.last_touch[key]);
    }
    Ok(CustomerWindows { now, before })
}

/// The day up to which a life has to be known for a run as of `as_of`: the windows tell of every day after it, and late
/// events seldom come so late that it has to be made again.
pub(crate) fn life_day(as_of: Day) -> Day {
    block_end_at_or_before(as_of - WINDOW_DAYS)
}
