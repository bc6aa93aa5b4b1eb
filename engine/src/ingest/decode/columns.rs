//! Whole columns: a Parquet batch becomes a batch of the stream's schema without touching single rows, wherever the
//! columns already are what the contract wants; rows that break a rule are told apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::filter;
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use super::convert::convert;
use super::{events, nested};
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::ingest::check::layout::{Kind, Slot};
use crate::ingest::check::reason::{self, Fault};
use crate::ingest::check::rows::Checker;

/// The rows of a batch that broke a rule, with the first rule each broke.
#[derive(Debug)]
pub(crate) struct Faults {
    rows: usize,
    by_row: Vec<Option<Fault>>,
}

impl Faults {
    fn new(rows: usize) -> Self {
        Self { rows, by_row: Vec::new() }
    }

    /// Of no rows: takes no notes.
    pub(crate) fn none() -> Self {
        Self::new(0)
    }

    /// Notes a fault, unless the row has one.
    pub(crate) fn mark(&mut self, row: usize, fault: Fault) {
        if self.by_row.is_empty() {
            self.by_row = vec![None; self.rows];
        }
        if let Some(place) = self.by_row.get_mut(row) {
            place.get_or_insert(fault);
        }
    }

    /// The faulty rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, Fault)> + '_ {
        self.by_row.iter().enumerate().filter_map(|(row, fault)| fault.map(|fault| (row, fault)))
    }
}

/// The rows of a batch that satisfy the contract, and the faults of the others.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) good: RecordBatch,
    pub(crate) faults: Faults,
}

/// Checks a batch whose columns go to `slots`.
///
/// # Errors
/// [`EngineError::Arrow`] where a conversion that the file's types promised fails.
pub(crate) fn check(batch: &RecordBatch, slots: &[Slot], checker: &Checker) -> Result<Checked> {
    let rows = batch.num_rows();
    let mut faults = Faults::new(rows);
    let columns =
        convert_all(batch, slots, checker, &mut faults).map_err(EngineError::arrow("converting columns"))?;
    let keep: Option<BooleanArray> = (!faults.by_row.is_empty())
        .then(|| faults.by_row.iter().map(|fault| Some(fault.is_none())).collect());
    let mut fields = Vec::with_capacity(columns.len());
    let mut kept = Vec::with_capacity(columns.len());
    for (field, column) in checker.layout.schema.fields().iter().zip(columns) {
        let column = match &keep {
            Some(keep) => filter(&column, keep).map_err(EngineError::arrow("leaving out rows"))?,
            None => column,
        };
        fields.push(Field::new(field.name(), column.data_type().clone(), field.is_nullable()));
        kept.push(column);
    }
    let good = RecordBatch::try_new(Arc::new(Schema::new(fields)), kept)
        .map_err(EngineError::arrow("gathering columns"))?;
    Ok(Checked { good, faults })
}

fn convert_all(
    batch: &RecordBatch,
    slots: &[Slot],
    checker: &Checker,
    faults: &mut Faults,
) -> std::result::Result<Vec<ArrayRef>, ArrowError> {
    let layout = &checker.layout;
    let rows = batch.num_rows();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(layout.columns.len());
    let mut counted = None;
    for (position, column) in layout.columns.iter().enumerate() {
        let source = slots.iter().position(|slot| *slot == Slot::Column(position)).map(|at| batch.column(at));
        let converted = match (column.kind, source) {
            (Kind::Attributes, source) => {
                let extras: Vec<usize> = (0..slots.len()).filter(|at| slots[*at] == Slot::Extra).collect();
                nested::attributes(batch, source, &extras, position, faults)?
            }
            (Kind::Evidence, Some(source)) => {
                let (texts, lengths) = nested::evidence(source, position, faults)?;
                counted = lengths;
                texts
            }
            (_, Some(source)) => convert(source, column, position, checker, faults)?,
            (_, None) => new_null_array(layout.schema.field(position).data_type(), rows),
        };
        if column.required && converted.null_count() > 0 {
            for row in (0..rows).filter(|row| converted.is_null(*row)) {
                faults.mark(row, Fault::column(position, reason::MISSING));
            }
        }
        columns.push(converted);
    }
    if layout.stream == Stream::Behaviour {
        events::check(&mut columns, counted.as_ref(), &checker.rules, faults)?;
    }
    Ok(columns)
}
