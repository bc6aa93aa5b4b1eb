//! The columns of a Parquet batch that are made of parts: `evidence`, `attributes`, and the fields that are no column.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, Int32Builder, ListArray, MapArray, RecordBatch, StringArray,
    StringBuilder, new_null_array,
};
use arrow::compute::{can_cast_types, cast};
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, make_encoder};

use super::columns::Faults;
use super::convert::{Convert, strings};
use super::json::read_pairs;
use super::record::Pair;
use crate::contract::attributes as attributes_type;
use crate::ingest::check::evidence::{canonical, push_item};
use crate::ingest::check::map::{MapColumn, settle};
use crate::ingest::check::reason::{self, Fault};

/// Evidence as canonical JSON text, and the length of each row's list; no lengths where no row has a list.
pub(super) fn evidence(
    source: &ArrayRef,
    position: usize,
    faults: &mut Faults,
) -> Convert<(ArrayRef, Option<Int32Array>)> {
    let rows = source.len();
    if source.logical_null_count() == rows {
        return Ok((new_null_array(&DataType::Utf8, rows), None));
    }
    let fault = Fault::column(position, reason::NOT_EVIDENCE);
    let mut texts = StringBuilder::with_capacity(rows, rows);
    let mut lengths = Int32Builder::with_capacity(rows);
    let mut push = |row: usize, length: Option<Result<i32, ()>>, text: &str| {
        match length {
            Some(Ok(length)) if length > 0 => texts.append_value(text),
            Some(Err(())) => {
                faults.mark(row, fault);
                texts.append_null();
            }
            _ => texts.append_null(),
        }
        lengths.append_option(length.and_then(Result::ok));
    };
    let mut text = String::new();
    if let DataType::List(_) | DataType::LargeList(_) = source.data_type() {
        let lists = EvidenceLists::new(source)?;
        for row in 0..rows {
            text.clear();
            push(row, source.is_valid(row).then(|| lists.write(row, &mut text)), &text);
        }
    } else {
        let mut ignored = Faults::none();
        for (row, json) in strings(source, position, &mut ignored)?.iter().enumerate() {
            text.clear();
            let unreadable = json.is_none() && source.is_valid(row);
            let json = json.filter(|json| !json.is_empty());
            let length = json.map(|json| canonical(json, &mut text).map_err(|_| ()));
            push(row, if unreadable { Some(Err(())) } else { length }, &text);
        }
    }
    Ok((Arc::new(texts.finish()), Some(lengths.finish())))
}

/// A column of lists of struct{kind, uri, sha256}, other members left aside.
struct EvidenceLists {
    lists: ListArray,
    kinds: StringArray,
    uris: StringArray,
    hashes: Option<StringArray>,
}

impl EvidenceLists {
    fn new(source: &ArrayRef) -> Convert<Self> {
        let (DataType::List(item) | DataType::LargeList(item)) = source.data_type() else {
            return Err(ArrowError::SchemaError("evidence is not a list".to_owned()));
        };
        let lists = cast(source, &DataType::List(Arc::clone(item)))?.as_list::<i32>().clone();
        let items = lists.values().as_struct();
        let column =
            |name: &str| items.column_by_name(name).map(|column| cast(column, &DataType::Utf8)).transpose();
        let text = |column: Option<ArrayRef>| column.map(|column| column.as_string::<i32>().clone());
        let none = || StringArray::new_null(items.len());
        let kinds = text(column("kind")?).unwrap_or_else(none);
        let uris = text(column("uri")?).unwrap_or_else(none);
        let hashes = text(column("sha256")?);
        Ok(Self { lists, kinds, uris, hashes })
    }

    /// Writes one row's list as text and returns its length.
    fn write(&self, row: usize, text: &mut String) -> Result<i32, ()> {
        let ends = self.lists.value_offsets();
        let end = |at: usize| usize::try_from(ends[at]).unwrap_or_default();
        text.push('[');
        for item in end(row)..end(row + 1) {
            if item > end(row) {
                text.push(',');
            }
            if self.lists.values().is_null(item) || self.kinds.is_null(item) || self.uris.is_null(item) {
                return Err(());
            }
            let hash = self.hashes.as_ref().filter(|hashes| hashes.is_valid(item));
            push_item(
                self.kinds.value(item),
                self.uris.value(item),
                hash.map(|hashes| hashes.value(item)),
                text,
            );
        }
        text.push(']');
        Ok(ends[row + 1] - ends[row])
    }
}

/// The `attributes` column: the source's map or JSON text, and the fields at `extras`, which are no column.
pub(super) fn attributes(
    batch: &RecordBatch,
    source: Option<&ArrayRef>,
    extras: &[usize],
    position: usize,
    faults: &mut Faults,
) -> Convert<ArrayRef> {
    let rows = batch.num_rows();
    let source = source.filter(|source| source.logical_null_count() < rows);
    if extras.is_empty() {
        match source {
            None => return Ok(new_null_array(&attributes_type(), rows)),
            Some(source) if is_canonical(source) => return retyped(source),
            Some(_) => {}
        }
    }
    let mut names = Vec::with_capacity(extras.len());
    for &at in extras {
        let field = batch.schema_ref().field(at);
        names.push((field.name().as_str(), extra_texts(field, batch.column(at))?));
    }
    let map = match source.map(Array::data_type) {
        Some(DataType::Map(..)) => source.map(|source| cast(source, &attributes_type())).transpose()?,
        _ => None,
    };
    let texts = match (source, &map) {
        (Some(source), None) => Some(strings(source, position, faults)?),
        _ => None,
    };
    let mut column = MapColumn::default();
    for row in 0..rows {
        let mut pairs: Vec<Pair<'_>> = Vec::new();
        let mut checked = Ok(());
        if let Some(map) = &map {
            map_pairs(map.as_map(), row, &mut pairs);
        }
        if let Some(texts) = &texts
            && texts.is_valid(row)
            && !texts.value(row).is_empty()
        {
            checked = read_pairs(texts.value(row), &mut pairs);
        }
        for (name, texts) in &names {
            if texts.is_valid(row) && !texts.value(row).is_empty() {
                let (key, value) = (Cow::Borrowed(*name), Cow::Borrowed(texts.value(row)));
                pairs.push(Pair { key, value, explicit: false });
            }
        }
        if let Err(reason) = checked.and_then(|()| settle(&mut pairs)) {
            faults.mark(row, Fault::column(position, reason));
            pairs.clear();
        }
        column.push(pairs.iter().map(|pair| (pair.key.as_ref(), pair.value.as_ref())));
    }
    column.finish()
}

fn map_pairs<'a>(map: &'a MapArray, row: usize, pairs: &mut Vec<Pair<'a>>) {
    if map.is_null(row) {
        return;
    }
    let (keys, values) = (map.keys().as_string::<i32>(), map.values().as_string::<i32>());
    let ends = map.value_offsets();
    let range = |at: usize| usize::try_from(ends[at]).unwrap_or_default();
    for entry in range(row)..range(row + 1) {
        if values.is_valid(entry) {
            let (key, value) = (Cow::Borrowed(keys.value(entry)), Cow::Borrowed(values.value(entry)));
            pairs.push(Pair { key, value, explicit: true });
        }
    }
}

/// Whether a map needs no work: string keys ascending within each row, no null values, no empty maps.
fn is_canonical(source: &ArrayRef) -> bool {
    let DataType::Map(..) = source.data_type() else { return false };
    let map = source.as_map();
    let (Some(keys), Some(values)) = (map.keys().as_string_opt::<i32>(), map.values().as_string_opt::<i32>())
    else {
        return false;
    };
    if keys.null_count() + values.null_count() > 0 {
        return false;
    }
    map.value_offsets().windows(2).enumerate().all(|(row, ends)| {
        let (first, last) = (usize::try_from(ends[0]).unwrap_or(0), usize::try_from(ends[1]).unwrap_or(0));
        let ascending = (first + 1..last).all(|entry| keys.value(entry - 1) < keys.value(entry));
        ascending && map.is_valid(row) == (last > first)
    })
}

/// A map of the right content under the contract's field names.
fn retyped(source: &ArrayRef) -> Convert<ArrayRef> {
    let (_, offsets, entries, nulls, _) = source.as_map().clone().into_parts();
    let DataType::Map(field, sorted) = attributes_type() else {
        return Err(ArrowError::SchemaError("attributes is not a map".to_owned()));
    };
    let DataType::Struct(fields) = field.data_type().clone() else {
        return Err(ArrowError::SchemaError("attributes has no entries".to_owned()));
    };
    let (_, columns, _) = entries.into_parts();
    let entries = arrow::array::StructArray::try_new(fields, columns, None)?;
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?))
}

/// A field that is no column as text: scalars as their text, lists and structs as JSON.
fn extra_texts(field: &Field, source: &ArrayRef) -> Convert<StringArray> {
    if !source.data_type().is_nested() && can_cast_types(source.data_type(), &DataType::Utf8) {
        return Ok(cast(source, &DataType::Utf8)?.as_string::<i32>().clone());
    }
    let options = EncoderOptions::default();
    let field = Arc::new(field.clone());
    let mut encoder = make_encoder(&field, source.as_ref(), &options)?;
    let mut texts = StringBuilder::new();
    let mut bytes = Vec::new();
    for row in 0..source.len() {
        if encoder.is_null(row) {
            texts.append_null();
            continue;
        }
        bytes.clear();
        encoder.encode(row, &mut bytes);
        texts.append_value(String::from_utf8_lossy(&bytes));
    }
    Ok(texts.finish())
}

/// One row as JSON, for its dead letter; empty where a column has no JSON form.
pub(crate) fn row_json(batch: &RecordBatch, row: usize) -> Vec<u8> {
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    let written = writer.write(&batch.slice(row, 1)).and_then(|()| writer.finish());
    if written.is_err() {
        return Vec::new();
    }
    let mut bytes = writer.into_inner();
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes
}
