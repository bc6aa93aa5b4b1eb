//! Leads as a life keeps them: what all of their events up to a day come to, one row each. The rows of facts beside it
//! hold what a row can't: the events of the last days, and each rep's first touch.

use arrow::array::{Array, BooleanArray, Date32Array, RecordBatch, TimestampMicrosecondArray};

use super::Lead;
use crate::error::Result;
use crate::lake::tables;
use crate::mart::Columns;
use crate::measure::facts::{Attributes, Created, Facts, NONE, Names, dictionary};
use crate::tile::keys::column;
use crate::time::Micros;

const TABLE: &str = "tile.lead_life";

/// The leads of a life, by lead number: they are the first that facts name.
#[derive(Debug, Default)]
pub(crate) struct LeadLife(Option<Box<Rows>>);

#[derive(Debug)]
struct Rows {
    created_at: TimestampMicrosecondArray,
    created_day: Date32Array,
    attributes: Attributes,
    assignee: Vec<u32>,
    assigned_at: TimestampMicrosecondArray,
    responded_at: TimestampMicrosecondArray,
    qualified_at: TimestampMicrosecondArray,
    converted_at: TimestampMicrosecondArray,
    ended_at: TimestampMicrosecondArray,
    disqualified: BooleanArray,
    followed_7d: BooleanArray,
    last_day: Date32Array,
}

impl LeadLife {
    /// Takes in rows of `tile.lead_life`, with dictionaries; no lead may have a number yet.
    pub(crate) fn new(rows: &RecordBatch, leads: &mut Names, reps: &mut Names) -> Result<Self> {
        leads.number_all(column(rows, 0)?);
        let times = |position: usize| column::<TimestampMicrosecondArray>(rows, position).cloned();
        Ok(Self(Some(Box::new(Rows {
            created_at: times(1)?,
            created_day: column::<Date32Array>(rows, 2)?.clone(),
            attributes: Attributes::new(column(rows, 3)?)?,
            assignee: reps.numbers(dictionary(rows.column(4))?),
            assigned_at: times(5)?,
            responded_at: times(6)?,
            qualified_at: times(7)?,
            converted_at: times(8)?,
            ended_at: times(9)?,
            disqualified: column::<BooleanArray>(rows, 10)?.clone(),
            followed_7d: column::<BooleanArray>(rows, 11)?.clone(),
            last_day: column::<Date32Array>(rows, 12)?.clone(),
        }))))
    }

    /// What was known of a lead when the life ended; nothing of one that it doesn't hold.
    pub(crate) fn then(&self, number: usize) -> Lead {
        let rows = self.0.as_ref().filter(|rows| number < rows.created_at.len());
        rows.map_or_else(Lead::unknown, |rows| rows.lead(number))
    }

    /// The attributes with which a lead of the life was created.
    pub(crate) fn attributes(&self, number: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().flat_map(move |rows| rows.attributes.of(number))
    }
}

impl Rows {
    fn lead(&self, row: usize) -> Lead {
        let time = |array: &TimestampMicrosecondArray| array.is_valid(row).then(|| array.value(row));
        let created = time(&self.created_at);
        let day = self.created_day.is_valid(row).then(|| self.created_day.value(row));
        Lead {
            created: created.map(|_| Created::Before(row)),
            created_at: created.unwrap_or_default(),
            created_day: day.unwrap_or_default(),
            assignee: (self.assignee[row] != NONE).then(|| self.assignee[row]),
            assigned_at: time(&self.assigned_at).unwrap_or_default(),
            responded_at: time(&self.responded_at),
            qualified_at: time(&self.qualified_at),
            converted_at: time(&self.converted_at),
            ended_at: time(&self.ended_at),
            disqualified: self.disqualified.value(row),
            followed_7d: self.followed_7d.value(row),
            last_day: self.last_day.value(row),
            ..Lead::unknown()
        }
    }
}

/// The rows of `tile.lead_life` for some leads, by number.
pub(crate) fn lead_rows<'a>(
    facts: &Facts,
    kept: impl Iterator<Item = (u32, &'a Lead)>,
) -> Result<RecordBatch> {
    let rows: Vec<(u32, &Lead)> = kept.collect();
    let leads = || rows.iter().map(|(_, lead)| *lead);
    let if_assigned = |lead: &Lead, at: Micros| lead.assignee.map(|_| at);
    Columns::default()
        .text(rows.iter().map(|(number, _)| facts.leads.get(*number).unwrap_or_default()))
        .time(leads().map(|lead| lead.created.map(|_| lead.created_at)))
        .date(leads().map(|lead| lead.created.map(|_| lead.created_day)))
        .attributes(leads().map(|lead| lead.created.map(|created| facts.attributes(created))))?
        .maybe_text(leads().map(|lead| facts.reps.get(lead.assignee?)))
        .time(leads().map(|lead| if_assigned(lead, lead.assigned_at)))
        .time(leads().map(|lead| lead.responded_at))
        .time(leads().map(|lead| lead.qualified_at))
        .time(leads().map(|lead| lead.converted_at))
        .time(leads().map(|lead| lead.ended_at))
        .flag(leads().map(|lead| lead.disqualified))
        .flag(leads().map(|lead| lead.followed_7d))
        .date(leads().map(|lead| Some(lead.last_day)))
        .batch(tables::spec(TABLE)?.file_schema())
}
