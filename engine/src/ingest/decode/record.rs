//! One decoded record: a cell per column of the stream, and the fields that are no column.

use std::borrow::Cow;

use crate::ingest::check::layout::COLUMNS_MAX;

/// One field as the input wrote it, not yet judged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Cell<'a> {
    /// Absent or null.
    #[default]
    Missing,
    /// A JSON string.
    Text(Cow<'a, str>),
    /// Text of a format without types.
    Plain(&'a str),
    /// A JSON number, digit for digit.
    Number(&'a str),
    /// A JSON boolean.
    Bool(bool),
    /// A JSON list or object, as written.
    Nested(&'a str),
}

/// A key and value of `attributes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
    /// From `attributes` itself, rather than a field of its own.
    pub(crate) explicit: bool,
}

/// One record.
#[derive(Debug, Default)]
pub(crate) struct Record<'a> {
    /// By position in the stream's layout; those not seen are of an earlier record.
    cells: [Cell<'a>; COLUMNS_MAX],
    /// The pairs of `attributes`, and the fields that are no column, in the order of the input.
    pub(crate) pairs: Vec<Pair<'a>>,
    /// Bit k: the k-th column was given.
    seen: u32,
}

impl Record<'_> {
    /// Empties the record for the next row.
    pub(crate) fn clear(&mut self) {
        self.seen = 0;
        self.pairs.clear();
    }

    /// Bit k: the k-th column was given.
    pub(crate) fn seen(&self) -> u32 {
        self.seen
    }

    /// Notes that a column was given; false where it was given before.
    pub(crate) fn see(&mut self, column: usize) -> bool {
        let fresh = self.seen & bit(column) == 0;
        self.seen |= bit(column);
        fresh
    }
}

impl<'a> Record<'a> {
    /// Sets a column.
    #[inline]
    pub(crate) fn set(&mut self, column: usize, cell: Cell<'a>) {
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
            self.seen |= bit(column);
        }
    }

    /// The cell of a column.
    pub(crate) fn cell(&self, column: usize) -> &Cell<'a> {
        let seen = self.seen & bit(column) != 0;
        self.cells.get(column).filter(|_| seen).unwrap_or(&Cell::Missing)
    }

    /// Adds a field that is no column; nothing where it is null or empty text of a format without nulls.
    pub(crate) fn add_extra(&mut self, key: Cow<'a, str>, cell: Cell<'a>) {
        if let Some(value) = pair_value(cell) {
            self.pairs.push(Pair { key, value, explicit: false });
        }
    }
}

fn bit(column: usize) -> u32 {
    1 << (column % 32)
}

/// The text of an attribute: strings as they are, numbers and booleans as written, lists and objects as compact JSON.
pub(crate) fn pair_value(cell: Cell<'_>) -> Option<Cow<'_, str>> {
    match cell {
        Cell::Missing | Cell::Plain("") => None,
        Cell::Text(text) => Some(text),
        Cell::Plain(text) | Cell::Number(text) => Some(Cow::Borrowed(text)),
        Cell::Bool(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
        Cell::Nested(raw) => {
            let mut text = String::with_capacity(raw.len());
            super::escape::compact(raw, &mut text);
            Some(Cow::Owned(text))
        }
    }
}
