//! Which `first` models have come true for which customers: a bit each, so that a first once seen costs nothing more.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch};

use crate::catalogue::{Catalogue, Definition, Entity, EventCode, Sequence};
use crate::error::Result;
use crate::measure::facts::Names;
use crate::tile::keys::{Keys, NO_KEY, column, index};
use crate::tile::{batch, signed};

/// Bits by customer key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Firsts {
    bits: Vec<i64>,
}

/// The `first` models of customers, by bit; beyond the bits of a number the facts themselves are kept.
fn models(catalogue: &Catalogue) -> impl Iterator<Item = (i64, &Definition)> {
    let of_customers = catalogue.definitions().iter().filter(|definition| {
        definition.entity == Entity::Customer && matches!(definition.sequence, Sequence::First { .. })
    });
    (0..63).map(|bit| 1_i64 << bit).zip(of_customers)
}

impl Firsts {
    /// Reads batches of `tile.first_life`.
    pub(crate) fn read(batches: &[RecordBatch], keys: &Keys) -> Result<Self> {
        let mut bits = vec![0; keys.len()];
        for rows in batches {
            let (numbers, fired) = (column::<Int32Array>(rows, 0)?, column::<Int64Array>(rows, 1)?);
            for row in 0..rows.num_rows() {
                let key = usize::try_from(numbers.value(row)).ok();
                if let Some(slot) = key.and_then(|key| bits.get_mut(key)) {
                    *slot = fired.value(row);
                }
            }
        }
        Ok(Self { bits })
    }

    /// A batch of `tile.first_life`.
    pub(crate) fn to_batch(&self) -> Result<RecordBatch> {
        let rows = || self.bits.iter().zip(0_u32..).filter(|(bits, _)| **bits != 0);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values(rows().map(|(_, key)| signed(key)))),
            Arc::new(Int64Array::from_iter_values(rows().map(|(bits, _)| *bits))),
        ];
        batch("tile.first_life", columns)
    }

    /// Tells whether a model has come true for a customer of those that facts name, by its number.
    pub(crate) fn known(
        &self,
        catalogue: &Catalogue,
        keys: &Keys,
        customers: &Names,
    ) -> impl Fn(EventCode, u32) -> bool + use<> {
        let mut bit_of = vec![0; catalogue.models().len()];
        for (bit, definition) in models(catalogue) {
            bit_of[definition.code.index()] = bit;
        }
        let fired = |key: u32| self.bits.get(index(key)).copied().unwrap_or(0);
        let fired: Vec<i64> = keys.get_all(customers.iter()).into_iter().map(fired).collect();
        move |model, customer| {
            fired.get(index(customer)).is_some_and(|bits| bits & bit_of[model.index()] != 0)
        }
    }

    /// Notes events of customers: their first ones have come true.
    pub(crate) fn note<'a>(
        &mut self,
        catalogue: &Catalogue,
        keys: &Keys,
        events: impl Iterator<Item = (EventCode, &'a str)>,
    ) {
        self.bits.resize(keys.len(), 0);
        let mut bits_of = vec![0; catalogue.models().len()];
        for (bit, definition) in models(catalogue) {
            for code in definition.sequence.codes().0 {
                bits_of[code.index()] |= bit;
            }
        }
        for (code, customer) in events.filter(|(code, _)| bits_of[code.index()] != 0) {
            let key = keys.get(customer);
            if key != NO_KEY {
                self.bits[index(key)] |= bits_of[code.index()];
            }
        }
    }
}
