//! Two witnesses: what the kernel publishes and what the SQL text says, cell by cell, on generated data with
//! duplicates, late and reordered rows, bad records, nulls and customers that were never touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, ingest_files};
use engine::lake::{FileTable, Lake, tables};
use engine::pipeline::{RunRequest, run};
use engine::quota::{Forecast, PredictInput, Predictor};
use engine::settings::Settings;
use engine::time::{day_number, parse_rfc3339};

/// Quotas are not under test here: everybody is expected to sell 100.
#[derive(Debug)]
struct Flat;

impl Forecast for Flat {
    fn base(&self, _: usize) -> f64 {
        10_000.0
    }
    fn expected(&self, _: usize) -> f64 {
        10_000.0
    }
    fn quantile(&self, _: usize, p: f64) -> f64 {
        20_000.0 * p
    }
    fn p_at_least(&self, _: usize, _: f64) -> f64 {
        0.5
    }
}

impl Predictor for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }
    fn season(&self, _: &[f64], _: u8) -> Result<[f64; 12], String> {
        Ok([1.0; 12])
    }
    fn predict(&self, _: &PredictInput, _: &[f64; 12]) -> Result<Box<dyn Forecast>, String> {
        Ok(Box::new(Self))
    }
}

fn paths_of(data: &Path, stream: Stream) -> Vec<PathBuf> {
    let name = stream.name();
    let folder = data.join(name);
    if folder.is_dir() { vec![folder] } else { vec![data.join(format!("{name}.ndjson"))] }
}

async fn lake_of(dir: &Path, catalogue: &Catalogue, scale: &data_samples::Scale) -> Lake {
    let data = dir.join("data");
    data_samples::generate(scale, &data, data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    let lake = Lake::open_or_create(&dir.join("lake"), "Asia/Shanghai").unwrap();
    let options = IngestOptions::new(parse_rfc3339("2026-12-01T00:00:00Z").unwrap());
    for stream in Stream::ALL {
        ingest_files(&lake, catalogue, stream, &paths_of(&data, stream), &options).await.unwrap();
    }
    lake
}

async fn session(lake: &Lake, catalogue: &Catalogue) -> SessionContext {
    let ctx = SessionContext::new();
    for schema in ["raw", "crm", "tile", "mart", "ops", "catalogue"] {
        ctx.sql(&format!("CREATE SCHEMA {schema}")).await.unwrap();
    }
    for spec in tables::all() {
        let table = lake.table(spec.name).await.unwrap();
        let (schema, name) = spec.name.split_once('.').unwrap();
        ctx.register_table(TableReference::partial(schema, name), Arc::new(FileTable::new(&table).unwrap()))
            .unwrap();
    }
    ctx.register_batch("catalogue.event", catalogue.to_batch().unwrap()).unwrap();
    ctx
}

/// Every column that both sides have must hold the same cells, row for row.
async fn compare(ctx: &SessionContext, mart: &str, metric: &str, run_id: &str) -> Result<usize, String> {
    let left = ctx.table(mart).await.map_err(|e| e.to_string())?;
    let right = ctx.table(metric).await.map_err(|e| e.to_string())?;
    let columns: Vec<String> = left
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .filter(|name| right.schema().has_column_with_unqualified_name(name))
        .collect();
    let list = columns.join(", ");
    let ours = format!("SELECT {list} FROM {mart} WHERE run_id = '{run_id}'");
    let theirs = format!("SELECT {list} FROM {metric}");
    let count = |query: String| async move {
        let batches =
            ctx.sql(&query).await.map_err(|e| e.to_string())?.collect().await.map_err(|e| e.to_string())?;
        Ok::<_, String>(batches)
    };
    for (a, b, whose) in [(&ours, &theirs, "kernel"), (&theirs, &ours, "SQL")] {
        let rows = count(format!("({a}) EXCEPT ({b}) LIMIT 5")).await?;
        if rows.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>() > 0 {
            let text = arrow::util::pretty::pretty_format_batches(&rows).map_err(|e| e.to_string())?;
            return Err(format!("{mart}: rows of the {whose} alone:\n{text}"));
        }
    }
    let rows = |batches: Vec<arrow::array::RecordBatch>| {
        batches.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>()
    };
    let (n, m) = (rows(count(ours).await?), rows(count(theirs).await?));
    if n == m && n > 0 {
        Ok(columns.len())
    } else {
        Err(format!("{mart}: {n} rows of the kernel, {m} of the SQL"))
    }
}

const PAIRS: [(&str, &str); 9] = [
    ("mart.customer_health", "metric.customer_health"),
    ("mart.touch_density", "metric.touch_density"),
    ("mart.health_improvement", "metric.health_improvement"),
    ("mart.process_health", "metric.process_health"),
    ("mart.lead", "metric.lead"),
    ("mart.opportunity", "metric.opportunity"),
    ("mart.lead_funnel", "metric.lead_funnel"),
    ("mart.lead_conversion", "metric.lead_conversion_week"),
    ("mart.sales_measure", "metric.sales_measure"),
];

#[tokio::test(flavor = "multi_thread")]
async fn kernel_and_sql_publish_the_same_cells() {
    let dir = tempfile::tempdir().unwrap();
    let catalogue = Catalogue::builtin().unwrap();
    let settings = Settings::default();
    let scale = data_samples::Scale { days: 75, ..data_samples::sample_scale() };
    let lake = lake_of(dir.path(), &catalogue, &scale).await;
    let mut differences = Vec::new();
    // The middle of the history first, so that the last day builds on tiles and lives that are there already.
    for back in [20, 0] {
        let as_of = day_number(scale.end) - back;
        let report = run(
            &lake,
            RunRequest {
                as_of,
                now: parse_rfc3339("2026-12-01T00:00:00Z").unwrap(),
                settings: &settings,
                catalogue: &catalogue,
                predictor: &Flat,
                progress: &mut |_| {},
            },
        )
        .await
        .unwrap();
        assert!(report.published);
        let ctx = session(&lake, &catalogue).await;
        let wanted = PAIRS.map(|(_, metric)| metric.trim_start_matches("metric."));
        sql::metrics::materialize(&ctx, engine::time::date(as_of), &settings, &wanted).await.unwrap();
        for (mart, metric) in PAIRS {
            if let Err(difference) = compare(&ctx, mart, metric, &report.run_id).await {
                differences.push(difference);
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
}
