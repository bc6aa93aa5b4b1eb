//! The tile kernel: one day of raw events → counts and sums per customer, orders, counts per rep, facts of life.
//!
//! One pass over the rows with dense keys; no hashing per row but that of ids which have no dictionary.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::compute::{cast, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{Int32Type, SchemaRef};
use rustc_hash::FxHashMap;

use super::keys::{Keys, NO_KEY, column, index};
use super::rep::{Channels, RepTile};
use super::rows::{self, Rows};
use crate::catalogue::{Catalogue, Flags};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::time::Day;

/// What an event code means to the tile kernel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rule {
    pub(crate) flags: u16,
    pub(crate) fact: bool,
    pub(crate) kind: Kind,
}

/// Codes that the kernel counts by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any other.
    #[default]
    Other,
    /// `order.placed`
    Order,
    /// `deal.signed`
    Deal,
    /// `quote.sent`
    QuoteSent,
    /// `quote.accepted`
    QuoteAccepted,
    /// `quote.rejected`
    QuoteRejected,
}

/// The meaning of every code of a catalogue, by code.
#[derive(Debug)]
pub(crate) struct Rules {
    by_code: FxHashMap<String, Rule>,
}

impl Rules {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let watched = catalogue.sequence_codes();
        let by_code = catalogue.models().iter().map(|model| {
            let code = model.code.as_str();
            let life = code.starts_with("lead.") || code.starts_with("opportunity.");
            let in_sequence =
                catalogue.get(code).is_some_and(|(dense, _)| watched.contains(&dense));
            let kind = match code {
                "order.placed" => Kind::Order,
                "deal.signed" => Kind::Deal,
                "quote.sent" => Kind::QuoteSent,
                "quote.accepted" => Kind::QuoteAccepted,
                "quote.rejected" => Kind::QuoteRejected,
                _ => Kind::Other,
            };
            (code.to_owned(), Rule { flags: model.flags.bits(), fact: life || in_sequence, kind })
        });
        Self { by_code: by_code.collect() }
    }

    pub(crate) fn get(&self, code: &str) -> Option<Rule> {
        self.by_code.get(code).copied()
    }
}

/// A day's tiles before the ids that have no key yet are given one.
#[derive(Debug)]
pub(crate) struct DayTile {
    pub(crate) day: Day,
    customers: Vec<(u32, CustomerDay)>,
    orders: Vec<(u32, OrderDay)>,
    /// Ids without a key: `customers` and `orders` name them by `EXTRA | position`.
    extra: Vec<String>,
    pub(crate) reps: RecordBatch,
    pub(crate) facts: RecordBatch,
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
struct CustomerDay {
    touches: i32,
    effective: i32,
    evidenced: i32,
    evidence: i64,
    last_touch: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct OrderDay {
    orders: i32,
    amount: i64,
}

const EXTRA: u32 = 1 << 31;

/// Builds a day's tiles from its raw files.
///
/// # Errors
/// Where a file is missing, damaged, or of another schema.
pub(crate) fn build(day: Day, files: &[PathBuf], rules: &Rules, keys: &Keys) -> Result<DayTile> {
    let rows = Rows::read(files)?;
    let mut builder = Builder::new(day, rules, keys);
    let mut base = 0;
    for batch in &rows.batches {
        builder.add(batch, &rows.kept[base..base + batch.num_rows()])?;
        base += batch.num_rows();
    }
    builder.report.duplicates = rows.duplicates;
    builder.finish()
}

struct Builder<'a> {
    day: Day,
    rules: &'a Rules,
    keys: &'a Keys,
    extra: FxHashMap<String, u32>,
    dense: Vec<CustomerDay>,
    dense_extra: Vec<CustomerDay>,
    orders: FxHashMap<u32, OrderDay>,
    reps: RepTile,
    facts: Vec<RecordBatch>,
    report: DayReport,
}

impl<'a> Builder<'a> {
    fn new(day: Day, rules: &'a Rules, keys: &'a Keys) -> Self {
        Self {
            day,
            rules,
            keys,
            extra: FxHashMap::default(),
            dense: vec![CustomerDay::default(); keys.len()],
            dense_extra: Vec::new(),
            orders: FxHashMap::default(),
            reps: RepTile::default(),
            facts: Vec::new(),
            report: DayReport::default(),
        }
    }

    fn add(&mut self, batch: &RecordBatch, kept: &[bool]) -> Result<()> {
        let types = dictionary(batch, rows::EVENT_TYPE)?;
        let rules: Vec<Option<Rule>> =
            types.1.iter().map(|code| code.and_then(|code| self.rules.get(code))).collect();
        let channels = dictionary(batch, rows::CHANNEL)?;
        let channel_of: Vec<Channels> = channels.1.iter().map(|name| Channels::parse(name.unwrap_or(""))).collect();
        let reps = dictionary(batch, rows::REP)?;
        let rep_of: Vec<usize> = reps.1.iter().map(|id| self.reps.row(id.unwrap_or(""))).collect();
        let times = column::<TimestampMicrosecondArray>(batch, rows::EVENT_TIME)?.values();
        let evidence = column::<Int32Array>(batch, rows::EVIDENCE_COUNT)?.values();
        let amounts = column::<Decimal128Array>(batch, rows::AMOUNT)?;
        let customers = column::<StringArray>(batch, rows::CUSTOMER)?;
        let leads = column::<StringArray>(batch, rows::LEAD)?;
        let mut facts: Vec<u32> = Vec::new();
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
                let key = self.customer(customers.value(row));
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
            if rule.fact || (touch && leads.is_valid(row)) {
                facts.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        self.report.events += u64::try_from(batch.num_rows()).unwrap_or(0);
        if !facts.is_empty() {
            self.facts.push(fact_rows(batch, facts)?);
        }
        Ok(())
    }

    fn customer(&mut self, id: &str) -> u32 {
        let key = self.keys.get(id);
        if key != NO_KEY {
            return key;
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
        if key & EXTRA == 0 { &mut self.dense[index(key)] } else { &mut self.dense_extra[index(key & !EXTRA)] }
    }

    fn finish(self) -> Result<DayTile> {
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
            facts: sort_facts(&self.facts)?,
            report: self.report,
        })
    }
}

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
        let mut orders: Vec<(u32, OrderDay)> = self.orders.iter().map(|&(key, tile)| (key_of(key), tile)).collect();
        orders.sort_unstable_by_key(|(key, _)| *key);
        let ints = |values: Vec<i32>| -> ArrayRef { Arc::new(Int32Array::from(values)) };
        let customer_columns: Vec<ArrayRef> = vec![
            ints(customers.iter().map(|(key, _)| signed(*key)).collect()),
            ints(customers.iter().map(|(_, tile)| tile.touches).collect()),
            ints(customers.iter().map(|(_, tile)| tile.effective).collect()),
            ints(customers.iter().map(|(_, tile)| tile.evidenced).collect()),
            Arc::new(Int64Array::from_iter_values(customers.iter().map(|(_, tile)| tile.evidence))),
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(customers.iter().map(|(_, tile)| tile.last_touch))
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

pub(crate) fn batch(table: &str, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(tables::spec(table)?.file_schema(), columns).map_err(EngineError::arrow("building a tile"))
}

/// Minor units as `Decimal128(18, 2)`.
pub(crate) fn decimals(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Decimal128Array::from_iter_values(values.into_iter().map(i128::from)).with_data_type(crate::contract::money()))
}

/// Days as `Date32`.
pub(crate) fn dates(values: impl IntoIterator<Item = Option<Day>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Date32Array>())
}

/// A key as the lake stores it.
pub(crate) fn signed(key: u32) -> i32 {
    i32::try_from(key).unwrap_or(i32::MAX)
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

/// The chosen rows as facts.
fn fact_rows(batch: &RecordBatch, rows: Vec<u32>) -> Result<RecordBatch> {
    let schema = tables::spec("tile.fact_day")?.file_schema();
    let taken = take_record_batch(batch, &UInt32Array::from(rows)).map_err(EngineError::arrow("choosing facts"))?;
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let position = taken.schema().index_of(field.name()).map_err(EngineError::arrow("choosing facts"))?;
            cast(taken.column(position), field.data_type()).map_err(EngineError::arrow("choosing facts"))
        })
        .collect::<Result<Vec<ArrayRef>>>()?;
    RecordBatch::try_new(schema, columns).map_err(EngineError::arrow("choosing facts"))
}

/// Facts in (`event_time`, `event_id`) order.
fn sort_facts(batches: &[RecordBatch]) -> Result<RecordBatch> {
    let schema: SchemaRef = tables::spec("tile.fact_day")?.file_schema();
    let whole = concat_batches(&schema, batches).map_err(EngineError::arrow("joining facts"))?;
    let by = |position: usize| arrow::compute::SortColumn { values: Arc::clone(whole.column(position)), options: None };
    let order = lexsort_to_indices(&[by(0), by(1)], None).map_err(EngineError::arrow("sorting facts"))?;
    take_record_batch(&whole, &order).map_err(EngineError::arrow("sorting facts"))
}
