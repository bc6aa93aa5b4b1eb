//! Parquet files, every value as exact text.
//!
//! Integers and decimals keep all their digits; a float is the shortest decimal that reads back as the same float, without
//! exponent; a date is `YYYY-MM-DD`; a timestamp is `YYYY-MM-DDThh:mm:ss[.fraction]`, with `Z` if it is in UTC.

use std::path::Path;

use anyhow::Context as _;
use arrow::array::{Array, ArrayRef, AsArray as _, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Content;
use crate::import::error::BadInput;

const BATCH_ROWS: usize = 8192;

pub(super) fn read(path: &Path) -> anyhow::Result<Content> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)
        .map_err(|error| BadInput::new(format!("{name}: not a readable Parquet file: {error}")))?;
    let header: Vec<String> = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    let mut columns: Vec<StringBuilder> = header.iter().map(|_| StringBuilder::new()).collect();
    let mut rows: u32 = 0;
    for batch in builder.with_batch_size(BATCH_ROWS).build().with_context(|| format!("{name}"))? {
        let batch = batch.with_context(|| format!("cannot read {name}"))?;
        rows = u32::try_from(batch.num_rows())
            .ok()
            .and_then(|more| rows.checked_add(more))
            .with_context(|| format!("{name}: too many rows"))?;
        for ((into, array), column) in columns.iter_mut().zip(batch.columns()).zip(&header) {
            append(into, array).with_context(|| format!("{name}, column {column}"))?;
        }
    }
    let columns: Vec<StringArray> = columns.iter_mut().map(StringBuilder::finish).collect();
    Ok(Content { header, columns, lines: (1..=rows).collect(), broken: Vec::new() })
}

fn append(into: &mut StringBuilder, array: &ArrayRef) -> anyhow::Result<()> {
    // Time zones other than UTC are shown in UTC, so that no zone table is needed.
    let array = match array.data_type() {
        DataType::Timestamp(_, Some(_)) => {
            &cast(array, &DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())))?
        }
        DataType::Dictionary(_, value) => &cast(array, value)?,
        _ => array,
    };
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
    for row in 0..array.len() {
        if array.is_null(row) {
            into.append_null();
            continue;
        }
        let text = match array.data_type() {
            DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
            DataType::Float32 => array.as_primitive::<Float32Type>().value(row).to_string(),
            _ => formatter.value(row).try_to_string()?,
        };
        into.append_option(Some(text.trim()).filter(|text| !text.is_empty()));
    }
    Ok(())
}
