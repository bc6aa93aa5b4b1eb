//! One growing column of checked values.

use std::sync::Arc;

use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int32Builder,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::error::ArrowError;

use super::layout::Kind;
use super::map::MapColumn;
use crate::contract::{money, timestamp};
use crate::time::{Day, Micros};

/// A checked value, borrowed from its record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Value<'r> {
    #[default]
    Null,
    Text(&'r str),
    Time(Micros),
    Date(Day),
    Money(i64),
    Number(f64),
    Count(i32),
    Flag(bool),
}

/// A builder that stands at a row: those before it that have no value are null.
macro_rules! at {
    ($builder:expr, $row:expr) => {{
        let gap = $row.saturating_sub($builder.len());
        if gap > 0 {
            $builder.append_nulls(gap);
        }
        $builder
    }};
}

/// One growing column.
#[derive(Debug)]
pub(super) enum Buffer {
    Text(StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Money(Decimal128Builder),
    Number(Float64Builder),
    Count(Int32Builder),
    Flag(BooleanBuilder),
    Attributes(MapColumn),
}

impl Buffer {
    /// No values, for a column of that kind.
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Id | Kind::Text | Kind::EventType | Kind::Channel | Kind::Evidence => {
                Self::Text(StringBuilder::new())
            }
            Kind::EventTime | Kind::Time => {
                Self::Time(TimestampMicrosecondBuilder::new().with_data_type(timestamp()))
            }
            Kind::Date => Self::Date(Date32Builder::new()),
            Kind::Money => Self::Money(Decimal128Builder::new().with_data_type(money())),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Count => Self::Count(Int32Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Attributes => Self::Attributes(MapColumn::default()),
        }
    }

    /// Sets the value of a row after the last that was set; the rows between are null, as is one whose value is of
    /// another kind.
    pub(super) fn set(&mut self, row: usize, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => at!(builder, row).append_value(text),
            (Self::Time(builder), Value::Time(at)) => at!(builder, row).append_value(at),
            (Self::Date(builder), Value::Date(day)) => at!(builder, row).append_value(day),
            (Self::Money(builder), Value::Money(minor)) => at!(builder, row).append_value(i128::from(minor)),
            (Self::Number(builder), Value::Number(number)) => at!(builder, row).append_value(number),
            (Self::Count(builder), Value::Count(count)) => at!(builder, row).append_value(count),
            (Self::Flag(builder), Value::Flag(flag)) => at!(builder, row).append_value(flag),
            _ => {}
        }
    }

    /// Makes all rows before `row` that have no value null.
    fn fill(&mut self, row: usize) {
        match self {
            Self::Text(builder) => drop(at!(builder, row)),
            Self::Time(builder) => drop(at!(builder, row)),
            Self::Date(builder) => drop(at!(builder, row)),
            Self::Money(builder) => drop(at!(builder, row)),
            Self::Number(builder) => drop(at!(builder, row)),
            Self::Count(builder) => drop(at!(builder, row)),
            Self::Flag(builder) => drop(at!(builder, row)),
            Self::Attributes(map) => map.fill(row),
        }
    }

    /// The column of so many rows; nothing is left.
    ///
    /// # Errors
    /// Where Arrow refuses the parts of a map.
    pub(super) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.fill(rows);
        Ok(match self {
            Self::Text(builder) => {
                // The next batch is about as large.
                let (rows, bytes) = (builder.len(), builder.values_slice().len());
                let column = builder.finish();
                *builder = StringBuilder::with_capacity(rows, bytes + bytes / 8);
                Arc::new(column)
            }
            Self::Time(builder) => Arc::new(builder.finish()),
            Self::Date(builder) => Arc::new(builder.finish()),
            Self::Money(builder) => Arc::new(builder.finish()),
            Self::Number(builder) => Arc::new(builder.finish()),
            Self::Count(builder) => Arc::new(builder.finish()),
            Self::Flag(builder) => Arc::new(builder.finish()),
            Self::Attributes(map) => map.finish()?,
        })
    }
}
