//! Every tile and measure as SQL text, and the session's schema `metric` that offers them as tables.
//!
//! The texts under `sql/metrics/` are the definition that analysts read. They stand on the lake's `raw.*` and `crm.*`,
//! on `catalogue.event`, and on small tables that [`register`] makes from the settings: `calendar.day`, `config.stage`,
//! `config.component`, `config.lead_attribute` and `config.heat_weight`. The rest of what differs from run to run reaches them as named parameters.
//!
//! ```text
//! raw.behaviour ─ event ─┬─ customer_day, order_day ─ customer_window, customer_order ─ customer_health ─┐
//!                        ├─ rep_day ───────────────────────────────┬─ rep_process ─ scope_process ─ process_*
//!                        ├─ lead_life ─ lead, lead_quality ────────┤   └─ rep_sales ─ sales_measure
//!                        │     └─ lead_funnel, lead_conversion_week│                    └─ market_heat
//!                        └─ opportunity_event ─ opportunity_stage ─┴─ opportunity, stage_move
//! crm.* ─ *_in_force ─ region_tree ─ scope, scope_rep, scope_customer ─ touch_density, health_improvement
//! ```

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use datafusion::catalog::{CatalogProvider, MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::collect_partitioned;
use datafusion::prelude::SessionContext;
use engine::settings::Settings;

pub use config::{component_table, heat_weight_table, lead_attribute_table, stage_table};
pub use day::day_table;
pub use error::MetricError;
pub use parameters::{Parameter, parameters};

mod config;
mod day;
mod error;
mod parameters;

/// Schema that the metrics are registered in.
pub const METRIC_SCHEMA: &str = "metric";

/// Days before the as-of day that `calendar.day` holds at least, and at most.
const CALENDAR_DAYS: RangeInclusive<i64> = 400..=36_600;

/// A metric: the result of one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Name of the result; the table `metric.NAME`, the file `sql/metrics/NAME.sql`.
    pub name: &'static str,
    /// The query, with named parameters.
    pub text: &'static str,
    /// Metrics that the query reads, by name, in alphabetical order.
    pub depends_on: &'static [&'static str],
}

macro_rules! metric {
    ($name:literal, [$($input:literal),*]) => {
        Metric {
            name: $name,
            text: include_str!(concat!("../metrics/", $name, ".sql")),
            depends_on: &[$($input),*],
        }
    };
}

/// Every metric, each after those it depends on.
pub const METRICS: &[Metric] = &[
    metric!("event", []),
    metric!("customer_day", ["event"]),
    metric!("order_day", ["event"]),
    metric!("rep_day", ["event"]),
    metric!("rep_in_force", []),
    metric!("customer_in_force", []),
    metric!("region_in_force", []),
    metric!("plan_in_force", []),
    metric!("region_tree", ["customer_in_force", "plan_in_force", "region_in_force", "rep_in_force"]),
    metric!("scope", ["region_tree", "rep_in_force"]),
    metric!("scope_rep", ["region_tree", "rep_in_force"]),
    metric!("scope_customer", ["customer_in_force", "region_tree", "rep_in_force"]),
    metric!("working_day", []),
    metric!("customer_window", ["customer_day", "customer_in_force"]),
    metric!("customer_order", ["event", "order_day"]),
    metric!("customer_health", ["customer_in_force", "customer_order", "customer_window"]),
    metric!("touch_density", ["customer_health", "scope", "scope_customer"]),
    metric!("health_improvement", ["customer_health", "scope", "scope_customer"]),
    metric!("lead_life", ["event", "rep_in_force"]),
    metric!("lead", ["lead_life"]),
    metric!("lead_quality", ["event", "lead_life"]),
    metric!("lead_funnel", ["lead_life"]),
    metric!("lead_conversion_week", ["lead_life", "region_tree", "scope"]),
    metric!("opportunity_event", ["event"]),
    metric!("opportunity_stage", ["opportunity_event"]),
    metric!("opportunity", ["opportunity_event", "opportunity_stage"]),
    metric!("stage_move", ["opportunity", "opportunity_event", "opportunity_stage"]),
    metric!(
        "rep_process",
        [
            "customer_in_force",
            "customer_window",
            "lead",
            "opportunity",
            "rep_day",
            "rep_in_force",
            "stage_move",
            "working_day"
        ]
    ),
    metric!("scope_process", ["rep_process", "scope", "scope_rep"]),
    metric!("process_component", ["scope_process"]),
    metric!("process_health", ["process_component", "scope_process"]),
    metric!("rep_sales", ["opportunity", "rep_day", "rep_in_force"]),
    metric!("market_heat", ["region_tree"]),
    metric!("sales_measure", ["market_heat", "rep_in_force", "rep_sales", "scope", "scope_rep"]),
    metric!("capability", ["rep_day", "rep_process", "rep_sales"]),
];

impl Metric {
    /// The metric of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|metric| metric.name == name)
    }

    /// The query with its parameters bound, over the tables of the session.
    ///
    /// # Errors
    /// [`MetricError::Plan`] where a table or parameter is missing or of another type.
    pub async fn frame(
        &self,
        ctx: &SessionContext,
        parameters: &[Parameter],
    ) -> Result<DataFrame, MetricError> {
        let plan =
            |source: DataFusionError| MetricError::Plan { metric: self.name, source: Box::new(source) };
        ctx.sql(self.text).await.and_then(|frame| frame.with_param_values(parameters.to_vec())).map_err(plan)
    }
}

/// Offers every metric as the view `metric.NAME`, computed when it is read, as of that day. Registering again
/// replaces the views. The session must have `raw.behaviour`, `crm.rep`, `crm.customer`, `crm.region`, `crm.plan`,
/// `crm.calendar`, `raw.market_factor` and `catalogue.event` in its default catalog.
///
/// # Errors
/// [`MetricError`], by what failed; views registered before that stay.
pub async fn register(
    ctx: &SessionContext,
    as_of: NaiveDate,
    settings: &Settings,
) -> Result<(), MetricError> {
    let all: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    register_needed(ctx, as_of, settings, &all).await
}

/// Like [`register`], but only the wanted metrics and those they depend on.
///
/// # Errors
/// [`MetricError`], by what failed; views registered before that stay.
pub async fn register_needed(
    ctx: &SessionContext,
    as_of: NaiveDate,
    settings: &Settings,
    wanted: &[&str],
) -> Result<(), MetricError> {
    let metrics = register_inputs(ctx, as_of, settings)?;
    let parameters = parameters(as_of, settings)?;
    for metric in needed(wanted) {
        let frame = metric.frame(ctx, &parameters).await?;
        replace(metrics.as_ref(), METRIC_SCHEMA, metric.name, frame.into_view())?;
    }
    Ok(())
}

/// Computes the wanted metrics and those they depend on, each once, and keeps their rows in memory as the tables
/// `metric.NAME`: the way to read several of them, because a view repeats the work of the views below it. What
/// [`register`] says of the session holds here, too.
///
/// # Errors
/// [`MetricError`], by what failed; tables registered before that stay.
pub async fn materialize(
    ctx: &SessionContext,
    as_of: NaiveDate,
    settings: &Settings,
    wanted: &[&str],
) -> Result<(), MetricError> {
    let metrics = register_inputs(ctx, as_of, settings)?;
    let parameters = parameters(as_of, settings)?;
    for metric in needed(wanted) {
        let frame = metric.frame(ctx, &parameters).await?;
        let table = compute(ctx, frame)
            .await
            .map_err(|source| MetricError::Compute { metric: metric.name, source: Box::new(source) })?;
        replace(metrics.as_ref(), METRIC_SCHEMA, metric.name, Arc::new(table))?;
    }
    Ok(())
}

/// The metrics of those names and all that they depend on, in the order of [`METRICS`]; unknown names are left out.
pub fn needed(wanted: &[&str]) -> Vec<&'static Metric> {
    let mut names: BTreeSet<&str> = wanted.iter().copied().collect();
    for metric in METRICS.iter().rev() {
        if names.contains(metric.name) {
            names.extend(metric.depends_on);
        }
    }
    METRICS.iter().filter(|metric| names.contains(metric.name)).collect()
}

async fn compute(ctx: &SessionContext, frame: DataFrame) -> Result<MemTable, DataFusionError> {
    let plan = frame.create_physical_plan().await?;
    let schema = plan.schema();
    let batches = collect_partitioned(plan, ctx.task_ctx()).await?;
    MemTable::try_new(schema, batches)
}

/// Registers `calendar.day` and `config.*`, and returns the schema of the metrics.
fn register_inputs(
    ctx: &SessionContext,
    as_of: NaiveDate,
    settings: &Settings,
) -> Result<Arc<dyn SchemaProvider>, MetricError> {
    let from = day::offset_day(as_of, -calendar_days(settings))?;
    let to = day::offset_day(as_of, 1)?;
    let days = day_table(parameters::zone(settings)?, from, to)?;
    let calendar = schema(ctx, "calendar")?;
    replace(calendar.as_ref(), "calendar", "day", memory("calendar.day", days)?)?;
    let config = schema(ctx, "config")?;
    let stages = stage_table(&settings.pipeline)?;
    replace(config.as_ref(), "config", "stage", memory("config.stage", stages)?)?;
    let components = component_table(&settings.process)?;
    replace(config.as_ref(), "config", "component", memory("config.component", components)?)?;
    let attributes = lead_attribute_table(&settings.lead)?;
    replace(config.as_ref(), "config", "lead_attribute", memory("config.lead_attribute", attributes)?)?;
    let weights = heat_weight_table(&settings.factor)?;
    replace(config.as_ref(), "config", "heat_weight", memory("config.heat_weight", weights)?)?;
    schema(ctx, METRIC_SCHEMA)
}

/// Days that `calendar.day` must reach back: a customer created before them is overdue to the cap, today and 30 days ago.
fn calendar_days(settings: &Settings) -> i64 {
    let health = &settings.health;
    let overdue = health.overdue_days_max.saturating_add(health.overdue_after_hours / 24).saturating_add(32);
    overdue.clamp(*CALENDAR_DAYS.start(), *CALENDAR_DAYS.end())
}

fn memory(name: &str, rows: RecordBatch) -> Result<Arc<dyn TableProvider>, MetricError> {
    let table = MemTable::try_new(rows.schema(), vec![vec![rows]]).map_err(refused(name))?;
    Ok(Arc::new(table))
}

/// The schema of that name in the session's default catalog, made if it isn't there.
fn schema(ctx: &SessionContext, name: &str) -> Result<Arc<dyn SchemaProvider>, MetricError> {
    let catalog = default_catalog(ctx).map_err(refused(name))?;
    if let Some(schema) = catalog.schema(name) {
        return Ok(schema);
    }
    let schema: Arc<dyn SchemaProvider> = Arc::new(MemorySchemaProvider::new());
    catalog.register_schema(name, Arc::clone(&schema)).map_err(refused(name))?;
    Ok(schema)
}

fn default_catalog(ctx: &SessionContext) -> Result<Arc<dyn CatalogProvider>, DataFusionError> {
    let name = ctx.copied_config().options().catalog.default_catalog.clone();
    ctx.catalog(&name).ok_or_else(|| DataFusionError::Plan(format!("no catalog {name}")))
}

fn replace(
    schema: &dyn SchemaProvider,
    schema_name: &str,
    name: &str,
    table: Arc<dyn TableProvider>,
) -> Result<(), MetricError> {
    let full_name = format!("{schema_name}.{name}");
    schema.deregister_table(name).map_err(refused(&full_name))?;
    schema.register_table(name.to_owned(), table).map_err(refused(&full_name))?;
    Ok(())
}

fn refused(name: &str) -> impl FnOnce(DataFusionError) -> MetricError {
    let name = name.to_owned();
    |source| MetricError::Register { name, source: Box::new(source) }
}

#[cfg(test)]
mod tests;
