//! One thing that happened to a request, and its row in `ops.adjustment`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, TimestampMicrosecondType,
};

use crate::contract::{money, optional, required, timestamp};
use crate::error::{EngineError, Result};
use crate::time::{Day, Micros};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Somebody asks for another quota.
    Request,
    /// Somebody says something.
    Comment,
    /// Somebody proposes other terms.
    Counter,
    /// The terms proposed last are agreed to.
    Approve,
    /// The request is turned down.
    Reject,
}

impl EventKind {
    const ALL: [Self; 5] = [Self::Request, Self::Comment, Self::Counter, Self::Approve, Self::Reject];

    /// The name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Comment => "comment",
            Self::Counter => "counter",
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What a quota should become.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// This amount in minor units, which reconciliation leaves alone.
    Pin(i64),
    /// So many percent more, or less, before the plan is met.
    Percent(f64),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// What the quota should become.
    pub change: Change,
    /// Whether the siblings pay nothing, and the region's quotas miss their plan by it.
    pub beyond_plan: bool,
    /// The first day on which it acts; the newest published day when it is approved, where none is given.
    pub from: Option<Day>,
    /// The last day on which it acts; the period's last, where none is given.
    pub until: Option<Day>,
}

/// A row of `ops.adjustment`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The request.
    pub request_id: String,
    /// Its events are numbered from 1, the request itself.
    pub sequence: i32,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor: String,
    /// When.
    pub at: Micros,
    /// Whose quota.
    pub rep_id: String,
    /// Of which period, `2026-11` or `2026-Q4`.
    pub period: String,
    /// The terms asked for, countered with or approved.
    pub ask: Option<Ask>,
    /// Why, or what was said.
    pub reason: Option<String>,
    /// Where the evidence is.
    pub evidence: Option<String>,
    /// A hash that the same act has when it is sent again, where the sender gave a key for it.
    pub idempotency: Option<String>,
}

/// The columns of `ops.adjustment`.
pub(crate) fn fields() -> Vec<Field> {
    let text = |name| required(name, DataType::Utf8);
    let maybe_text = |name| optional(name, DataType::Utf8);
    let maybe_date = |name| optional(name, DataType::Date32);
    vec![
        text("event_id"),
        text("request_id"),
        required("sequence", DataType::Int32),
        text("kind"),
        text("actor"),
        required("at", timestamp()),
        text("rep_id"),
        text("period"),
        optional("amount", money()),
        optional("percent", DataType::Float64),
        optional("beyond_plan", DataType::Boolean),
        maybe_date("acts_from"),
        maybe_date("acts_until"),
        maybe_text("reason"),
        maybe_text("evidence"),
        maybe_text("idempotency"),
    ]
}

impl Event {
    /// Its own id: the request's and its number.
    pub fn id(&self) -> String {
        format!("{}-{}", self.request_id, self.sequence)
    }

    /// The columns of one row, in the order of [`fields`].
    pub(super) fn arrays(&self) -> Vec<ArrayRef> {
        let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values([value])) };
        let maybe = |value: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
        let date = |value: Option<Day>| -> ArrayRef { Arc::new(Date32Array::from(vec![value])) };
        let (amount, percent) = match self.ask.map(|ask| ask.change) {
            Some(Change::Pin(amount)) => (Some(i128::from(amount)), None),
            Some(Change::Percent(percent)) => (None, Some(percent)),
            None => (None, None),
        };
        vec![
            text(&self.id()),
            text(&self.request_id),
            Arc::new(Int32Array::from_iter_values([self.sequence])),
            text(self.kind.as_str()),
            text(&self.actor),
            Arc::new(TimestampMicrosecondArray::from_iter_values([self.at]).with_timezone("UTC")),
            text(&self.rep_id),
            text(&self.period),
            Arc::new(Decimal128Array::from(vec![amount]).with_data_type(money())),
            Arc::new(Float64Array::from(vec![percent])),
            Arc::new(BooleanArray::from(vec![self.ask.map(|ask| ask.beyond_plan)])),
            date(self.ask.and_then(|ask| ask.from)),
            date(self.ask.and_then(|ask| ask.until)),
            maybe(self.reason.as_deref()),
            maybe(self.evidence.as_deref()),
            maybe(self.idempotency.as_deref()),
        ]
    }

    /// Reads the rows of a batch.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where a column is missing, or a row is of no kind that this program knows.
    pub(super) fn read(batch: &RecordBatch, into: &mut Vec<Self>) -> Result<()> {
        let rows = Rows(batch);
        for row in 0..batch.num_rows() {
            let kind = rows.text("kind", row)?.unwrap_or_default();
            let kind = EventKind::parse(&kind).ok_or_else(|| {
                EngineError::Lake(format!(
                    "ops.adjustment has an event of the kind '{kind}', which this program doesn't know"
                ))
            })?;
            let amount =
                rows.value::<Decimal128Type>("amount", row)?.map(|amount| i64::try_from(amount).unwrap_or(0));
            let percent = rows.value::<Float64Type>("percent", row)?;
            let change = amount.map(Change::Pin).or(percent.map(Change::Percent));
            let beyond = rows.column("beyond_plan")?.as_boolean_opt().ok_or_else(|| wrong("beyond_plan"))?;
            let ask = Ask {
                change: change.unwrap_or(Change::Percent(0.0)),
                beyond_plan: beyond.is_valid(row) && beyond.value(row),
                from: rows.value::<Date32Type>("acts_from", row)?,
                until: rows.value::<Date32Type>("acts_until", row)?,
            };
            into.push(Self {
                request_id: rows.text("request_id", row)?.unwrap_or_default(),
                sequence: rows.value::<Int32Type>("sequence", row)?.unwrap_or(0),
                kind,
                actor: rows.text("actor", row)?.unwrap_or_default(),
                at: rows.value::<TimestampMicrosecondType>("at", row)?.unwrap_or(0),
                rep_id: rows.text("rep_id", row)?.unwrap_or_default(),
                period: rows.text("period", row)?.unwrap_or_default(),
                ask: change.map(|_| ask),
                reason: rows.text("reason", row)?,
                evidence: rows.text("evidence", row)?,
                // Came later: older files don't have it.
                idempotency: match rows.0.column_by_name("idempotency") {
                    Some(_) => rows.text("idempotency", row)?,
                    None => None,
                },
            });
        }
        Ok(())
    }
}

/// The cells of a batch by column name.
struct Rows<'a>(&'a RecordBatch);

impl Rows<'_> {
    fn column(&self, name: &str) -> Result<&dyn Array> {
        self.0.column_by_name(name).map(AsRef::as_ref).ok_or_else(|| wrong(name))
    }

    fn text(&self, name: &str, row: usize) -> Result<Option<String>> {
        let column = self.column(name)?.as_string_opt::<i32>().ok_or_else(|| wrong(name))?;
        Ok(column.is_valid(row).then(|| column.value(row).to_owned()))
    }

    fn value<T: arrow::datatypes::ArrowPrimitiveType>(
        &self,
        name: &str,
        row: usize,
    ) -> Result<Option<T::Native>> {
        let column = self.column(name)?.as_primitive_opt::<T>().ok_or_else(|| wrong(name))?;
        Ok(column.is_valid(row).then(|| column.value(row)))
    }
}

fn wrong(column: &str) -> EngineError {
    EngineError::Lake(format!("ops.adjustment has no column {column} of the type that this program writes"))
}
