//! `pg_catalog` and `information_schema`: what clients of PostgreSQL ask a database about itself, answered from the
//! tables of a session.
//!
//! Everything is a small table in memory, made once from names, columns and comments. What a lake doesn't have (indexes,
//! triggers, policies …) is a table without rows; [`is_always_empty`] lets the rewriter use that.

mod cell;
mod directory;
mod information;
mod postgres;
mod types;

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::config::ConfigEntry;
use datafusion::datasource::MemTable;
use datafusion::error::Result;

pub(crate) use directory::{Directory, Relation};
pub(crate) use types::{display, of_name};

/// The schema of PostgreSQL's own tables.
pub(crate) const SCHEMA: &str = "pg_catalog";

/// Whether a table of that name is in `pg_catalog`.
pub(crate) fn is_relation(name: &str) -> bool {
    name.starts_with("pg_") && postgres::TABLES.iter().any(|(known, _)| *known == name)
        || is_always_empty(name)
}

/// Whether that table of `pg_catalog` never has a row.
pub(crate) fn is_always_empty(name: &str) -> bool {
    postgres::EMPTY.iter().any(|(known, _)| *known == name)
}

/// The tables of both schemas, by schema and name; `settings` are the session's.
///
/// # Errors
/// None in practice: rows are built beside their declarations.
pub(crate) fn tables(
    directory: &Directory,
    settings: &[ConfigEntry],
) -> Result<Vec<(&'static str, &'static str, Arc<MemTable>)>> {
    let mut tables = Vec::new();
    let mut add = |schema: &'static str, name: &'static str, batch: RecordBatch| -> Result<()> {
        tables.push((schema, name, Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?)));
        Ok(())
    };
    for (name, declared) in postgres::TABLES {
        add(SCHEMA, name, cell::table(declared, &postgres::rows(name, directory))?)?;
    }
    for (name, declared) in postgres::EMPTY {
        add(SCHEMA, name, cell::table(declared, &[])?)?;
    }
    for (name, declared) in information::TABLES {
        let rows = match name {
            "df_settings" => information::settings(settings),
            _ => information::rows(name, directory),
        };
        add(information::SCHEMA, name, cell::table(declared, &rows)?)?;
    }
    Ok(tables)
}
