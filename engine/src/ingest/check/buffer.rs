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

    /// Appends a value; any other than the column's own, such as null, is null.
    pub(super) fn append(&mut self, value: Value<'_>) {
        match (self, value) {
            (Self::Text(builder), Value::Text(text)) => builder.append_value(text),
            (Self::Text(builder), _) => builder.append_null(),
            (Self::Time(builder), Value::Time(at)) => builder.append_value(at),
            (Self::Time(builder), _) => builder.append_null(),
            (Self::Date(builder), Value::Date(day)) => builder.append_value(day),
            (Self::Date(builder), _) => builder.append_null(),
            (Self::Money(builder), Value::Money(minor)) => builder.append_value(i128::from(minor)),
            (Self::Money(builder), _) => builder.append_null(),
            (Self::Number(builder), Value::Number(number)) => builder.append_value(number),
            (Self::Number(builder), _) => builder.append_null(),
            (Self::Count(builder), Value::Count(count)) => builder.append_value(count),
            (Self::Count(builder), _) => builder.append_null(),
            (Self::Flag(builder), Value::Flag(flag)) => builder.append_value(flag),
            (Self::Flag(builder), _) => builder.append_null(),
            (Self::Attributes(map), _) => map.push(std::iter::empty()),
        }
    }

    /// The column; nothing is left.
    ///
    /// # Errors
    /// Where Arrow refuses the parts of a map.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
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
