//! `tideline backtest leads`: models of leads fitted again as they would have been on past days, beside what came.

use std::path::Path;

use arrow::array::{BooleanArray, Date32Array, Float64Array, StringArray};
use engine::EngineError;
use engine::score::{LeadRows, TrainingRequest, training};
use engine::time::{Day, date};

use super::model::output::{column, write};
use crate::cli::BacktestLeadsArgs;
use crate::context::Context;
use crate::import::BadInput;
use crate::output;
use crate::report::train::origins;
use crate::train::{Origin, backtest_leads};

/// `backtest leads`.
pub(crate) async fn run(args: &BacktestLeadsArgs, context: &Context) -> anyhow::Result<()> {
    let wrong = |out: &&Path| out.extension().is_none_or(|ending| ending != "parquet");
    if let Some(out) = args.out.as_deref().filter(wrong) {
        let message = format!("{}: --out writes Parquet; end the name in .parquet", out.display());
        return Err(BadInput::new(message).into());
    }
    let as_of = args.as_of.map_or_else(|| context.yesterday(), |day| context.day(day))?;
    let config = &context.config.model;
    let progress = context.progress("backtest");
    progress.stage("reading the history");
    let request = TrainingRequest {
        as_of,
        history_days: config.history_days,
        step_days: config.step_days,
        also: None,
        settings: &context.settings(),
        catalogue: &context.catalogue()?,
    };
    let rows = training(&context.lake()?, request).await?.leads;
    progress.stage("fitting");
    let found = backtest_leads(&rows, args.origins, config)?;
    drop(progress);
    if found.is_empty() {
        let message = format!(
            "the history up to {} is too short: a past day needs {} looks at open leads whose outcome was known then, \
             and later ones to judge by; the lake has {} in all",
            date(as_of),
            config.rows_min,
            rows.days.len()
        );
        return Err(EngineError::Input(message).into());
    }
    if let Some(out) = &args.out {
        write_rows(out, &rows, &found)?;
    }
    output::print(&origins(&found))
}

/// A row per judged look.
fn write_rows(out: &Path, rows: &LeadRows, found: &[Origin]) -> anyhow::Result<()> {
    let judged = || found.iter().flat_map(|origin| origin.judged.iter().map(move |judged| (origin, judged)));
    let days = |of: &dyn Fn(&Origin, usize) -> Day| {
        Date32Array::from(judged().map(|(origin, judged)| of(origin, judged.0)).collect::<Vec<_>>())
    };
    let p =
        |place: usize| Float64Array::from(judged().map(|(_, judged)| judged.1[place]).collect::<Vec<_>>());
    let leads: Vec<&str> = judged().map(|(_, judged)| rows.lead_ids[judged.0].as_str()).collect();
    let came: Vec<bool> = judged().map(|(_, judged)| rows.converted[judged.0]).collect();
    write(
        out,
        vec![
            column("origin", days(&|origin, _| origin.from)),
            column("day", days(&|_, row| rows.days[row])),
            column("lead_id", StringArray::from(leads)),
            column("p_convert", p(0)),
            column("low", p(1)),
            column("high", p(2)),
            column("converted", BooleanArray::from(came)),
        ],
    )
}
