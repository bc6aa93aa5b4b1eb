//! One column of a Parquet batch as its kind wants it; values that can't be are faults of their rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBuilder, DictionaryArray, PrimitiveArray,
    PrimitiveBuilder, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use arrow::error::ArrowError;

use super::columns::Faults;
use super::types;
use crate::contract::{ID_BYTES_MAX, money, timestamp};
use crate::ingest::check::layout::{Column, Kind};
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::check::rows::Checker;
use crate::ingest::check::value;
use crate::time::Zone;

/// What a conversion answers; an error only where Arrow refuses what the types promised.
pub(super) type Convert<T> = Result<T, ArrowError>;
type TimeArray = PrimitiveArray<TimestampMicrosecondType>;

/// Converts a column of the source; the rows that can't be converted are null and marked.
pub(super) fn convert(
    source: &ArrayRef,
    column: &Column,
    position: usize,
    checker: &Checker,
    faults: &mut Faults,
) -> Convert<ArrayRef> {
    let zone = &checker.zone;
    let source = match source.data_type() {
        DataType::Dictionary(_, values) if !is_text_kind(column.kind) => &cast(source, values)?,
        _ => source,
    };
    Ok(match column.kind {
        Kind::Id => text(source, Some(ID_BYTES_MAX), position, faults)?,
        Kind::Text | Kind::EventType | Kind::Channel => text(source, None, position, faults)?,
        Kind::EventTime => {
            let times = time(source, position, zone, faults)?;
            for (row, at) in times.values().iter().enumerate() {
                if let Err(reason) = value::event_time(*at, checker.latest)
                    && times.is_valid(row)
                {
                    faults.mark(row, Fault::column(position, reason));
                }
            }
            Arc::new(times)
        }
        Kind::Time => Arc::new(time(source, position, zone, faults)?),
        Kind::Date => match source.data_type() {
            DataType::Date32 | DataType::Date64 => cast(source, &DataType::Date32)?,
            DataType::Timestamp(..) => {
                let times = time(source, position, zone, faults)?;
                Arc::new(times.unary::<_, Date32Type>(|at| zone.day(at)))
            }
            _ => Arc::new(parse::<Date32Type>(source, position, faults, |text| value::date(text, zone))?),
        },
        Kind::Money => amount(source, position, faults)?,
        Kind::Number => number(source, position, faults)?,
        Kind::Count => count(source, position, faults)?,
        Kind::Flag => flag(source, position, faults)?,
        Kind::Evidence | Kind::Attributes => Arc::clone(source),
    })
}

fn is_text_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Id | Kind::Text | Kind::EventType | Kind::Channel)
}

/// Any source as strings; what is not UTF-8 is a fault.
pub(super) fn strings(source: &ArrayRef, position: usize, faults: &mut Faults) -> Convert<StringArray> {
    let fault = Fault::column(position, reason::NOT_UTF8);
    let array = overflow_checked(source, &DataType::Utf8, fault, faults)?;
    Ok(array.as_string::<i32>().clone())
}

/// Text of at most `bytes_max` bytes; empty text is null. A clean dictionary stays one.
fn text(
    source: &ArrayRef,
    bytes_max: Option<usize>,
    position: usize,
    faults: &mut Faults,
) -> Convert<ArrayRef> {
    let bytes_max = bytes_max.unwrap_or(usize::MAX);
    if *source.data_type() == types::dictionary() {
        let dictionary: &DictionaryArray<Int32Type> = source.as_dictionary();
        let values = dictionary.values().as_string::<i32>();
        let clean = |text: Option<&str>| text.is_some_and(|text| !text.is_empty() && text.len() <= bytes_max);
        if values.iter().all(clean) {
            return Ok(Arc::clone(source));
        }
    }
    let array = strings(source, position, faults)?;
    let mut empty = false;
    for (row, ends) in array.value_offsets().windows(2).enumerate() {
        let bytes = usize::try_from(ends[1] - ends[0]).unwrap_or_default();
        empty |= bytes == 0;
        if bytes > bytes_max && array.is_valid(row) {
            faults.mark(row, Fault::column(position, reason::ID_TOO_LONG));
        }
    }
    if !empty {
        return Ok(Arc::new(array));
    }
    let full: NullBuffer = array.value_offsets().windows(2).map(|ends| ends[1] > ends[0]).collect();
    let nulls = NullBuffer::union(array.nulls(), Some(&full));
    let (offsets, values, _) = array.into_parts();
    Ok(Arc::new(StringArray::try_new(offsets, values, nulls)?))
}

/// Instants as `Timestamp(µs, UTC)`. Without a zone the numbers are UTC already; with one they are instants.
fn time(source: &ArrayRef, position: usize, zone: &Zone, faults: &mut Faults) -> Convert<TimeArray> {
    let fault = Fault::column(position, reason::NOT_A_TIME);
    let micros: TimeArray = match source.data_type() {
        DataType::Timestamp(_, named) => {
            let target = DataType::Timestamp(TimeUnit::Microsecond, named.clone());
            overflow_checked(source, &target, fault, faults)?.as_primitive().clone()
        }
        DataType::Date32 | DataType::Date64 => {
            let days = cast(source, &DataType::Date32)?;
            days.as_primitive::<Date32Type>().unary(|day| zone.start(day))
        }
        other if other.is_integer() => {
            let numbers = overflow_checked(source, &DataType::Int64, fault, faults)?;
            numbers.as_primitive::<Int64Type>().reinterpret_cast()
        }
        _ => parse(source, position, faults, |text| value::time_or_date(text, zone))?,
    };
    for (row, at) in micros.values().iter().enumerate() {
        if !value::in_range(*at) && micros.is_valid(row) {
            faults.mark(row, fault);
        }
    }
    Ok(micros.with_data_type(timestamp()))
}

/// A cast whose values out of range are faults.
fn overflow_checked(
    source: &ArrayRef,
    target: &DataType,
    fault: Fault,
    faults: &mut Faults,
) -> Convert<ArrayRef> {
    let array = cast(source, target)?;
    if array.null_count() > source.logical_null_count() {
        for row in (0..array.len()).filter(|row| array.is_null(*row) && source.is_valid(*row)) {
            faults.mark(row, fault);
        }
    }
    Ok(array)
}

/// Counts as `Int32`.
fn count(source: &ArrayRef, position: usize, faults: &mut Faults) -> Convert<ArrayRef> {
    if !source.data_type().is_integer() {
        return Ok(Arc::new(parse::<Int32Type>(source, position, faults, value::count)?));
    }
    let fault = Fault::column(position, reason::NOT_A_COUNT);
    let counts = overflow_checked(source, &DataType::Int32, fault, faults)?;
    let array = counts.as_primitive::<Int32Type>();
    if array.values().iter().any(|count| *count < 0) {
        for (row, _) in array.iter().enumerate().filter(|(_, count)| count.is_some_and(|count| count < 0)) {
            faults.mark(row, fault);
        }
    }
    Ok(counts)
}

fn amount(source: &ArrayRef, position: usize, faults: &mut Faults) -> Convert<ArrayRef> {
    let data_type = source.data_type();
    if *data_type == money() {
        return Ok(Arc::clone(source));
    }
    if !data_type.is_decimal() && !data_type.is_integer() {
        let minor =
            parse::<Decimal128Type>(source, position, faults, |text| value::money(text).map(i128::from))?;
        return Ok(Arc::new(minor.with_data_type(money())));
    }
    let scale = match data_type {
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => *scale,
        _ => 0,
    };
    let wide = cast(source, &DataType::Decimal128(38, scale))?;
    let wide = wide.as_primitive::<Decimal128Type>();
    let mut builder = PrimitiveBuilder::<Decimal128Type>::with_capacity(wide.len()).with_data_type(money());
    for row in 0..wide.len() {
        if source.is_null(row) {
            builder.append_null();
            continue;
        }
        let minor = if wide.is_valid(row) {
            value::money_of_decimal(wide.value(row), scale)
        } else {
            Err(reason::TOO_LARGE)
        };
        if let Err(reason) = minor {
            faults.mark(row, Fault::column(position, reason));
        }
        builder.append_option(minor.ok().map(i128::from));
    }
    Ok(Arc::new(builder.finish()))
}

fn number(source: &ArrayRef, position: usize, faults: &mut Faults) -> Convert<ArrayRef> {
    if types::is_text(source.data_type()) || source.data_type().is_null() {
        return Ok(Arc::new(parse::<Float64Type>(source, position, faults, value::number)?));
    }
    let numbers = cast(source, &DataType::Float64)?;
    let floats = numbers.as_primitive::<Float64Type>();
    for (row, number) in floats.values().iter().enumerate() {
        if !number.is_finite() && floats.is_valid(row) {
            faults.mark(row, Fault::column(position, reason::NOT_FINITE));
        }
    }
    Ok(numbers)
}

fn flag(source: &ArrayRef, position: usize, faults: &mut Faults) -> Convert<ArrayRef> {
    if matches!(source.data_type(), DataType::Boolean) {
        return Ok(Arc::clone(source));
    }
    let texts = strings(source, position, faults)?;
    let mut builder = BooleanBuilder::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let flag = text.filter(|text| !text.is_empty()).map(value::flag).transpose();
        if let Err(reason) = flag {
            faults.mark(row, Fault::column(position, reason));
        }
        builder.append_option(flag.ok().flatten());
    }
    Ok(Arc::new(builder.finish()))
}

/// Converts by way of text, value by value; empty text is null.
fn parse<T: ArrowPrimitiveType>(
    source: &ArrayRef,
    position: usize,
    faults: &mut Faults,
    convert: impl Fn(&str) -> Result<T::Native, &'static str>,
) -> Convert<PrimitiveArray<T>> {
    let texts = strings(source, position, faults)?;
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let value = text.filter(|text| !text.is_empty()).map(&convert).transpose();
        if let Err(reason) = value {
            faults.mark(row, Fault::column(position, reason));
        }
        builder.append_option(value.ok().flatten());
    }
    Ok(builder.finish())
}
