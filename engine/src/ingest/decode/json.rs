//! NDJSON: one object a line, read straight into a record.

use std::borrow::Cow;

use super::keys::Keys;
use super::record::{Cell, Record};
use super::scan::{Malformed, Scanner};
use crate::ingest::check::layout::{COLUMNS_MAX, Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

impl From<Malformed> for Fault {
    fn from(Malformed: Malformed) -> Self {
        Self::record(reason::NOT_JSON)
    }
}

/// Reads objects into records.
#[derive(Debug)]
pub(crate) struct JsonReader {
    keys: Keys,
    /// What has followed so far: by the column before (0 at an object's start), the names as written, quotes and colon
    /// too, and their columns. Whoever writes records writes their fields in some order, and leaves some out.
    next: [Vec<(Box<[u8]>, usize)>; COLUMNS_MAX + 1],
}

/// Names remembered to follow one column.
const FOLLOWERS_MAX: usize = 4;

impl JsonReader {
    /// For records of that layout.
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { keys: Keys::new(layout), next: Default::default() }
    }

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
        // A wrong field is told only once the rest has proved to be JSON.
        let mut fault = None;
        let mut more = scanner.open_object()?;
        let mut last = 0;
        while more {
            let (key, slot) = self.key(&mut scanner, last)?;
            match slot {
                Slot::Column(column) => {
                    last = column + 1;
                    if !record.see(column) {
                        fault.get_or_insert(Fault::column(column, reason::GIVEN_TWICE));
                    }
                    if layout.attributes == Some(column) && scanner.peek() == Some(b'{') {
                        record.set(column, Cell::Missing);
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

    /// Reads a key: one that came here before, which is then empty, or any other.
    fn key<'a>(&mut self, scanner: &mut Scanner<'a>, last: usize) -> Result<(Cow<'a, str>, Slot), Fault> {
        let next = self.next.get_mut(last);
        for (name, column) in next.as_ref().into_iter().flat_map(|next| next.iter()) {
            if scanner.pass_text(name) {
                return Ok((Cow::Borrowed(""), Slot::Column(*column)));
            }
        }
        let key = scanner.key()?;
        let slot = self.keys.slot(&key);
        if let (Slot::Column(column), Cow::Borrowed(name), Some(next)) = (slot, &key, next)
            && next.len() < FOLLOWERS_MAX
        {
            next.push((format!("\"{name}\":").into_bytes().into(), column));
        }
        Ok((key, slot))
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
