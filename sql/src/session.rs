//! The session that analysts get: a lake's tables as of now, read-only.
//!
//! ```text
//! raw.*, crm.*, tile.*, ops.*   the newest version
//! mart.*                        of each day the run published last
//! mart_history.*                all published runs
//! catalogue.event               the event catalogue
//! pg_catalog.*, information_schema.*   names, types and comments of all of them
//! ```
//!
//! The session is a snapshot: what is committed later is seen by the next one. [`Sessions`] keeps one as long as it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::config::ConfigEntry;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use engine::catalogue::Catalogue;
use engine::lake::{DataFile, FileTable, Lake, Run, Table, tables};
use engine::settings::Settings;
use engine::time::{Day, date};

use crate::catalog::{self, Directory};
use crate::error::{Result, SqlError};
use crate::function;

/// The session's only catalog.
pub const CATALOG: &str = "tideline";
/// The schema of names without one.
pub const DEFAULT_SCHEMA: &str = "mart";
/// The schema that shows every published run.
pub(crate) const HISTORY: &str = "mart_history";
/// The table that says which runs are published.
const RUNS: &str = "ops.run";

/// Opens every table of `lake` as it stands and offers it under its name. A table never written is empty. The settings
/// decide what functions such as `health_color` answer.
///
/// # Errors
/// [`SqlError::Lake`] where the lake can't be read, [`SqlError::Register`] where a table doesn't fit its declaration.
pub async fn session(lake: &Lake, catalogue: &Catalogue, settings: &Settings) -> Result<SessionContext> {
    let opened = Opened::new(lake, |_| true).await?;
    opened.context(catalogue, settings, SessionContext::new_with_config(config()))
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
    let opened = Opened::new(lake, wanted).await?;
    opened.context(catalogue, &Settings::default(), SessionContext::new_with_config(config()))
}

/// What every session is set to.
pub(crate) fn config() -> SessionConfig {
    SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, DEFAULT_SCHEMA)
        .with_create_default_catalog_and_schema(true)
        .with_information_schema(false)
}

/// Tables as they stood when they were opened.
#[derive(Debug)]
pub(crate) struct Opened {
    runs: Table,
    tables: Vec<Table>,
}

impl Opened {
    /// Opens `ops.run` first: a run published meanwhile is then unknown to the session, rather than half seen.
    async fn new(lake: &Lake, wanted: impl Fn(&str) -> bool) -> Result<Self> {
        let names: Vec<&str> =
            tables::all().iter().map(|spec| spec.name).filter(|name| wanted(name)).collect();
        let runs = lake.table(RUNS).await?;
        Ok(Self { runs, tables: lake.open_tables(&names).await? })
    }

    /// Opens what has a newer version; whether there was anything. All of it, or nothing where it is broken off.
    async fn refresh(&mut self, lake: &Lake) -> Result<bool> {
        let runs = if self.runs.is_newest() { None } else { Some(lake.table(RUNS).await?) };
        let old: Vec<&str> =
            self.tables.iter().filter(|table| !table.is_newest()).map(|table| table.spec().name).collect();
        let newer = lake.open_tables(&old).await?;
        let changed = runs.is_some() || !newer.is_empty();
        if let Some(runs) = runs {
            self.runs = runs;
        }
        for newer in newer {
            let place = self.tables.iter_mut().find(|table| table.spec().name == newer.spec().name);
            if let Some(place) = place {
                *place = newer;
            }
        }
        Ok(changed)
    }

    /// Offers the tables, and what is known of them, in a session.
    fn context(
        &self,
        catalogue: &Catalogue,
        settings: &Settings,
        context: SessionContext,
    ) -> Result<SessionContext> {
        let runs = Run::load(&self.runs)?;
        let shown: BTreeSet<(String, String)> = engine::lake::published(&runs)
            .into_iter()
            .map(|(day, run)| (date(day).to_string(), run.run_id.clone()))
            .collect();
        let known: BTreeSet<&str> =
            runs.iter().filter(|run| run.is_published()).map(|run| run.run_id.as_str()).collect();
        let mut schemas: BTreeMap<String, SchemaRef> = BTreeMap::new();
        for table in &self.tables {
            let name = table.spec().name;
            schemas.insert(name.to_owned(), table.spec().schema());
            if table.spec().is_mart() {
                let run = |file: &&DataFile| file.partition_value("run_id").to_owned();
                let day = |file: &&DataFile| file.partition_value("as_of").to_owned();
                offer_files(&context, name, table, |file| shown.contains(&(day(&file), run(&file))))?;
                let history = name.replacen(DEFAULT_SCHEMA, HISTORY, 1);
                offer_files(&context, &history, table, |file| known.contains(run(&file).as_str()))?;
                schemas.insert(history, table.spec().schema());
            } else {
                offer_files(&context, name, table, |_| true)?;
            }
        }
        let events = catalogue.to_batch().map_err(|error| register("catalogue.event")(error.into()))?;
        schemas.insert("catalogue.event".to_owned(), events.schema());
        let events =
            MemTable::try_new(events.schema(), vec![vec![events]]).map_err(register("catalogue.event"))?;
        offer(&context, "catalogue.event", Arc::new(events))?;
        let directory = Directory::new(schemas.iter().map(|(name, schema)| (name.as_str(), schema.as_ref())));
        let directory = Arc::new(directory);
        for (schema, name, table) in
            catalog::tables(&directory, &settings_of(&context)).map_err(register(catalog::SCHEMA))?
        {
            offer(&context, &format!("{schema}.{name}"), table)?;
        }
        function::register(&context, settings, &directory);
        Ok(context)
    }
}

fn settings_of(context: &SessionContext) -> Vec<ConfigEntry> {
    context.state().config_options().entries()
}

/// Of rows of `ops.run`: for each day the run published last.
///
/// # Errors
/// [`SqlError::Lake`] where a column is missing.
pub fn published(ops_run: &[RecordBatch]) -> Result<BTreeMap<Day, String>> {
    let runs = Run::from_batches(ops_run)?;
    Ok(engine::lake::published(&runs).into_iter().map(|(day, run)| (day, run.run_id.clone())).collect())
}

/// Every table of a lake in a session with its columns, by name.
pub async fn columns(context: &SessionContext) -> BTreeMap<String, SchemaRef> {
    let mut found = BTreeMap::new();
    let Some(catalog) = context.catalog(CATALOG) else { return found };
    let own = |name: &String| !matches!(name.as_str(), catalog::SCHEMA | "information_schema");
    for schema_name in catalog.schema_names().into_iter().filter(own) {
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

pub(crate) fn register(table: &str) -> impl FnOnce(DataFusionError) -> SqlError {
    let table = table.to_owned();
    |source| SqlError::Register { table, source: Box::new(source) }
}

mod sessions;
pub use sessions::{Limits, Sessions, Snapshot};

#[cfg(test)]
mod tests;
