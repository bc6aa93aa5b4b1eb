//! A generated lake, and a session over it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{IngestOptions, ingest_files};
use engine::lake::{FileTable, Lake, tables};
use engine::quota::{Effects, Forecast, Learnt, PredictInput, Predictor};
use engine::time::parse_rfc3339;

/// Quotas are not under test here: everybody is expected to sell 100.
#[derive(Debug)]
pub(crate) struct Flat;

impl Forecast for Flat {
    fn base(&self, _: usize) -> f64 {
        10_000.0
    }
    fn expected(&self, _: usize) -> f64 {
        10_000.0
    }
    fn without_pipeline(&self, _: usize) -> f64 {
        10_000.0
    }
    fn low(&self, _: usize) -> f64 {
        2_000.0
    }
    fn high(&self, _: usize) -> f64 {
        18_000.0
    }
    fn quantile(&self, _: usize, p: f64) -> f64 {
        20_000.0 * p
    }
    fn p_at_least(&self, _: usize, _: f64) -> f64 {
        0.5
    }
    fn leans_on(&self, _: usize) -> String {
        "nothing".to_owned()
    }
    fn season(&self) -> f64 {
        1.0
    }
    fn with_effects(&self, _: &[Effects]) -> Box<dyn Forecast> {
        Box::new(Self)
    }
    fn revise(&mut self, _: usize, _: f64, _: Effects) {}
}

impl Predictor for Flat {
    fn name(&self) -> &'static str {
        "flat"
    }
    fn predict(&self, _: &PredictInput, _: &Learnt) -> Result<Box<dyn Forecast>, String> {
        Ok(Box::new(Self))
    }
}

fn paths_of(data: &Path, stream: Stream) -> Vec<PathBuf> {
    let name = stream.name();
    let folder = data.join(name);
    if folder.is_dir() { vec![folder] } else { vec![data.join(format!("{name}.ndjson"))] }
}

/// A lake with every stream of a generated world, and more lines of some.
pub(crate) async fn lake_of(
    dir: &Path,
    catalogue: &Catalogue,
    scale: &data_samples::Scale,
    more: &[(Stream, String)],
) -> Lake {
    let data = dir.join("data");
    data_samples::generate(scale, &data, data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    let lake = Lake::open_or_create(&dir.join("lake"), "Asia/Shanghai").unwrap();
    let options = IngestOptions::new(parse_rfc3339("2026-12-01T00:00:00Z").unwrap());
    for stream in Stream::ALL {
        ingest_files(&lake, catalogue, stream, &paths_of(&data, stream), &options).await.unwrap();
    }
    for (number, (stream, lines)) in more.iter().enumerate() {
        let path = dir.join(format!("more-{number}.ndjson"));
        std::fs::write(&path, lines).unwrap();
        ingest_files(&lake, catalogue, *stream, &[path], &options).await.unwrap();
    }
    lake
}

/// A session over the tables of the lake as they are now.
pub(crate) async fn session(lake: &Lake, catalogue: &Catalogue) -> SessionContext {
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
