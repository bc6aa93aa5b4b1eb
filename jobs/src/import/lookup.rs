//! Columns of another table, found by key.

use std::cell::OnceCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use super::expr::{Expr, compare};
use super::spec::{Missing, Pick};
use super::summary::Reason;
use super::table::{ColumnId, Failure, TableId, Tables};

#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) from: TableId,
    pub(super) from_name: String,
    /// The key's columns in the asking table, with their names.
    pub(super) here: Vec<(ColumnId, String)>,
    /// The same in `from`.
    pub(super) there: Vec<ColumnId>,
    pub(super) when: Option<Expr<ColumnId>>,
    pub(super) pick: Pick,
    pub(super) order_by: Option<ColumnId>,
    /// Column of the asking table that `last_before` and `first_after` compare with `order_by`.
    pub(super) at: Option<ColumnId>,
    pub(super) missing: Missing,
    pub(super) index: OnceCell<HashMap<String, Vec<usize>>>,
}

impl Lookup {
    /// The row of `from` for `row` of `table`; none where there is none and that is no error. A null key finds nothing.
    pub(super) fn find(
        &self,
        tables: &Tables,
        table: TableId,
        row: usize,
    ) -> Result<Option<usize>, Box<Failure>> {
        let columns: Vec<ColumnId> = self.here.iter().map(|(column, _)| *column).collect();
        let key = tables.key(table, &columns, row)?;
        let index = self.index.get_or_init(|| self.build(tables));
        let rows = key.as_ref().and_then(|key| index.get(key)).map(Vec::as_slice).unwrap_or_default();
        let found = match self.pick {
            Pick::First => rows.first().copied(),
            Pick::Last => rows.last().copied(),
            Pick::Only => match rows {
                [] => None,
                [row] => Some(*row),
                _ => return Err(self.failure(Reason::LookupAmbiguous, key, rows.len()).into()),
            },
            Pick::LastBefore => self.beside(tables, table, row, rows, Ordering::is_le)?.last().copied(),
            Pick::FirstAfter => self.beside(tables, table, row, rows, Ordering::is_ge)?.first().copied(),
        };
        if found.is_none() && self.missing == Missing::Reject {
            return Err(self.failure(Reason::LookupMissing, key, 0).into());
        }
        Ok(found)
    }

    /// The rows whose order is on the wanted side of `at`, equal included.
    fn beside(
        &self,
        tables: &Tables,
        table: TableId,
        row: usize,
        rows: &[usize],
        side: impl Fn(Ordering) -> bool,
    ) -> Result<Vec<usize>, Box<Failure>> {
        let (Some(at), Some(order)) = (self.at, self.order_by) else { return Ok(Vec::new()) };
        let Some(at) = tables.cell(table, at, row)? else { return Ok(Vec::new()) };
        let mut beside = Vec::new();
        for &candidate in rows {
            if let Some(value) = tables.cell(self.from, order, candidate)?
                && side(compare(&value, &at))
            {
                beside.push(candidate);
            }
        }
        Ok(beside)
    }

    /// Rows by key, in the order of `order_by`, then of the file. A row that fails is left out and told.
    fn build(&self, tables: &Tables) -> HashMap<String, Vec<usize>> {
        let mut entries: Vec<(String, Option<String>, usize)> = Vec::new();
        for row in 0..tables.rows(self.from) {
            match self.entry(tables, row) {
                Ok(Some((key, order))) => entries.push((key, order, row)),
                Ok(None) => {}
                Err(failure) => {
                    tables.fail(self.from, row, format!("lookup from {}", self.from_name), failure);
                }
            }
        }
        if self.order_by.is_some() {
            entries.sort_by(|(_, a, _), (_, b, _)| match (a, b) {
                (Some(a), Some(b)) => compare(a, b),
                _ => a.cmp(b),
            });
        }
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (key, _, row) in entries {
            index.entry(key).or_default().push(row);
        }
        index
    }

    fn entry(&self, tables: &Tables, row: usize) -> Result<Option<(String, Option<String>)>, Box<Failure>> {
        if let Some(when) = &self.when
            && !tables.holds(when, self.from, row)?
        {
            return Ok(None);
        }
        let Some(key) = tables.key(self.from, &self.there, row)? else { return Ok(None) };
        let order = match self.order_by {
            Some(column) => tables.cell(self.from, column, row)?.map(std::borrow::Cow::into_owned),
            None => None,
        };
        Ok(Some((key, order)))
    }

    fn failure(&self, reason: Reason, key: Option<String>, rows: usize) -> Failure {
        let names: Vec<&str> = self.here.iter().map(|(_, name)| name.as_str()).collect();
        let key = key.unwrap_or_default().trim_end_matches('\u{1f}').replace('\u{1f}', ", ");
        let right = match reason {
            Reason::LookupAmbiguous => {
                format!("one row of `{}` with this key, found {rows} (or pick = \"first\")", self.from_name)
            }
            _ => format!("a key that `{}` has", self.from_name),
        };
        Failure { reason, column: names.join(", "), value: key, right }
    }
}
