//! CSV: a header that names the columns, then one row a record; an empty cell is no value.

use std::borrow::Cow;

use super::record::{Cell, Record};
use crate::ingest::check::layout::{Layout, Slot};
use crate::ingest::check::reason::{self, Fault};

/// The columns of a CSV file.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    columns: Vec<(String, Slot)>,
}

impl Header {
    /// Reads the header row.
    ///
    /// # Errors
    /// A sentence that names what is wrong with it.
    pub(crate) fn read(bytes: &[u8], layout: &Layout) -> Result<Option<Self>, String> {
        let mut reader = reader(bytes);
        let mut row = csv::ByteRecord::new();
        if !reader.read_byte_record(&mut row).map_err(|error| error.to_string())? {
            return Ok(None);
        }
        let mut columns: Vec<(String, Slot)> = Vec::with_capacity(row.len());
        for (position, cell) in row.iter().enumerate() {
            let name = std::str::from_utf8(cell)
                .map_err(|_| format!("column {} of the header is not UTF-8", position + 1))?
                .trim();
            if name.is_empty() {
                return Err(format!("column {} of the header has no name", position + 1));
            }
            if columns.iter().any(|(other, _)| other == name) {
                return Err(format!("the header names column '{name}' twice; rename one of the two"));
            }
            columns.push((name.to_owned(), layout.slot(name)));
        }
        let missing = layout.missing(|name| columns.iter().any(|(other, _)| other == name));
        if missing.is_empty() {
            return Ok(Some(Self { columns }));
        }
        let has: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        Err(format!(
            "the header lacks the column {}, which {} needs; it has {}",
            missing.join(" and "),
            layout.stream.name(),
            has.join(", ")
        ))
    }

    /// Puts a row's cells into an emptied record.
    pub(crate) fn fill<'a>(&'a self, row: &'a csv::ByteRecord, record: &mut Record<'a>) -> Result<(), Fault> {
        if row.len() != self.columns.len() {
            return Err(Fault::record(reason::WRONG_WIDTH));
        }
        for ((name, slot), cell) in self.columns.iter().zip(row) {
            let Ok(text) = std::str::from_utf8(cell) else {
                let column = if let Slot::Column(column) = slot { Some(*column) } else { None };
                return Err(Fault { column, reason: reason::NOT_UTF8 });
            };
            match slot {
                Slot::Column(column) => record.set(*column, Cell::Plain(text)),
                Slot::Extra => record.add_extra(Cow::Borrowed(name), Cell::Plain(text)),
                Slot::Derived => {}
            }
        }
        Ok(())
    }
}

/// A reader of rows over a block of whole records.
pub(crate) fn reader(bytes: &[u8]) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes)
}
