//! Which Arrow types a column may come in.

use arrow::datatypes::{DataType, Schema};

use crate::ingest::check::layout::{Kind, Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

/// The dictionary type that is read and kept.
pub(crate) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Whether a column of that kind can be made from that type.
pub(crate) fn accepts(kind: Kind, data_type: &DataType) -> bool {
    let data_type = match data_type {
        DataType::Dictionary(_, values) => values.as_ref(),
        other => other,
    };
    let text = is_text(data_type);
    let integer = data_type.is_integer();
    let day = matches!(data_type, DataType::Date32 | DataType::Date64);
    let time = matches!(data_type, DataType::Timestamp(..));
    if matches!(data_type, DataType::Null) {
        return true;
    }
    match kind {
        Kind::Id | Kind::Text | Kind::Count => text || integer,
        Kind::EventType | Kind::Channel => text,
        Kind::EventTime | Kind::Time => text || integer || day || time,
        Kind::Date => text || day || time,
        Kind::Money | Kind::Number => text || data_type.is_numeric(),
        Kind::Flag => text || integer || matches!(data_type, DataType::Boolean),
        Kind::Evidence => text || is_evidence_list(data_type),
        Kind::Attributes => text || is_text_map(data_type),
    }
}

/// The types that a column of that kind may have, in words.
pub(crate) fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Id | Kind::Text => "a string or an integer",
        Kind::EventType | Kind::Channel => "a string",
        Kind::EventTime | Kind::Time => {
            "a timestamp, a date, an integer (epoch microseconds) or an RFC 3339 string"
        }
        Kind::Date => "a date, a timestamp or a string YYYY-MM-DD",
        Kind::Money => "a decimal, an integer, a float or a string of digits",
        Kind::Number => "a number or a string of digits",
        Kind::Count => "an integer",
        Kind::Flag => "a boolean",
        Kind::Evidence => "JSON text or a list of struct{kind, uri, sha256} of strings",
        Kind::Attributes => "a map from string to string or JSON text",
    }
}

/// Whether batches of that schema can become records.
///
/// # Errors
/// The first column that is there twice, has a type that can't be converted, or isn't there.
pub(crate) fn fits(schema: &Schema, layout: &Layout) -> Result<(), Fault> {
    let mut given = 0_u32;
    for field in schema.fields() {
        let Slot::Column(position) = layout.slot(field.name()) else { continue };
        if given & 1 << position != 0 {
            return Err(Fault::column(position, reason::GIVEN_TWICE));
        }
        given |= 1 << position;
        if layout.columns.get(position).is_some_and(|column| !accepts(column.kind, field.data_type())) {
            return Err(Fault::column(position, reason::WRONG_TYPE));
        }
    }
    let missing = layout.required & !given;
    if missing == 0 { Ok(()) } else { Err(Fault::column(missing.trailing_zeros() as usize, reason::MISSING)) }
}

/// Text, or bytes that are meant to be text.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
    )
}

fn is_evidence_list(data_type: &DataType) -> bool {
    let (DataType::List(item) | DataType::LargeList(item)) = data_type else { return false };
    let DataType::Struct(fields) = item.data_type() else { return false };
    let text = |name: &str| fields.iter().any(|field| field.name() == name && is_text(field.data_type()));
    let optional =
        fields.iter().all(|field| field.name() != "sha256" || text("sha256") || field.data_type().is_null());
    text("kind") && text("uri") && optional
}

fn is_text_map(data_type: &DataType) -> bool {
    let DataType::Map(entries, _) = data_type else { return false };
    let DataType::Struct(fields) = entries.data_type() else { return false };
    fields.len() == 2 && fields.iter().all(|field| is_text(field.data_type()))
}
