//! The rep's tile: what a rep did on a day, as counts and sums that merge by addition.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::SchemaRef;
use rustc_hash::FxHashMap;

use super::columns::{dates, decimals};
use super::keys::column;
use super::rule::{Kind, Rule};
use crate::catalogue::Flags;
use crate::error::{EngineError, Result};
use crate::time::Day;

/// The counters of a rep's tile, in column order.
pub const COUNTS: [&str; 14] = [
    "touches",
    "effective_touches",
    "visit_touches",
    "effective_visits",
    "discovery",
    "accepted",
    "rejected",
    "quotes_sent",
    "quotes_accepted",
    "quotes_rejected",
    "deals_signed",
    "orders",
    "evidence",
    "events",
];

/// Positions in [`COUNTS`].
pub mod count {
    #![expect(missing_docs, reason = "named as in COUNTS")]
    pub const TOUCHES: usize = 0;
    pub const EFFECTIVE_TOUCHES: usize = 1;
    pub const VISIT_TOUCHES: usize = 2;
    pub const EFFECTIVE_VISITS: usize = 3;
    pub const DISCOVERY: usize = 4;
    pub const ACCEPTED: usize = 5;
    pub const REJECTED: usize = 6;
    pub const QUOTES_SENT: usize = 7;
    pub const QUOTES_ACCEPTED: usize = 8;
    pub const QUOTES_REJECTED: usize = 9;
    pub const DEALS_SIGNED: usize = 10;
    pub const ORDERS: usize = 11;
    pub const EVIDENCE: usize = 12;
    pub const EVENTS: usize = 13;
}

/// Whether a channel is a visit or meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channels {
    Visit,
    Other,
}

impl Channels {
    pub(crate) fn parse(name: &str) -> Self {
        if matches!(name, "visit" | "meeting") { Self::Visit } else { Self::Other }
    }
}

/// The counters of one rep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepCounts {
    /// By position in [`COUNTS`].
    pub counts: [i64; COUNTS.len()],
    /// Amount of deals signed, minor units.
    pub amount_signed: i64,
    /// The first day with a deal.
    pub first_deal: Option<Day>,
}

impl Default for RepCounts {
    fn default() -> Self {
        Self { counts: [0; COUNTS.len()], amount_signed: 0, first_deal: None }
    }
}

impl RepCounts {
    /// Merges another tile of the same rep into this one.
    pub fn merge(&mut self, other: &Self) {
        for (sum, count) in self.counts.iter_mut().zip(other.counts) {
            *sum += count;
        }
        self.amount_signed = self.amount_signed.saturating_add(other.amount_signed);
        self.first_deal = match (self.first_deal, other.first_deal) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }
}

/// Tiles of many reps.
#[derive(Debug, Clone, Default)]
pub struct RepTile {
    rows: FxHashMap<String, usize>,
    tiles: Vec<RepCounts>,
}

impl RepTile {
    /// The row of a rep, made on first sight.
    pub(crate) fn row(&mut self, rep: &str) -> usize {
        if let Some(&row) = self.rows.get(rep) {
            return row;
        }
        self.tiles.push(RepCounts::default());
        self.rows.insert(rep.to_owned(), self.tiles.len() - 1);
        self.tiles.len() - 1
    }

    /// Counts one event of the rep in `row`.
    pub(crate) fn add(
        &mut self,
        row: usize,
        rule: Rule,
        channel: Channels,
        evidence: i32,
        amount: i64,
        day: Day,
    ) {
        let tile = &mut self.tiles[row];
        let has = |flag: Flags| rule.flags & flag.bits() != 0;
        tile.counts[count::EVENTS] += 1;
        if has(Flags::TOUCH) {
            let visit = i64::from(channel == Channels::Visit);
            tile.counts[count::TOUCHES] += 1;
            tile.counts[count::VISIT_TOUCHES] += visit;
            tile.counts[count::EVIDENCE] += i64::from(evidence);
            if has(Flags::EFFECTIVE_TOUCH) {
                tile.counts[count::EFFECTIVE_TOUCHES] += 1;
                tile.counts[count::EFFECTIVE_VISITS] += visit;
            }
        }
        tile.counts[count::DISCOVERY] += i64::from(has(Flags::DISCOVERY));
        tile.counts[count::ACCEPTED] += i64::from(has(Flags::ACCEPTED));
        tile.counts[count::REJECTED] += i64::from(has(Flags::REJECTED));
        match rule.kind {
            Kind::QuoteSent => tile.counts[count::QUOTES_SENT] += 1,
            Kind::QuoteAccepted => tile.counts[count::QUOTES_ACCEPTED] += 1,
            Kind::QuoteRejected => tile.counts[count::QUOTES_REJECTED] += 1,
            Kind::Order => tile.counts[count::ORDERS] += 1,
            Kind::Deal => {
                tile.counts[count::DEALS_SIGNED] += 1;
                tile.amount_signed = tile.amount_signed.saturating_add(amount);
                tile.first_deal = Some(tile.first_deal.map_or(day, |first| first.min(day)));
            }
            Kind::Other => {}
        }
    }

    /// Merges a file of tiles.
    ///
    /// # Errors
    /// Where the file has other columns.
    pub fn merge_batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let reps = column::<StringArray>(batch, 0)?;
        let counts: Vec<&Int64Array> =
            (0..COUNTS.len()).map(|position| column(batch, position + 1)).collect::<Result<_>>()?;
        let amounts = column::<Decimal128Array>(batch, COUNTS.len() + 1)?;
        let first = column::<Date32Array>(batch, COUNTS.len() + 2)?;
        for row in 0..batch.num_rows() {
            let mut tile = RepCounts {
                amount_signed: i64::try_from(amounts.value(row)).unwrap_or(i64::MAX),
                first_deal: first.is_valid(row).then(|| first.value(row)),
                ..RepCounts::default()
            };
            for (value, column) in tile.counts.iter_mut().zip(&counts) {
                *value = column.value(row);
            }
            let row = self.row(reps.value(row));
            self.tiles[row].merge(&tile);
        }
        Ok(())
    }

    /// Merges other tiles into these.
    pub fn merge(&mut self, other: &Self) {
        for (rep, tile) in other.iter() {
            let row = self.row(rep);
            self.tiles[row].merge(tile);
        }
    }

    /// The tile of a rep; zeros for a rep that did nothing.
    pub fn get(&self, rep: &str) -> RepCounts {
        self.rows.get(rep).map(|&row| self.tiles[row]).unwrap_or_default()
    }

    /// Every rep with a tile, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RepCounts)> {
        self.rows.iter().map(|(rep, &row)| (rep.as_str(), &self.tiles[row]))
    }

    /// The tiles as a batch, by ascending rep id; reps without an event are left out.
    ///
    /// # Errors
    /// Where the schema isn't that of a rep tile.
    pub fn into_batch(self, schema: &SchemaRef) -> Result<RecordBatch> {
        let mut rows: Vec<(&str, &RepCounts)> =
            self.iter().filter(|(_, t)| t.counts[count::EVENTS] > 0).collect();
        rows.sort_unstable_by_key(|(rep, _)| *rep);
        let mut columns: Vec<ArrayRef> =
            vec![Arc::new(StringArray::from_iter_values(rows.iter().map(|(rep, _)| *rep)))];
        for position in 0..COUNTS.len() {
            let values = rows.iter().map(|(_, tile)| tile.counts[position]);
            columns.push(Arc::new(Int64Array::from_iter_values(values)));
        }
        columns.push(decimals(rows.iter().map(|(_, tile)| tile.amount_signed)));
        columns.push(dates(rows.iter().map(|(_, tile)| tile.first_deal)));
        RecordBatch::try_new(SchemaRef::clone(schema), columns)
            .map_err(EngineError::arrow("building a rep tile"))
    }
}
