//! The session that analysts get: a lake's tables as of now, read-only.
//!
//! ```text
//! raw.*, crm.*, tile.*, ops.*   the newest version
//! mart.*                        of each day the run published last
//! mart_history.*                all published runs
//! catalogue.event               the event catalogue
//! ```
//!
//! The session is a snapshot: what is committed later is seen by the next one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use engine::catalogue::Catalogue;
use engine::lake::{DataFile, FileTable, Lake, Run, Table, tables};
use engine::time::{Day, date};

use crate::error::{Result, SqlError};

/// The session's only catalog.
const CATALOG: &str = "tideline";
/// The schema of names without one.
const DEFAULT_SCHEMA: &str = "mart";
/// The schema that shows every published run.
const HISTORY: &str = "mart_history";

/// Opens every table of `lake` as it stands and offers it under its name. A table never written is empty.
///
/// # Errors
/// [`SqlError::Lake`] where the lake can't be read, [`SqlError::Register`] where a table doesn't fit its declaration.
pub async fn session(lake: &Lake, catalogue: &Catalogue) -> Result<SessionContext> {
    session_over(lake, catalogue, |_| true).await
}

/// Like [`session`], with those tables only whose names are wanted: what isn't opened costs nothing.
///
/// # Errors
/// As [`session`].
pub async fn session_over(
    lake: &Lake,
    catalogue: &Catalogue,
    wanted: impl Fn(&str) -> bool,
) -> Result<SessionContext> {
    let config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
        .with_create_default_catalog_and_schema(true)
        .with_information_schema(true);
    let context = SessionContext::new_with_config(config);
    let names: Vec<&str> = tables::all().iter().map(|spec| spec.name).filter(|name| wanted(name)).collect();
    // `ops.run` first: a run published meanwhile is then unknown to this session, rather than half seen.
    let runs = Run::load(&lake.table("ops.run").await?)?;
    let shown: BTreeSet<(String, String)> = engine::lake::published(&runs)
        .into_iter()
        .map(|(day, run)| (date(day).to_string(), run.run_id.clone()))
        .collect();
    let known: BTreeSet<&str> =
        runs.iter().filter(|run| run.is_published()).map(|run| run.run_id.as_str()).collect();
    for table in lake.open_tables(&names).await? {
        let name = table.spec().name;
        if table.spec().is_mart() {
            let run = |file: &&DataFile| file.partition_value("run_id").to_owned();
            let day = |file: &&DataFile| file.partition_value("as_of").to_owned();
            offer_files(&context, name, &table, |file| shown.contains(&(day(&file), run(&file))))?;
            let history = name.replacen(DEFAULT_SCHEMA, HISTORY, 1);
            offer_files(&context, &history, &table, |file| known.contains(run(&file).as_str()))?;
        } else {
            offer_files(&context, name, &table, |_| true)?;
        }
    }
    let events = catalogue.to_batch().map_err(|error| register("catalogue.event")(error.into()))?;
    let events =
        MemTable::try_new(events.schema(), vec![vec![events]]).map_err(register("catalogue.event"))?;
    offer(&context, "catalogue.event", Arc::new(events))?;
    Ok(context)
}

/// Of rows of `ops.run`: for each day the run published last.
///
/// # Errors
/// [`SqlError::Lake`] where a column is missing.
pub fn published(ops_run: &[RecordBatch]) -> Result<BTreeMap<Day, String>> {
    let runs = Run::from_batches(ops_run)?;
    Ok(engine::lake::published(&runs).into_iter().map(|(day, run)| (day, run.run_id.clone())).collect())
}

/// Every table of a session with its columns, by name.
pub async fn columns(context: &SessionContext) -> BTreeMap<String, SchemaRef> {
    let mut found = BTreeMap::new();
    let Some(catalog) = context.catalog(CATALOG) else { return found };
    for schema_name in catalog.schema_names() {
        let Some(schema) = catalog.schema(&schema_name) else { continue };
        for table in schema.table_names() {
            if let Ok(Some(provider)) = schema.table(&table).await {
                found.insert(format!("{schema_name}.{table}"), provider.schema());
            }
        }
    }
    found
}

fn offer_files(
    context: &SessionContext,
    name: &str,
    table: &Table,
    seen: impl Fn(&DataFile) -> bool,
) -> Result<()> {
    let files = table.files().iter().filter(|file| seen(file));
    let provider = FileTable::with_files(table, files).map_err(register(name))?;
    offer(context, name, Arc::new(provider))
}

fn offer(context: &SessionContext, name: &str, provider: Arc<dyn TableProvider>) -> Result<()> {
    let (schema, table) = name.split_once('.').unwrap_or((DEFAULT_SCHEMA, name));
    let missing = || register(name)(DataFusionError::Plan(format!("no catalog {CATALOG}")));
    let catalog: Arc<dyn CatalogProvider> = context.catalog(CATALOG).ok_or_else(missing)?;
    let provider_of_schema = if let Some(known) = catalog.schema(schema) {
        known
    } else {
        let new: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
        catalog.register_schema(schema, Arc::clone(&new)).map_err(register(name))?;
        new
    };
    provider_of_schema.register_table(table.to_owned(), provider).map_err(register(name))?;
    Ok(())
}

fn register(table: &str) -> impl FnOnce(DataFusionError) -> SqlError {
    let table = table.to_owned();
    |source| SqlError::Register { table, source: Box::new(source) }
}

#[cfg(test)]
mod tests;
