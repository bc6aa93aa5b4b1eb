//! No column may depend on itself: then computing one always ends.

use std::collections::HashMap;

use super::table::{Column, ColumnId, Source, TableId, Tables};
use super::value::expr_columns;

/// Names the first column that depends on itself.
pub(super) fn check(tables: &Tables) -> Result<(), String> {
    let mut walk = Walk { tables, done: HashMap::new() };
    for (id, table) in tables.list.iter().enumerate() {
        for column in 0..table.columns.len() {
            walk.visit(id, column)?;
        }
    }
    Ok(())
}

struct Walk<'a> {
    tables: &'a Tables,
    /// False while the column's own dependencies are being visited.
    done: HashMap<(TableId, ColumnId), bool>,
}

impl Walk<'_> {
    fn visit(&mut self, table: TableId, column: ColumnId) -> Result<(), String> {
        match self.done.get(&(table, column)) {
            Some(true) => return Ok(()),
            Some(false) => {
                let table = &self.tables.list[table];
                let (name, table) = (&table.column_names[column], &table.name);
                return Err(format!("the column `{name}` of `{table}` depends on itself"));
            }
            None => {}
        }
        self.done.insert((table, column), false);
        for (table, column) in self.dependencies(table, column) {
            self.visit(table, column)?;
        }
        self.done.insert((table, column), true);
        Ok(())
    }

    fn dependencies(&self, table: TableId, column: ColumnId) -> Vec<(TableId, ColumnId)> {
        let mut needed = Vec::new();
        match (&self.tables.list[table].columns[column], &self.tables.list[table].source) {
            (Column::Stored(_), Source::Group(group, _)) => {
                needed.extend(group.columns().into_iter().map(|column| (group.from, column)));
                let when = group.when.iter().flat_map(expr_columns);
                needed.extend(when.map(|column| (group.from, column)));
            }
            (Column::Stored(_), Source::Rows(_)) | (Column::Absent, _) => {}
            (Column::Value(value), _) => {
                needed.extend(value.columns().into_iter().map(|column| (table, column)));
            }
            (Column::Looked { lookup, column, .. }, _) => {
                let lookup = &self.tables.lookups[*lookup];
                needed.extend(lookup.here.iter().map(|(column, _)| (table, *column)));
                needed.extend(lookup.at.map(|column| (table, column)));
                let there = lookup.there.iter().copied().chain(lookup.order_by).chain([*column]);
                needed.extend(there.map(|column| (lookup.from, column)));
                let when = lookup.when.iter().flat_map(expr_columns);
                needed.extend(when.map(|column| (lookup.from, column)));
            }
        }
        needed
    }
}
