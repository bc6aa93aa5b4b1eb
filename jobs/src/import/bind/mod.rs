//! From names to columns: a mapping bound to the tables that were read, and checked before any row is touched.

mod emits;
mod joins;

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;

use super::emit::Emit;
use super::error::{BadInput, did_you_mean};
use super::expr::Expr;
use super::group::Group;
use super::load::Loaded;
use super::mapping::Mapping;
use super::scope::Scope;
use super::spec::{GroupSpec, LookupSpec};
use super::table::{Column, ColumnId, Source, Table, TableId, Tables};
use super::value::Value;
use super::value_spec::ValueSpec;

/// A mapping ready to run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) tables: Tables,
    pub(super) skips: Vec<Skip>,
    pub(super) emits: Vec<Emit>,
}

#[derive(Debug)]
pub(super) struct Skip {
    pub(super) table: TableId,
    pub(super) when: Expr<ColumnId>,
    pub(super) why: String,
}

/// Binds the mapping; `loaded` gives its tables and files away.
pub(super) fn bind(mapping: &Mapping, loaded: &mut Loaded) -> Result<Plan, BadInput> {
    let tables = Tables {
        list: std::mem::take(&mut loaded.tables),
        lookups: Vec::new(),
        files: std::mem::take(&mut loaded.files),
        failures: RefCell::default(),
    };
    let mut binder = Binder { mapping, tables };
    binder.declare_tables()?;
    binder.declare_columns()?;
    binder.columns()?;
    binder.lookups()?;
    binder.groups()?;
    super::cycle::check(&binder.tables).map_err(|problem| mapping.place.error_without_line(problem))?;
    let skips = binder.skips()?;
    let emits = mapping.spec.emit.iter().map(|emit| binder.emit(emit)).collect::<Result<_, _>>()?;
    Ok(Plan { tables: binder.tables, skips, emits })
}

struct Binder<'a> {
    mapping: &'a Mapping,
    tables: Tables,
}

impl Binder<'_> {
    fn error(&self, span: &Range<usize>, message: impl std::fmt::Display) -> BadInput {
        self.mapping.place.error(span, message)
    }

    fn scope(&self, table: TableId) -> Scope<'_> {
        Scope { mapping: self.mapping, tables: &self.tables, table }
    }

    fn table(&self, name: &str, span: &Range<usize>) -> Result<TableId, BadInput> {
        self.tables.named(name).ok_or_else(|| {
            let hint = did_you_mean(name, self.tables.list.iter().map(|table| table.name.as_str()));
            self.error(span, format!("no [[input]] or [[group]] is called `{name}`{hint}"))
        })
    }

    fn when(
        &self,
        table: TableId,
        when: Option<&Spanned<String>>,
    ) -> Result<Option<Expr<ColumnId>>, BadInput> {
        when.map(|when| {
            self.scope(table).expr(when.get_ref()).map_err(|problem| self.error(&when.span(), problem))
        })
        .transpose()
    }

    fn declare_tables(&mut self) -> Result<(), BadInput> {
        let spec = &self.mapping.spec;
        for input in &spec.input {
            let name = &input.get_ref().name;
            if self.tables.list.iter().filter(|table| table.name == *name).count() > 1 {
                return Err(self.error(&input.span(), format!("there are two tables `{name}`")));
            }
            if input.get_ref().file.is_some() != input.get_ref().columns.is_empty() {
                let message = format!("[[input]] {name}: either `file`, or `columns` and `rows`");
                return Err(self.error(&input.span(), message));
            }
        }
        for group in &spec.group {
            let GroupSpec { name, by, take, .. } = group.get_ref();
            if self.tables.named(name).is_some() {
                return Err(self.error(&group.span(), format!("there are two tables `{name}`")));
            }
            if by.is_empty() {
                return Err(self.error(&group.span(), format!("[[group]] {name}: `by` names no column")));
            }
            let nothing =
                Group { from: 0, by: Vec::new(), when: None, order_by: Vec::new(), take: Vec::new() };
            let mut table = Table {
                name: name.clone(),
                columns: Vec::new(),
                column_names: Vec::new(),
                by_name: HashMap::new(),
                source: Source::Group(Box::new(nothing), OnceCell::new()),
                lacking: HashMap::new(),
            };
            for (index, column) in by.iter().chain(take.keys()).enumerate() {
                if table.by_name.contains_key(column) {
                    let message = format!("[[group]] {name} has two columns `{column}`");
                    return Err(self.error(&group.span(), message));
                }
                table.add(column, Column::Stored(index));
            }
            self.tables.list.push(table);
        }
        Ok(())
    }

    /// Makes the name of every computed column known, so that rules may stand in any order. A computed
    /// column hides a column of the same name in the file.
    fn declare_columns(&mut self) -> Result<(), BadInput> {
        let spec = &self.mapping.spec;
        let values = spec.column.iter().map(|c| (&c.get_ref().table, &c.get_ref().name, c.span()));
        let looked = spec.lookup.iter().flat_map(|lookup| {
            let LookupSpec { table, take, .. } = lookup.get_ref();
            take.keys().map(move |name| (table, name, lookup.span()))
        });
        let mut known: Vec<(&str, &str)> = Vec::new();
        for (table, name, span) in values.chain(looked) {
            let id = self.table(table, &span)?;
            if known.contains(&(table, name)) {
                return Err(self.error(&span, format!("`{table}` has two computed columns `{name}`")));
            }
            known.push((table, name));
            self.tables.list[id].lacking.remove(name.as_str());
            self.tables.list[id].add(name, Column::Absent);
        }
        Ok(())
    }

    fn columns(&mut self) -> Result<(), BadInput> {
        let mapping = self.mapping;
        for column in &mapping.spec.column {
            let (span, column) = (column.span(), column.get_ref());
            let table = self.table(&column.table, &span)?;
            let value = self.value(table, &column.value, &column.name)?;
            if let Some(id) = self.tables.list[table].by_name.get(&column.name).copied() {
                self.tables.list[table].columns[id] = Column::Value(Box::new(value));
            }
        }
        Ok(())
    }

    fn value(&self, table: TableId, value: &Spanned<ValueSpec>, name: &str) -> Result<Value, BadInput> {
        let bound = self.scope(table).value(&value.get_ref().0);
        bound.map_err(|problem| self.error(&value.span(), format!("`{name}`: {problem}")))
    }

    fn skips(&self) -> Result<Vec<Skip>, BadInput> {
        let skips = self.mapping.spec.skip.iter().map(|skip| {
            let table = self.table(&skip.get_ref().table, &skip.span())?;
            let when = &skip.get_ref().when;
            let expr = self.scope(table).expr(when.get_ref());
            let when = expr.map_err(|problem| self.error(&when.span(), problem))?;
            Ok(Skip { table, when, why: skip.get_ref().why.clone() })
        });
        skips.collect()
    }
}
