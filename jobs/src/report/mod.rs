//! What people read: a day's report, a run's account, a quota's explanation.

pub(crate) mod backtest;
pub(crate) mod backtest_page;
pub(crate) mod daily;
pub(crate) mod explain;
mod measures;
pub(crate) mod model;
pub(crate) mod next;
mod plot;
mod rows;
pub(crate) mod rules;
pub(crate) mod run;
mod steering;
pub(crate) mod train;
pub(crate) mod words;

use engine::lake::{Lake, Run, published};
use engine::time::Day;

pub(crate) use measures::rep_measures;

/// The days that have a published run, in order.
pub(crate) async fn published_days(lake: &Lake) -> anyhow::Result<Vec<Day>> {
    let runs = Run::load(&lake.table("ops.run").await?)?;
    Ok(published(&runs).into_keys().collect())
}
