//! NDJSON: one object a line, read straight into a record.

use super::record::{Cell, Record};
use super::scan::{Malformed, Scanner};
use crate::ingest::check::layout::{Kind, Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

impl From<Malformed> for Fault {
    fn from(Malformed: Malformed) -> Self {
        Self::record(reason::NOT_JSON)
    }
}

/// Reads objects into records. It remembers which field came at which place, because producers keep their order.
#[derive(Debug, Default)]
pub(crate) struct JsonReader {
    order: Vec<(String, Slot)>,
}

impl JsonReader {
    /// Reads one object into an emptied record.
    pub(crate) fn read<'a>(
        &mut self,
        text: &'a str,
        layout: &Layout,
        record: &mut Record<'a>,
    ) -> Result<(), Fault> {
        let mut scanner = Scanner::new(text);
        if scanner.peek() != Some(b'{') {
            let is_json = scanner.raw().and_then(|_| scanner.end()).is_ok();
            return Err(Fault::record(if is_json { reason::NOT_AN_OBJECT } else { reason::NOT_JSON }));
        }
        let mut place = 0;
        // A wrong field is told only once the rest has proved to be JSON.
        let mut fault = None;
        scanner.members(|scanner, key| {
            let slot = self.slot(place, &key, layout);
            place += 1;
            match slot {
                Slot::Column(column) => {
                    if !record.see(column) {
                        fault.get_or_insert(Fault::column(column, reason::GIVEN_TWICE));
                    }
                    let is_map =
                        layout.columns.get(column).is_some_and(|column| column.kind == Kind::Attributes);
                    if is_map && scanner.peek() == Some(b'{') {
                        scanner.pairs(&mut record.pairs)?;
                    } else {
                        record.set(column, scanner.value()?);
                    }
                }
                Slot::Extra => record.add_extra(key, scanner.value()?),
                Slot::Derived => drop(scanner.raw()?),
            }
            Ok::<(), Fault>(())
        })?;
        scanner.end()?;
        fault.map_or(Ok(()), Err)
    }

    fn slot(&mut self, place: usize, key: &str, layout: &Layout) -> Slot {
        match self.order.get_mut(place) {
            Some((known, slot)) if known == key => *slot,
            Some(entry) => {
                let slot = layout.slot(key);
                *entry = (key.to_owned(), slot);
                slot
            }
            None => {
                let slot = layout.slot(key);
                if self.order.len() < PLACES_MAX {
                    self.order.push((key.to_owned(), slot));
                }
                slot
            }
        }
    }
}

/// Places of an object whose field is remembered.
const PLACES_MAX: usize = 64;

/// The pairs of an `attributes` cell that holds JSON text.
pub(crate) fn read_pairs<'a>(
    text: &'a str,
    pairs: &mut Vec<super::record::Pair<'a>>,
) -> Result<(), &'static str> {
    let mut scanner = Scanner::new(text);
    scanner.pairs(pairs).and_then(|()| scanner.end()).map_err(|_| reason::NOT_A_MAP)
}

/// A cell that holds nothing.
pub(crate) fn is_missing(cell: &Cell<'_>) -> bool {
    match cell {
        Cell::Missing | Cell::Plain("") => true,
        Cell::Text(text) => text.is_empty(),
        _ => false,
    }
}
