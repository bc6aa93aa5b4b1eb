//! Windows as of any day: what was done in the days up to it, from day tiles alone.
//!
//! | call | a row per | columns |
//! |---|---|---|
//! | `customer_window(DATE '2026-03-31', 30)` | customer touched | `customer_id`, touches, effective touches, evidence, last touch |
//! | `rep_window(DATE '2026-03-31', 30)` | rep | counts and the amount signed |
//!
//! The day itself is the last of the window; without a number of days there are 30.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Date32Type, Int64Type};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::{max, sum};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col, lit};
use datafusion::prelude::SessionContext;
use futures::FutureExt as _;

use crate::session::CATALOG;

/// Days of a window whose length isn't given.
const DAYS: i64 = 30;
/// Days of a window, at most.
const DAYS_MAX: i64 = 36_600;

/// Registers those whose tiles the session has.
pub(super) fn register(context: &SessionContext) {
    let tile = |name: &str| -> Option<Arc<dyn TableProvider>> {
        let schema = context.catalog(CATALOG)?.schema("tile")?;
        schema.table(name).now_or_never()?.ok()?
    };
    if let (Some(days), Some(keys)) = (tile("customer_day"), tile("customer_key")) {
        context.register_udtf("customer_window", Arc::new(CustomerWindow { days, keys }));
    }
    if let Some(days) = tile("rep_day") {
        context.register_udtf("rep_window", Arc::new(RepWindow { days }));
    }
}

#[derive(Debug)]
struct CustomerWindow {
    days: Arc<dyn TableProvider>,
    keys: Arc<dyn TableProvider>,
}

impl TableFunctionImpl for CustomerWindow {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let window = Window::of("customer_window", &args)?;
        let keys =
            LogicalPlanBuilder::scan("keys", provider_as_source(Arc::clone(&self.keys)), None)?.build()?;
        let counts = [
            sum(col("touches")).alias("touches"),
            sum(col("effective_touches")).alias("effective_touches"),
            sum(col("evidence")).alias("evidence"),
            max(col("last_touch")).alias("last_touch"),
        ];
        let plan = window
            .over(&self.days)?
            .aggregate([col("customer_key")], counts)?
            .alias("days")?
            .join(keys, JoinType::Inner, (vec!["days.customer_key"], vec!["keys.customer_key"]), None)?
            .project([
                col("keys.customer_id"),
                col("days.touches"),
                col("days.effective_touches"),
                col("days.evidence"),
                col("days.last_touch"),
            ])?
            .build()?;
        Ok(view(plan))
    }
}

#[derive(Debug)]
struct RepWindow {
    days: Arc<dyn TableProvider>,
}

impl TableFunctionImpl for RepWindow {
    fn call_with_args(&self, args: TableFunctionArgs<'_, '_>) -> Result<Arc<dyn TableProvider>> {
        let window = Window::of("rep_window", &args)?;
        let sums: Vec<Expr> = engine::tile::rep::COUNTS
            .iter()
            .chain(&["amount_signed"])
            .map(|name| sum(col(*name)).alias(*name))
            .collect();
        Ok(view(window.over(&self.days)?.aggregate([col("rep_id")], sums)?.build()?))
    }
}

/// The days of a window, both included.
#[derive(Debug)]
struct Window {
    first: i32,
    last: i32,
}

impl Window {
    fn of(name: &str, args: &TableFunctionArgs<'_, '_>) -> Result<Self> {
        let wrong = || {
            DataFusionError::Plan(format!(
                "{name} takes a day and, if not {DAYS}, a number of days from 1 to {DAYS_MAX}: {name}(DATE '2026-03-31', 30)"
            ))
        };
        let (day, days) = match args.exprs() {
            [day] => (day, None),
            [day, days] => (day, Some(days)),
            _ => return Err(wrong()),
        };
        let last = value(day, &DataType::Date32, args)?
            .to_array()?
            .as_primitive_opt::<Date32Type>()
            .and_then(|array| array.iter().next().flatten())
            .ok_or_else(wrong)?;
        let days = match days {
            None => DAYS,
            Some(days) => value(days, &DataType::Int64, args)?
                .to_array()?
                .as_primitive_opt::<Int64Type>()
                .and_then(|array| array.iter().next().flatten())
                .ok_or_else(wrong)?,
        };
        if !(1..=DAYS_MAX).contains(&days) {
            return Err(wrong());
        }
        let first = i64::from(last) - days + 1;
        Ok(Self { first: i32::try_from(first).map_err(|_| wrong())?, last })
    }

    /// The rows of a table of days that fall into the window.
    fn over(&self, days: &Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
        let day = |number: i32| lit(ScalarValue::Date32(Some(number)));
        LogicalPlanBuilder::scan("day", provider_as_source(Arc::clone(days)), None)?
            .filter(col("event_date").between(day(self.first), day(self.last)))
    }
}

/// The value of an argument that needs no row.
fn value(argument: &Expr, data_type: &DataType, args: &TableFunctionArgs<'_, '_>) -> Result<ScalarValue> {
    let schema = datafusion::common::DFSchema::empty();
    let physical = args.session().create_physical_expr(cast(argument.clone(), data_type.clone()), &schema)?;
    let row = arrow::array::RecordBatch::try_new_with_options(
        Arc::new(arrow::datatypes::Schema::empty()),
        Vec::new(),
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(1)),
    )?;
    let value = physical.evaluate(&row)?.into_array(1)?;
    ScalarValue::try_from_array(&value, 0)
}

fn view(plan: LogicalPlan) -> Arc<dyn TableProvider> {
    Arc::new(ViewTable::new(plan, None))
}
