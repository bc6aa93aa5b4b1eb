//! What people read: a day's report, a run's account, a quota's explanation.

pub(crate) mod backtest;
pub(crate) mod backtest_page;
pub(crate) mod daily;
pub(crate) mod explain;
pub(crate) mod model;
pub(crate) mod next;
mod plot;
mod rows;
pub(crate) mod run;
pub(crate) mod words;

use engine::lake::{Lake, Run, published};
use engine::time::Day;

/// The days that have a published run, in order.
pub(crate) async fn published_days(lake: &Lake) -> anyhow::Result<Vec<Day>> {
    let runs = Run::load(&lake.table("ops.run").await?)?;
    Ok(published(&runs).into_keys().collect())
}
