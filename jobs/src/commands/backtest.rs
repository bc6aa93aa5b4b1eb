//! `tideline backtest`: past forecasts made again, beside what came.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use arrow::array::{ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray};
use engine::pipeline::record;
use models::backtest::{PeriodKind, QuotaBacktest, QuotaScores, RepPeriod, last_periods, quota_backtest};
use models::panel::QuotaParams;
use parquet::arrow::ArrowWriter;

use crate::cli::{BacktestPeriod, BacktestQuotaArgs};
use crate::context::Context;
use crate::import::BadInput;
use crate::output::{self, AtomicFile};
use crate::panel_file::PanelFile;
use crate::predictor::{panel, regions};
use crate::report::{backtest, backtest_page};

/// `backtest quota`.
pub(crate) async fn quota(args: &BacktestQuotaArgs, context: &Context) -> anyhow::Result<()> {
    if let Some(out) =
        args.out.as_deref().filter(|out| out.extension().is_none_or(|ending| ending != "parquet"))
    {
        return Err(BadInput::new(format!(
            "{}: --out writes Parquet; end the name in .parquet",
            out.display()
        ))
        .into());
    }
    let settings = &context.config.quota;
    let (source, file, history_months) = match &args.from {
        Some(from) => {
            let file = PanelFile::read(from)?;
            if !file.ignored.is_empty() && !context.quiet {
                output::note(&format!(
                    "left out, because they hold other things than numbers: {}",
                    file.ignored.join(", ")
                ));
            }
            (from.display().to_string(), file, QuotaParams::default().history_months)
        }
        None => (context.config.lake.clone(), of_lake(args, context).await?, settings.history_months),
    };
    let kind = match args.period {
        BacktestPeriod::Month => PeriodKind::Month,
        BacktestPeriod::Quarter => PeriodKind::Quarter,
        BacktestPeriod::Weeks13 => PeriodKind::Weeks13,
    };
    let periods = last_periods(&file.panel, kind, args.periods);
    let params = QuotaParams {
        attain_probability: settings.attain_probability,
        history_months,
        ..QuotaParams::default()
    };
    let found = quota_backtest(&file.panel, kind, &periods, &params, settings.daily_move_max)
        .map_err(|error| BadInput::new(format!("{source}: {error}")))?;
    if found.rows.is_empty() {
        let message = format!(
            "{source}: too short: no whole period has any history before it; take a shorter --period, or a longer {}",
            if args.from.is_some() { "table" } else { "history" }
        );
        return Err(BadInput::new(message).into());
    }
    let scores = QuotaScores::of(&found);
    let report = backtest::Report {
        source,
        file: &file,
        backtest: &found,
        scores: &scores,
        asked: args.periods,
        attain_probability: settings.attain_probability,
        move_max: settings.daily_move_max,
        ratchet_max: params.ratchet_max,
    };
    let mut texts = vec![backtest::terminal(&report)];
    // Files first: whoever reads no further than the report's head wants them nonetheless.
    if let Some(out) = &args.out {
        write_rows(out, &file, &found)?;
        texts.push(format!("{} rows in {}", found.rows.len(), out.display()));
    }
    if let Some(html) = &args.html {
        let mut page = AtomicFile::create(html)?;
        page.write_all(backtest_page::page(&report).as_bytes())
            .with_context(|| format!("writing {}", html.display()))?;
        page.publish()?;
        texts.push(format!("a page with plots in {}", html.display()));
    }
    output::print(&texts.join("\n"))
}

/// What the lake's reps sold up to `--as-of`, as a table.
async fn of_lake(args: &BacktestQuotaArgs, context: &Context) -> anyhow::Result<PanelFile> {
    let as_of = args.as_of.map_or_else(|| context.yesterday(), |day| context.day(day))?;
    let progress = context.progress("backtest");
    progress.stage("reading the history");
    let mut record = record(&context.lake()?, &context.settings(), &context.catalogue()?, as_of).await?;
    // In major units, like a table of one's own.
    record.input.sales.iter_mut().for_each(|sold| sold.amount /= 100.0);
    let regions = regions(&record.input);
    let panel = panel(&record.input, |region| regions[&region]).map_err(BadInput::new)?;
    let name = |region: &u32| record.region_ids.get(*region as usize).cloned().unwrap_or_default();
    Ok(PanelFile {
        rows: record.input.sales.len(),
        regions: regions.keys().map(name).collect(),
        reps: record.rep_ids,
        panel,
        factors: Vec::new(),
        ignored: Vec::new(),
    })
}

/// One row per rep and period, by period, then by rep; amounts in the unit of the table, as floats.
fn write_rows(out: &Path, file: &PanelFile, found: &QuotaBacktest) -> anyhow::Result<()> {
    let rows = &found.rows;
    let number = |of: fn(&RepPeriod) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let text = |of: &dyn Fn(&RepPeriod) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let day = |of: &dyn Fn(&RepPeriod) -> i32| -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(rows.iter().map(of)))
    };
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("period_start", day(&|row| found.periods[row.period].start), false),
        ("rep_id", text(&|row| file.reps[row.rep].clone()), false),
        ("region_id", text(&|row| file.regions[row.region].clone()), false),
        ("quota", number(|row| Some(row.quota[0])), false),
        ("expected", number(|row| Some(row.expected)), false),
        ("low", number(|row| Some(row.low)), false),
        ("high", number(|row| Some(row.high)), false),
        ("static_quota", number(|row| row.baselines.static_quota), true),
        ("actual", number(|row| Some(row.actual)), false),
        ("period_end", day(&|row| found.periods[row.period].end), false),
        ("leans_on", text(&|row| backtest::leans_on(row.leans_on).to_owned()), false),
    ])?;
    let mut writer = ArrowWriter::try_new(AtomicFile::create(out)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.into_inner().with_context(|| format!("writing {}", out.display()))?.publish()
}
