//! NDJSON: one object a line, read straight into a record.

use rustc_hash::FxHashMap;

use super::record::{Cell, Record};
use super::scan::{Malformed, Scanner};
use crate::ingest::check::layout::{Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

impl From<Malformed> for Fault {
    fn from(Malformed: Malformed) -> Self {
        Self::record(reason::NOT_JSON)
    }
}

/// Reads objects into records.
#[derive(Debug)]
pub(crate) struct JsonReader {
    /// The fields that are not extra.
    slots: FxHashMap<String, Slot>,
}

impl JsonReader {
    /// For records of that layout.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { slots: layout.slots().map(|(name, slot)| (name.to_owned(), slot)).collect() }
    }

    /// Reads one object into an emptied record.
    pub(crate) fn read<'a>(
        &self,
        text: &'a str,
        layout: &Layout,
        record: &mut Record<'a>,
    ) -> Result<(), Fault> {
        let mut scanner = Scanner::new(text);
        if scanner.peek() != Some(b'{') {
            let is_json = scanner.raw().and_then(|_| scanner.end()).is_ok();
            return Err(Fault::record(if is_json { reason::NOT_AN_OBJECT } else { reason::NOT_JSON }));
        }
        // A wrong field is told only once the rest has proved to be JSON.
        let mut fault = None;
        let mut more = scanner.open_object()?;
        while more {
            let key = scanner.key()?;
            let slot = self.slots.get(key.as_ref()).copied().unwrap_or(Slot::Extra);
            match slot {
                Slot::Column(column) => {
                    if !record.see(column) {
                        fault.get_or_insert(Fault::column(column, reason::GIVEN_TWICE));
                    }
                    if layout.attributes == Some(column) && scanner.peek() == Some(b'{') {
                        scanner.pairs(&mut record.pairs)?;
                    } else {
                        record.set(column, scanner.value()?);
                    }
                }
                Slot::Extra => record.add_extra(key, scanner.value()?),
                Slot::Derived => drop(scanner.raw()?),
            }
            more = scanner.more(b'}')?;
        }
        scanner.end()?;
        fault.map_or(Ok(()), Err)
    }
}

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
