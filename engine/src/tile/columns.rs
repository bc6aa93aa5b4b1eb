//! Columns of tiles: batches of a declared table, money, days, keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch};

use crate::error::{EngineError, Result};
use crate::lake::tables;
use crate::time::Day;

/// A batch of a declared table.
pub(crate) fn batch(table: &str, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(tables::spec(table)?.file_schema(), columns)
        .map_err(EngineError::arrow("building a tile"))
}

/// Minor units as `Decimal128(18, 2)`.
pub(crate) fn decimals(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(
        Decimal128Array::from_iter_values(values.into_iter().map(i128::from))
            .with_data_type(crate::contract::money()),
    )
}

/// Days as `Date32`.
pub(crate) fn dates(values: impl IntoIterator<Item = Option<Day>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<Date32Array>())
}

/// A key as the lake stores it.
pub(crate) fn signed(key: u32) -> i32 {
    i32::try_from(key).unwrap_or(i32::MAX)
}
