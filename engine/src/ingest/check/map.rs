//! The `attributes` column: pairs in ascending order of their keys, one a key; no pairs, no map.

use std::sync::Arc;

use arrow::array::{ArrayRef, MapArray, StringBuilder, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::reason;
use crate::contract::attributes;
use crate::ingest::decode::record::Pair;

/// Sorts pairs by key and leaves one a key: what `attributes` says goes before a field of its own. A key that
/// `attributes` itself gives twice is refused.
pub(crate) fn settle(pairs: &mut Vec<Pair<'_>>) -> Result<(), &'static str> {
    if pairs.is_sorted_by(|a, b| a.key < b.key) {
        return Ok(());
    }
    pairs.sort_by(|a, b| a.key.cmp(&b.key).then(b.explicit.cmp(&a.explicit)));
    if pairs.windows(2).any(|two| two[0].key == two[1].key && two[0].explicit == two[1].explicit) {
        return Err(reason::GIVEN_TWICE);
    }
    pairs.dedup_by(|next, first| next.key == first.key);
    Ok(())
}

/// A growing `attributes` column.
#[derive(Debug, Default)]
pub(crate) struct MapColumn {
    ends: Vec<i32>,
    valid: Vec<bool>,
    keys: StringBuilder,
    values: StringBuilder,
    pairs: i32,
}

impl MapColumn {
    /// Makes all rows before `row` that have no pairs null.
    pub(crate) fn fill(&mut self, row: usize) {
        if self.ends.len() < row {
            self.ends.resize(row, self.pairs);
            self.valid.resize(row, false);
        }
    }

    /// Appends one row's pairs, which are sorted.
    pub(crate) fn push<'p>(&mut self, pairs: impl Iterator<Item = (&'p str, &'p str)>) {
        let before = self.pairs;
        for (key, value) in pairs {
            self.keys.append_value(key);
            self.values.append_value(value);
            self.pairs += 1;
        }
        self.ends.push(self.pairs);
        self.valid.push(self.pairs > before);
    }

    /// The column; nothing is left.
    ///
    /// # Errors
    /// Where Arrow refuses the parts.
    pub(crate) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let DataType::Map(field, sorted) = attributes() else {
            return Err(ArrowError::SchemaError("attributes is not a map".to_owned()));
        };
        let DataType::Struct(fields) = field.data_type().clone() else {
            return Err(ArrowError::SchemaError("attributes has no entries".to_owned()));
        };
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let nulls = NullBuffer::from(std::mem::take(&mut self.valid));
        self.pairs = 0;
        let entries: Vec<ArrayRef> = vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())];
        let entries = StructArray::try_new(fields, entries, None)?;
        let nulls = (nulls.null_count() > 0).then_some(nulls);
        Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?))
    }
}
