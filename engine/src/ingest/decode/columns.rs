//! Whole columns: a Parquet batch becomes a batch of the stream's schema without touching single rows, wherever the
//! columns already are what the contract wants; rows that break a rule are told apart.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
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

/// A batch of the stream's columns, and the faults of the rows that don't satisfy the contract.
#[derive(Debug)]
pub(crate) struct Checked {
    /// Every row, those with a fault too.
    pub(crate) batch: RecordBatch,
    /// The rows without a fault; none where all are.
    pub(crate) good: Option<BooleanBuffer>,
    pub(crate) faults: Faults,
}

/// Checks a batch whose columns go to `slots`.
///
/// # Errors
/// [`EngineError::Arrow`] where a conversion that the file's types promised fails.
pub(crate) fn check(batch: &RecordBatch, slots: &[Slot], checker: &Checker) -> Result<Checked> {
    let mut faults = Faults::new(batch.num_rows());
    let columns =
        convert_all(batch, slots, checker, &mut faults).map_err(EngineError::arrow("converting columns"))?;
    let fields: Vec<Field> = checker
        .layout
        .schema
        .fields()
        .iter()
        .zip(&columns)
        // Of a refused row any column may be null.
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    let good = (!faults.by_row.is_empty()).then(|| faults.by_row.iter().map(Option::is_none).collect());
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(EngineError::arrow("gathering columns"))?;
    Ok(Checked { batch, good, faults })
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
