//! Opportunities as a life keeps them: what all of their events up to a day come to, one row each.

use std::sync::Arc;

use arrow::array::{
    Array, BooleanArray, Date32Array, Date32Builder, Decimal128Array, ListArray, ListBuilder, RecordBatch,
    StringBuilder, StructArray, StructBuilder, TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;

use super::{Change, Opportunity};
use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::mart::Columns;
use crate::measure::facts::{Facts, NONE, Names, dictionary};
use crate::tile::keys::column;

const TABLE: &str = "tile.deal_life";

/// The opportunities of a life, by opportunity number: they are the first that facts name.
#[derive(Debug, Default)]
pub(crate) struct DealLife(Option<Box<Rows>>);

#[derive(Debug)]
struct Rows {
    opened_at: TimestampMicrosecondArray,
    opened_day: Date32Array,
    has_opened: BooleanArray,
    opened_in: Vec<u32>,
    owner: Vec<u32>,
    customer: Vec<u32>,
    lead: Vec<u32>,
    amount: Decimal128Array,
    stage_changed_at: TimestampMicrosecondArray,
    closed_at: TimestampMicrosecondArray,
    closed_day: Date32Array,
    won: BooleanArray,
    closed_by: Vec<u32>,
    changes: ListArray,
    change_day: Date32Array,
    change_rep: Vec<u32>,
    change_stage: Vec<u32>,
}

/// The numbers of what facts name, as opportunities refer to them.
pub(crate) struct Numbers<'a> {
    pub(crate) reps: &'a mut Names,
    pub(crate) customers: &'a mut Names,
    pub(crate) leads: &'a mut Names,
    pub(crate) opportunities: &'a mut Names,
    pub(crate) stages: &'a mut Names,
}

impl DealLife {
    /// Takes in rows of `tile.deal_life`, with dictionaries; no opportunity may have a number yet.
    pub(crate) fn new(rows: &RecordBatch, numbers: Numbers<'_>) -> Result<Self> {
        let Numbers { reps, customers, leads, opportunities, stages } = numbers;
        opportunities.number_all(column(rows, 0)?);
        let changes = column::<ListArray>(rows, 14)?.clone();
        let change = column_of::<StructArray>(changes.values())?;
        Ok(Self(Some(Box::new(Rows {
            opened_at: column::<TimestampMicrosecondArray>(rows, 1)?.clone(),
            opened_day: column::<Date32Array>(rows, 2)?.clone(),
            has_opened: column::<BooleanArray>(rows, 3)?.clone(),
            opened_in: stages.numbers(dictionary(rows.column(4))?),
            owner: reps.numbers(dictionary(rows.column(5))?),
            customer: customers.numbers(dictionary(rows.column(6))?),
            lead: leads.numbers(dictionary(rows.column(7))?),
            amount: column::<Decimal128Array>(rows, 8)?.clone(),
            stage_changed_at: column::<TimestampMicrosecondArray>(rows, 9)?.clone(),
            closed_at: column::<TimestampMicrosecondArray>(rows, 10)?.clone(),
            closed_day: column::<Date32Array>(rows, 11)?.clone(),
            won: column::<BooleanArray>(rows, 12)?.clone(),
            closed_by: reps.numbers(dictionary(rows.column(13))?),
            change_day: column_of::<Date32Array>(change.column(0))?.clone(),
            change_rep: reps.numbers(dictionary(change.column(1))?),
            change_stage: stages.numbers(dictionary(change.column(2))?),
            changes,
        }))))
    }

    /// What was known of an opportunity when the life ended; nothing of one that it doesn't hold.
    pub(crate) fn then(&self, number: usize) -> Opportunity {
        let Some(rows) = self.0.as_ref().filter(|rows| number < rows.opened_at.len()) else {
            return Opportunity::default();
        };
        rows.opportunity(number)
    }
}

impl Rows {
    fn opportunity(&self, row: usize) -> Opportunity {
        let time = |array: &TimestampMicrosecondArray| array.is_valid(row).then(|| array.value(row));
        let known = |number: u32| (number != NONE).then_some(number);
        let ends = self.changes.value_offsets();
        let place = |row: usize| usize::try_from(ends[row]).unwrap_or(0);
        let changes = (place(row)..place(row + 1)).map(|change| Change {
            day: self.change_day.value(change),
            rep: known(self.change_rep[change]),
            stage: self.change_stage[change],
            rank: None,
        });
        Opportunity {
            opened_at: time(&self.opened_at),
            opened_day: self.opened_day.value(row),
            has_opened: self.has_opened.value(row),
            opened_in: known(self.opened_in[row]),
            owner: known(self.owner[row]),
            customer: known(self.customer[row]),
            lead: known(self.lead[row]),
            amount: self
                .amount
                .is_valid(row)
                .then(|| i64::try_from(self.amount.value(row)).unwrap_or(i64::MAX)),
            stage_changed_at: time(&self.stage_changed_at).unwrap_or_default(),
            closed_at: time(&self.closed_at),
            closed_day: if self.closed_day.is_valid(row) { self.closed_day.value(row) } else { 0 },
            won: self.won.value(row),
            closed_by: known(self.closed_by[row]),
            changes: changes.collect(),
            ..Opportunity::default()
        }
    }
}

/// The rows of `tile.deal_life` for some opportunities, by number.
pub(crate) fn deal_rows<'a>(
    facts: &Facts,
    kept: impl Iterator<Item = (u32, &'a Opportunity)>,
) -> Result<RecordBatch> {
    let rows: Vec<(u32, &Opportunity)> = kept.collect();
    let deals = || rows.iter().map(|(_, deal)| *deal);
    let rep = |rep: Option<u32>| facts.reps.get(rep?);
    Columns::default()
        .text(rows.iter().map(|(number, _)| facts.opportunities.get(*number).unwrap_or_default()))
        .time(deals().map(|deal| deal.opened_at))
        .date(deals().map(|deal| Some(deal.opened_day)))
        .flag(deals().map(|deal| deal.has_opened))
        .maybe_text(deals().map(|deal| facts.stages.get(deal.opened_in?)))
        .maybe_text(deals().map(|deal| rep(deal.owner)))
        .maybe_text(deals().map(|deal| facts.customers.get(deal.customer?)))
        .maybe_text(deals().map(|deal| facts.leads.get(deal.lead?)))
        .maybe_cash(deals().map(|deal| deal.amount))
        .time(deals().map(|deal| (!deal.changes.is_empty()).then_some(deal.stage_changed_at)))
        .time(deals().map(|deal| deal.closed_at))
        .date(deals().map(|deal| deal.closed_at.map(|_| deal.closed_day)))
        .flag(deals().map(|deal| deal.won))
        .maybe_text(deals().map(|deal| rep(deal.closed_by)))
        .array(Arc::new(changes(facts, deals())?))
        .batch(tables::spec(TABLE)?.file_schema())
}

fn changes<'a>(facts: &Facts, deals: impl Iterator<Item = &'a Opportunity>) -> Result<ListArray> {
    let schema = tables::spec(TABLE)?.file_schema();
    let DataType::List(element) = schema.field(14).data_type() else { return Err(wrong("changes")) };
    let DataType::Struct(fields) = element.data_type() else { return Err(wrong("changes")) };
    let mut list =
        ListBuilder::new(StructBuilder::from_fields(fields.clone(), 0)).with_field(Arc::clone(element));
    for deal in deals {
        for change in &deal.changes {
            let rows = list.values();
            let missing = || wrong("changes");
            rows.field_builder::<Date32Builder>(0).ok_or_else(missing)?.append_value(change.day);
            let rep = change.rep.and_then(|rep| facts.reps.get(rep));
            rows.field_builder::<StringBuilder>(1).ok_or_else(missing)?.append_option(rep);
            let stage = facts.stages.get(change.stage).unwrap_or_default();
            rows.field_builder::<StringBuilder>(2).ok_or_else(missing)?.append_value(stage);
            rows.append(true);
        }
        list.append(true);
    }
    Ok(list.finish())
}

fn column_of<A: Array + 'static>(array: &dyn Array) -> Result<&A> {
    array.as_any().downcast_ref::<A>().ok_or_else(|| wrong("changes"))
}

fn wrong(column: &str) -> EngineError {
    EngineError::Lake(format!("column {column} of {TABLE} has another type than declared"))
}
