//! The tile kernel: one day of raw events → its tiles.
//!
//! One pass over the rows with dense keys; no hashing per row but that of ids which have no dictionary. The rows are
//! cut into one part per thread; what the parts make merges by addition, so that the cut shows nowhere.

use std::path::PathBuf;

use arrow::array::{
    Array, AsArray, Decimal128Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::conflict::{Ids, read_ids};
use super::day::{CustomerDay, DayReport, DayTile, EXTRA, OrderDay};
use super::fact::{Candidates, facts_of_day, is_fact};
use super::keys::{Keys, NO_KEY, column, index};
use super::rep::{Channels, RepCounts, RepTile};
use super::rows::{self, Rows};
use super::rule::{Kind, Rule, Rules};
use super::store::DAY_TABLES;
use crate::catalogue::Flags;
use crate::error::{EngineError, Result};
use crate::lake::{read, tables};
use crate::time::Day;
use crate::window::{self, CustomerSums, Touches};

/// A day's tiles as the lake has them, and what came since they were made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made<'a> {
    /// The files of its tiles, by [`DayTable`].
    pub(crate) tiles: &'a [PathBuf; DAY_TABLES.len()],
    /// How many of the raw files, in order of arrival, they were made of.
    pub(crate) files: usize,
}

/// Builds a day's tiles from its raw files, given in order of arrival; where tiles are there already, by adding to them
/// what came since, if that gives the same.
///
/// # Errors
/// Where a file is missing, damaged, or of another schema.
pub(crate) fn build(
    day: Day,
    files: &[PathBuf],
    made: Option<Made<'_>>,
    rules: &Rules,
    keys: &Keys,
) -> Result<DayTile> {
    if let Some(made) = made
        && let Some(rows) = Rows::read_since(&files[..made.files], &files[made.files..])?
    {
        let mut whole = of_rows(day, &rows, rules, keys)?;
        whole.add_tiles(made.tiles)?;
        return whole.finish(rules);
    }
    of_rows(day, &Rows::read(files)?, rules, keys)?.finish(rules)
}

fn of_rows(day: Day, rows: &Rows, rules: &Rules, keys: &Keys) -> Result<Builder> {
    let parts: Vec<(&RecordBatch, &[bool])> = rows.parts().collect();
    let share = parts.len().div_ceil(rayon::current_num_threads()).max(1);
    let built: Vec<Builder> = parts
        .par_chunks(share)
        .map(|parts| {
            let mut builder = Builder::new(day, keys.len());
            let mut candidates = Candidates::default();
            for (batch, kept) in parts {
                builder.add((batch, kept), (rules, keys), &mut candidates)?;
            }
            builder.facts = candidates.rows(parts.iter().map(|(batch, _)| *batch))?;
            Ok(builder)
        })
        .collect::<Result<_>>()?;
    let whole = built.into_iter().reduce(Builder::merge);
    let mut whole = whole.unwrap_or_else(|| Builder::new(day, keys.len()));
    whole.report.duplicates = rows.duplicates;
    whole.ids = rows.id_hashes();
    Ok(whole)
}

/// A day's tiles while its rows go by.
#[derive(Debug)]
pub(crate) struct Builder {
    day: Day,
    extra: FxHashMap<String, u32>,
    dense: Vec<CustomerDay>,
    dense_extra: Vec<CustomerDay>,
    orders: FxHashMap<u32, OrderDay>,
    reps: RepTile,
    facts: Vec<RecordBatch>,
    ids: Vec<i64>,
    /// Hashes of the ids of the rows that the tiles had already.
    known_ids: Vec<i64>,
    report: DayReport,
}

impl Builder {
    /// Nothing yet, of so many customer keys.
    pub(super) fn new(day: Day, keys: usize) -> Self {
        Self {
            day,
            extra: FxHashMap::default(),
            dense: vec![CustomerDay::default(); keys],
            dense_extra: Vec::new(),
            orders: FxHashMap::default(),
            reps: RepTile::default(),
            facts: Vec::new(),
            ids: Vec::new(),
            known_ids: Vec::new(),
            report: DayReport::default(),
        }
    }

    /// Counts the rows of a batch that are `kept`.
    pub(super) fn add(
        &mut self,
        (batch, kept): (&RecordBatch, &[bool]),
        (rules, keys): (&Rules, &Keys),
        facts: &mut Candidates,
    ) -> Result<()> {
        let types = dictionary(batch, rows::EVENT_TYPE)?;
        let rules: Vec<Option<Rule>> =
            types.1.iter().map(|code| code.and_then(|code| rules.get(code))).collect();
        let channels = dictionary(batch, rows::CHANNEL)?;
        let channel_of: Vec<Channels> =
            channels.1.iter().map(|name| Channels::parse(name.unwrap_or(""))).collect();
        let reps = dictionary(batch, rows::REP)?;
        let rep_of: Vec<usize> = reps.1.iter().map(|id| self.reps.row(id.unwrap_or(""))).collect();
        let times = column::<TimestampMicrosecondArray>(batch, rows::EVENT_TIME)?.values();
        let evidence = column::<Int32Array>(batch, rows::EVIDENCE_COUNT)?.values();
        let amounts = column::<Decimal128Array>(batch, rows::AMOUNT)?;
        let customers = column::<StringArray>(batch, rows::CUSTOMER)?;
        let leads = column::<StringArray>(batch, rows::LEAD)?;
        let opportunities = column::<StringArray>(batch, rows::OPPORTUNITY)?;
        let known = keys.get_all((0..batch.num_rows()).map(|row| customers.value(row)));
        facts.next_batch();
        for row in 0..batch.num_rows() {
            if !kept[row] {
                continue;
            }
            let Some(rule) = types.0[row].and_then(|code| rules[code]) else {
                self.report.unknown_types += 1;
                continue;
            };
            let touch = rule.flags & Flags::TOUCH.bits() != 0;
            let effective = rule.flags & Flags::EFFECTIVE_TOUCH.bits() != 0;
            let order = rule.kind == Kind::Order;
            if (touch || order) && customers.is_valid(row) {
                let key = self.customer(customers.value(row), known[row]);
                if order {
                    let entry = self.orders.entry(key).or_default();
                    entry.orders += 1;
                    entry.amount = entry.amount.saturating_add(minor(amounts, row));
                }
                if touch {
                    let tile = self.tile(key);
                    tile.touches += 1;
                    tile.effective += i32::from(effective);
                    tile.evidenced += i32::from(effective && evidence[row] > 0);
                    tile.evidence += i64::from(evidence[row]);
                    tile.last_touch = tile.last_touch.max(times[row]);
                }
            }
            if let Some(rep) = reps.0[row] {
                let channel = channels.0[row].map_or(Channels::Other, |channel| channel_of[channel]);
                self.reps.add(rep_of[rep], rule, channel, evidence[row], minor(amounts, row), self.day);
            }
            let named = [
                reps.0[row].is_some(),
                customers.is_valid(row),
                leads.is_valid(row),
                opportunities.is_valid(row),
            ];
            if is_fact(rule, named) {
                facts.keep(row);
            } else if let (true, Some(rep)) = (rule.ends != 0, reps.0[row]) {
                facts.weigh(rule.ends, rep_of[rep], times[row], row);
            }
        }
        self.report.events += u64::try_from(batch.num_rows()).unwrap_or(0);
        Ok(())
    }

    /// The key of a customer: the known one, or one beyond those of all that are known.
    fn customer(&mut self, id: &str, known: u32) -> u32 {
        if known != NO_KEY {
            return known;
        }
        if let Some(&key) = self.extra.get(id) {
            return key;
        }
        let key = EXTRA | u32::try_from(self.extra.len()).unwrap_or(0);
        self.extra.insert(id.to_owned(), key);
        self.dense_extra.push(CustomerDay::default());
        key
    }

    fn tile(&mut self, key: u32) -> &mut CustomerDay {
        if key & EXTRA == 0 {
            &mut self.dense[index(key)]
        } else {
            &mut self.dense_extra[index(key & !EXTRA)]
        }
    }

    /// The touches of a customer.
    pub(super) fn touches(&self, key: u32) -> Option<Touches> {
        let tile = self.dense.get(index(key)).filter(|tile| tile.touches > 0)?;
        Some(Touches {
            count: tile.touches,
            effective: tile.effective,
            evidenced: tile.evidenced,
            evidence: tile.evidence,
            last_touch: tile.last_touch,
        })
    }

    /// The orders of a customer.
    pub(super) fn orders(&self, key: u32) -> Option<window::OrderDay> {
        let order = self.orders.get(&key)?;
        Some(window::OrderDay { day: self.day, orders: order.orders, amount: order.amount })
    }

    /// The tile of a rep.
    pub(super) fn rep(&self, id: &str) -> RepCounts {
        self.reps.get(id)
    }

    /// Adds what another part of the day came to.
    fn merge(mut self, mut other: Self) -> Self {
        let mut strangers: Vec<(String, u32)> = other.extra.drain().collect();
        strangers.sort_unstable_by_key(|(_, key)| *key);
        let renamed: Vec<u32> = strangers.iter().map(|(id, _)| self.customer(id, NO_KEY)).collect();
        for (tile, own) in other.dense.iter().zip(&mut self.dense) {
            own.merge(tile);
        }
        for (tile, key) in other.dense_extra.iter().zip(&renamed) {
            self.tile(*key).merge(tile);
        }
        for (key, order) in other.orders {
            let key = if key & EXTRA == 0 { key } else { renamed[index(key & !EXTRA)] };
            let own = self.orders.entry(key).or_default();
            own.orders += order.orders;
            own.amount = own.amount.saturating_add(order.amount);
        }
        self.reps.merge(&other.reps);
        self.facts.append(&mut other.facts);
        self.report.events += other.report.events;
        self.report.unknown_types += other.report.unknown_types;
        self
    }

    /// Adds tiles of the same day that were made of other rows.
    fn add_tiles(&mut self, paths: &[PathBuf; DAY_TABLES.len()]) -> Result<()> {
        let [customers, orders, reps, facts, ids] = paths;
        let mut sums = CustomerSums::new(self.dense.len());
        sums.add_file(customers)?;
        for (key, own) in self.dense.iter_mut().enumerate() {
            own.merge(&CustomerDay {
                touches: sums.touches[key],
                effective: sums.effective[key],
                evidenced: sums.evidenced[key],
                evidence: sums.evidence[key],
                last_touch: sums.last_touch[key],
            });
        }
        for batch in read(orders, &[])? {
            let keys = column::<Int32Array>(&batch, 0)?;
            let (counts, amounts) = (column::<Int32Array>(&batch, 1)?, column::<Decimal128Array>(&batch, 2)?);
            for row in 0..batch.num_rows() {
                let Some(key) =
                    u32::try_from(keys.value(row)).ok().filter(|key| index(*key) < self.dense.len())
                else {
                    continue;
                };
                let own = self.orders.entry(key).or_default();
                own.orders += counts.value(row);
                own.amount = own.amount.saturating_add(minor(amounts, row));
            }
        }
        for batch in read(reps, &[])? {
            self.reps.merge_batch(&batch)?;
        }
        self.facts.extend(read(facts, &[])?);
        self.known_ids = read_ids(ids)?;
        Ok(())
    }

    fn finish(self, rules: &Rules) -> Result<DayTile> {
        let numbered = |offset: u32, tiles: Vec<CustomerDay>| {
            let touched = tiles.into_iter().zip(0_u32..).filter(|(tile, _)| tile.touches > 0);
            touched.map(move |(tile, position)| (offset | position, tile))
        };
        let customers = numbered(0, self.dense).chain(numbered(EXTRA, self.dense_extra)).collect();
        let mut extra = vec![String::new(); self.extra.len()];
        for (id, key) in self.extra {
            extra[index(key & !EXTRA)] = id;
        }
        Ok(DayTile {
            day: self.day,
            customers,
            orders: self.orders.into_iter().collect(),
            extra,
            reps: self.reps.into_batch(&tables::spec("tile.rep_day")?.file_schema())?,
            facts: facts_of_day(&self.facts, rules)?,
            ids: Ids::new(self.ids, self.known_ids),
            report: self.report,
        })
    }
}

fn minor(amounts: &Decimal128Array, row: usize) -> i64 {
    if amounts.is_valid(row) { i64::try_from(amounts.value(row)).unwrap_or(i64::MAX) } else { 0 }
}

/// A dictionary column as (key per row, texts).
type Dictionary<'a> = (Vec<Option<usize>>, Vec<Option<&'a str>>);

fn dictionary(batch: &RecordBatch, position: usize) -> Result<Dictionary<'_>> {
    let array = batch.column(position).as_dictionary_opt::<Int32Type>();
    let texts = array.and_then(|array| array.values().as_string_opt::<i32>());
    let (Some(array), Some(texts)) = (array, texts) else {
        return Err(EngineError::Lake(format!("column {position} of a raw file is not text")));
    };
    let keys = array.keys().iter().map(|key| key.and_then(|key| usize::try_from(key).ok())).collect();
    Ok((keys, texts.iter().collect()))
}
