//! What people read: a day's report, a run's account, a quota's explanation.

pub(crate) mod adjust;
pub(crate) mod backtest;
pub(crate) mod backtest_page;
pub(crate) mod daily;
pub(crate) mod explain;
mod measures;
pub(crate) mod model;
pub(crate) mod next;
mod plot;
pub(crate) mod replay;
pub(crate) mod rows;
pub(crate) mod rules;
pub(crate) mod run;
mod steering;
pub(crate) mod suggest;
pub(crate) mod train;
pub(crate) mod whatif;
pub(crate) mod words;

use engine::catalogue::Catalogue;
use engine::lake::{Lake, Run, published};
use engine::time::Day;

pub(crate) use measures::{RepMeasures, rep_measures};

/// The reps with a quota on the newest published day.
pub(crate) async fn quota_reps(lake: &Lake, catalogue: &Catalogue) -> anyhow::Result<Vec<String>> {
    let session = sql::session_over(lake, catalogue, |table| table == "mart.quota").await?;
    let query =
        "SELECT rep_id FROM mart.quota WHERE as_of = (SELECT max(as_of) FROM mart.quota) ORDER BY rep_id";
    Ok(rows::ask(&session, query).await?.iter().map(|row| row.text(0).to_owned()).collect())
}

/// The days that have a published run, in order.
pub(crate) async fn published_days(lake: &Lake) -> anyhow::Result<Vec<Day>> {
    let runs = Run::load(&lake.table("ops.run").await?)?;
    Ok(published(&runs).into_keys().collect())
}
