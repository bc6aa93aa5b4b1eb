//! A table with one row per distinct key of another: order lines become orders.

use std::collections::HashMap;

use arrow::array::{StringArray, StringBuilder};

use super::decimal::Decimal;
use super::expr::{Expr, compare};
use super::summary::Reason;
use super::table::{Cell, ColumnId, Failure, Stored, TableId, Tables};

#[derive(Debug)]
pub(super) struct Group {
    pub(super) from: TableId,
    pub(super) by: Vec<ColumnId>,
    pub(super) when: Option<Expr<ColumnId>>,
    /// Columns, and whether the greatest comes first.
    pub(super) order_by: Vec<(ColumnId, bool)>,
    pub(super) take: Vec<Take>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Sum(ColumnId),
    Min(ColumnId),
    Max(ColumnId),
    First(ColumnId),
    Last(ColumnId),
    Same(ColumnId),
    Count,
}

impl Group {
    /// Every column of `from` that it reads, but for its condition's.
    pub(super) fn columns(&self) -> Vec<ColumnId> {
        let mut columns = self.by.clone();
        columns.extend(self.order_by.iter().map(|(column, _)| *column));
        columns.extend(self.take.iter().filter_map(|take| take.column()));
        columns
    }

    /// The groups, in order of first appearance; columns are `by`, then `take`. A row with a null key
    /// or a failing value is told; in the second case its whole group is left out, for a
    /// sum without one of its rows would be wrong.
    pub(super) fn collect(&self, tables: &Tables, name: &str) -> Stored {
        let step = format!("group {name}");
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut by_key: HashMap<String, usize> = HashMap::new();
        for row in 0..tables.rows(self.from) {
            match self.key(tables, row) {
                Ok(Some(key)) => {
                    let next = members.len();
                    let group = *by_key.entry(key).or_insert(next);
                    if group == next {
                        members.push(Vec::new());
                    }
                    members[group].push(row);
                }
                Ok(None) => {}
                Err(failure) => tables.fail(self.from, row, step.clone(), failure),
            }
        }
        let mut columns: Vec<StringBuilder> =
            (0..self.by.len() + self.take.len()).map(|_| StringBuilder::new()).collect();
        let mut origins = Vec::new();
        for rows in members {
            let first = rows[0];
            match self.row(tables, rows) {
                Ok(cells) => {
                    for (column, cell) in columns.iter_mut().zip(cells) {
                        column.append_option(cell.filter(|cell| !cell.is_empty()));
                    }
                    origins.push(tables.stored(self.from).origins[first]);
                }
                Err((row, failure)) => tables.fail(self.from, row, step.clone(), failure),
            }
        }
        let columns: Vec<StringArray> = columns.iter_mut().map(StringBuilder::finish).collect();
        Stored { columns, origins }
    }

    fn key(&self, tables: &Tables, row: usize) -> Result<Option<String>, Box<Failure>> {
        if let Some(when) = &self.when
            && !tables.holds(when, self.from, row)?
        {
            return Ok(None);
        }
        if let Some(key) = tables.key(self.from, &self.by, row)? {
            return Ok(Some(key));
        }
        let names = &tables.list[self.from].column_names;
        let by: Vec<&str> = self.by.iter().map(|column| names[*column].as_str()).collect();
        Err(Box::new(Failure {
            reason: Reason::MissingValue,
            column: by.join(", "),
            value: String::new(),
            right: "a key to group by (or a `when` that leaves such rows out)".to_owned(),
        }))
    }

    /// The cells of one group, or the row that made it fail.
    fn row(
        &self,
        tables: &Tables,
        mut rows: Vec<usize>,
    ) -> Result<Vec<Option<String>>, (usize, Box<Failure>)> {
        let owned = |cell: Cell<'_>| cell.map(|value| value.map(std::borrow::Cow::into_owned));
        let read = |column: ColumnId, row: usize| {
            owned(tables.cell(self.from, column, row)).map_err(|failure| (row, failure))
        };
        if !self.order_by.is_empty() {
            let mut keyed = Vec::with_capacity(rows.len());
            for row in rows {
                let key: Result<Vec<_>, _> =
                    self.order_by.iter().map(|(column, _)| read(*column, row)).collect();
                keyed.push((key?, row));
            }
            keyed.sort_by(|(a, _), (b, _)| {
                let columns = a.iter().zip(b).zip(&self.order_by);
                let mut orders = columns.map(|((a, b), (_, descending))| {
                    let order = match (a, b) {
                        (Some(a), Some(b)) => compare(a, b),
                        _ => a.cmp(b),
                    };
                    if *descending { order.reverse() } else { order }
                });
                orders.find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
            });
            rows = keyed.into_iter().map(|(_, row)| row).collect();
        }
        let mut cells = Vec::with_capacity(self.by.len() + self.take.len());
        for column in &self.by {
            cells.push(read(*column, rows[0])?);
        }
        for take in &self.take {
            cells.push(match take.column() {
                None => Some(rows.len().to_string()),
                Some(column) => {
                    let values: Result<Vec<_>, _> =
                        rows.iter().map(|&row| Ok((row, read(column, row)?))).collect();
                    let name = &tables.list[self.from].column_names[column];
                    take.fold(values?, name)?
                }
            });
        }
        Ok(cells)
    }
}

impl Take {
    fn column(self) -> Option<ColumnId> {
        match self {
            Self::Sum(c) | Self::Min(c) | Self::Max(c) | Self::First(c) | Self::Last(c) | Self::Same(c) => {
                Some(c)
            }
            Self::Count => None,
        }
    }

    /// One value from those of a group's rows; nulls don't count, and all null gives null.
    fn fold(
        self,
        values: Vec<(usize, Option<String>)>,
        column: &str,
    ) -> Result<Option<String>, (usize, Box<Failure>)> {
        let mut kept: Option<String> = None;
        let mut sum = Decimal::default();
        for (row, value) in values {
            let Some(value) = value else { continue };
            let failure = |reason, right: &str| {
                let (column, value) = (column.to_owned(), value.clone());
                (row, Box::new(Failure { reason, column, value, right: right.to_owned() }))
            };
            let better = match (&kept, self) {
                (None, _) | (_, Self::Last(_)) => true,
                (Some(kept), Self::Min(_)) => compare(&value, kept).is_lt(),
                (Some(kept), Self::Max(_)) => compare(&value, kept).is_gt(),
                (Some(kept), Self::Same(_)) if *kept != value => {
                    let right = format!("`{kept}` as in the first row of its group");
                    return Err(failure(Reason::GroupDisagrees, &right));
                }
                _ => false,
            };
            if matches!(self, Self::Sum(_)) {
                sum = Decimal::parse(&value).and_then(|number| sum.checked_add(number)).ok_or_else(|| {
                    failure(Reason::BadNumber, "a plain decimal such as 1234.50, for it is summed")
                })?;
            }
            if better {
                kept = Some(value);
            }
        }
        Ok(match self {
            Self::Sum(_) => kept.map(|_| sum.to_string()),
            _ => kept,
        })
    }
}
