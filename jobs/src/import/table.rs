//! Tables while an import runs: stored columns, and columns computed when a row asks for them.
//!
//! Computing per row, not per column, keeps a rule from being applied to rows that never ask for it: the
//! close date of an open opportunity is not a bad date.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;

use arrow::array::{Array as _, StringArray};

use super::expr::{Expr, ExprFailure};
use super::group::Group;
use super::lookup::Lookup;
use super::summary::Reason;
use super::value::Value;

/// Index of a table; index of a column in it.
pub(super) type TableId = usize;
pub(super) type ColumnId = usize;

/// Why a cell has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    pub(super) column: String,
    pub(super) value: String,
    pub(super) right: String,
}

/// A value, null, or why there is neither.
pub(super) type Cell<'a> = Result<Option<Cow<'a, str>>, Box<Failure>>;

#[derive(Debug)]
pub(super) struct Tables {
    pub(super) list: Vec<Table>,
    pub(super) lookups: Vec<Lookup>,
    /// Every file that rows come from; the mapping itself for rows written in it.
    pub(super) files: Vec<PathBuf>,
    /// Rows that a group or a lookup could not take.
    pub(super) failures: RefCell<Vec<RowFailure>>,
}

#[derive(Debug)]
pub(super) struct RowFailure {
    pub(super) table: TableId,
    pub(super) row: usize,
    pub(super) step: String,
    pub(super) failure: Box<Failure>,
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) column_names: Vec<String>,
    pub(super) by_name: HashMap<String, ColumnId>,
    pub(super) source: Source,
    /// Columns that some of the table's files lack, with that file, or that no `rename` found.
    pub(super) lacking: HashMap<String, String>,
}

#[derive(Debug)]
pub(super) enum Source {
    Rows(Stored),
    Group(Box<Group>, OnceCell<Stored>),
}

#[derive(Debug, Default)]
pub(super) struct Stored {
    pub(super) columns: Vec<StringArray>,
    /// File and line of each row.
    pub(super) origins: Vec<(usize, u32)>,
}

#[derive(Debug)]
pub(super) enum Column {
    Stored(usize),
    /// Optional and not in the file.
    Absent,
    Value(Box<Value>),
    Looked {
        lookup: usize,
        column: ColumnId,
        default: Option<String>,
    },
}

impl Table {
    pub(super) fn add(&mut self, name: &str, column: Column) -> ColumnId {
        self.columns.push(column);
        self.column_names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), self.columns.len() - 1);
        self.columns.len() - 1
    }
}

impl Tables {
    pub(super) fn named(&self, name: &str) -> Option<TableId> {
        self.list.iter().position(|table| table.name == name)
    }

    /// The rows of a table; a group's are made on first use.
    pub(super) fn stored(&self, table: TableId) -> &Stored {
        match &self.list[table].source {
            Source::Rows(stored) => stored,
            Source::Group(group, stored) => {
                stored.get_or_init(|| group.collect(self, &self.list[table].name))
            }
        }
    }

    pub(super) fn rows(&self, table: TableId) -> usize {
        self.stored(table).origins.len()
    }

    pub(super) fn cell(&self, table: TableId, column: ColumnId, row: usize) -> Cell<'_> {
        match &self.list[table].columns[column] {
            Column::Stored(index) => {
                let values = &self.stored(table).columns[*index];
                Ok(values.is_valid(row).then(|| Cow::Borrowed(values.value(row))))
            }
            Column::Absent => Ok(None),
            Column::Value(value) => value.evaluate(self, table, row),
            Column::Looked { lookup, column, default } => {
                let lookup = &self.lookups[*lookup];
                match lookup.find(self, table, row)? {
                    Some(found) => self.cell(lookup.from, *column, found),
                    None => Ok(default.as_deref().map(Cow::Borrowed)),
                }
            }
        }
    }

    pub(super) fn holds(
        &self,
        when: &Expr<ColumnId>,
        table: TableId,
        row: usize,
    ) -> Result<bool, Box<Failure>> {
        when.holds(&|column: &ColumnId| self.cell(table, *column, row)).map_err(|failure| match failure {
            ExprFailure::Column(failure) => failure,
            ExprFailure::NotANumber { column, value } => Box::new(Failure {
                reason: Reason::BadNumber,
                column: self.list[table].column_names[column].clone(),
                value,
                right: "a plain decimal such as 1234.50, for it is compared with a number".to_owned(),
            }),
        })
    }

    /// The values of `columns` as one key; none where one of them is null.
    pub(super) fn key(
        &self,
        table: TableId,
        columns: &[ColumnId],
        row: usize,
    ) -> Result<Option<String>, Box<Failure>> {
        let mut key = String::new();
        for column in columns {
            let Some(value) = self.cell(table, *column, row)? else { return Ok(None) };
            key.push_str(&value);
            key.push('\u{1f}');
        }
        Ok(Some(key))
    }

    pub(super) fn fail(&self, table: TableId, row: usize, step: String, failure: Box<Failure>) {
        self.failures.borrow_mut().push(RowFailure { table, row, step, failure });
    }

    /// A row as a JSON object of its stored, non-null columns.
    pub(super) fn raw(&self, table: TableId, row: usize) -> String {
        let stored = self.stored(table);
        let names = &self.list[table];
        let mut object = serde_json::Map::new();
        for (name, column) in names.column_names.iter().zip(&names.columns) {
            if let Column::Stored(index) = column {
                let values = &stored.columns[*index];
                if values.is_valid(row) {
                    object.insert(name.clone(), values.value(row).into());
                }
            }
        }
        serde_json::Value::Object(object).to_string()
    }
}
