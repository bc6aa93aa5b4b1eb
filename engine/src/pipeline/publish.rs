//! Publication: every mart's rows under the run's id, then the one row in `ops.run` that shows them all.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use rayon::prelude::*;

use super::RunReport;
use super::identity::{Identity, Text};
use super::source::Sources;
use crate::error::{EngineError, Result};
use crate::lake::{DataFile, Encoding, Lake, NewFile, Table, write, write_parts};
use crate::mart::Mart;
use crate::time::{Day, Micros, date};

/// What `ops.run` tells of a run beside its identity.
#[derive(Debug)]
pub(super) struct RunFacts {
    pub(super) as_of: Day,
    pub(super) started_at: Micros,
    pub(super) finished_at: Micros,
    pub(super) mapping_error: Option<f64>,
    pub(super) warnings: Vec<String>,
}

/// The report of the run with this identity, if it is the one that its day shows.
pub(super) fn already_published(sources: &Sources, identity: &Identity, as_of: Day) -> Option<RunReport> {
    let shown = sources.shown(as_of).filter(|run| run.run_id == identity.run_id)?;
    Some(RunReport {
        run_id: shown.run_id.clone(),
        as_of,
        published: false,
        rows: shown.rows.clone(),
        ..RunReport::default()
    })
}

/// A mart's file that no reader sees yet.
#[derive(Debug)]
pub(super) struct Written {
    table: &'static str,
    rows: usize,
    file: NewFile,
}

/// Writes the rows of marts under the run's id.
pub(super) fn write_all(
    lake: &Lake,
    identity: &Identity,
    as_of: Day,
    marts: &[Mart],
) -> Result<Vec<Written>> {
    let partition = BTreeMap::from([
        ("as_of".to_owned(), date(as_of).to_string()),
        ("run_id".to_owned(), identity.run_id.clone()),
    ]);
    let write = |mart: &Mart| {
        let (dir, path) = (lake.table_dir(mart.table), path(as_of, &identity.run_id));
        let file = write_parts(&dir, path, partition.clone(), &mart.parts, Encoding::Mart)?;
        Ok(Written { table: mart.table, rows: mart.rows(), file })
    };
    marts.par_iter().map(write).collect()
}

/// Shows what was written: first the marts, then the run.
pub(super) async fn publish(
    lake: &Lake,
    identity: &Identity,
    facts: &RunFacts,
    written: Vec<Written>,
) -> Result<RunReport> {
    let names: Vec<&str> = written.iter().map(|mart| mart.table).collect();
    let rows: BTreeMap<String, u64> =
        written.iter().map(|mart| (mart.table.to_owned(), u64::try_from(mart.rows).unwrap_or(0))).collect();
    let mut tables = lake.open_tables(&names).await?;
    let commits = tables.iter_mut().zip(written).map(|(table, mart)| commit(table, mart.file));
    futures::future::try_join_all(commits).await?;
    keep_texts(lake, identity).await?;
    let mut run = lake.table("ops.run").await?;
    let batch = run_row(&run, identity, facts, &rows)?;
    let name = format!("run-{}-{}.parquet", identity.run_id, facts.started_at);
    let file = write(run.dir(), name, BTreeMap::new(), &batch, Encoding::Mart)?;
    run.commit(vec![file], &[], &[]).await?;
    Ok(RunReport {
        run_id: identity.run_id.clone(),
        as_of: facts.as_of,
        published: true,
        rows,
        mapping_error: facts.mapping_error,
        warnings: facts.warnings.clone(),
        ..RunReport::default()
    })
}

/// Where a run's rows of a mart are, below the mart's folder.
pub(super) fn path(as_of: Day, run_id: &str) -> String {
    format!("as_of={}/run_id={run_id}/part-0.parquet", date(as_of))
}

/// Keeps what the run's hashes stand for, each text once.
async fn keep_texts(lake: &Lake, identity: &Identity) -> Result<()> {
    let mut table = lake.table("ops.text").await?;
    let mut new = Vec::new();
    for text in &identity.texts {
        if table.position(&place(text)).await?.is_none() {
            new.push(text);
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Text) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(new.iter().map(|text| of(text))))
    };
    let columns = vec![column(|text| text.kind), column(|text| &text.hash), column(|text| &text.content)];
    let batch = RecordBatch::try_new(table.spec().file_schema(), columns)
        .map_err(EngineError::arrow("building ops.text"))?;
    let file = write(
        table.dir(),
        format!("text-{}.parquet", identity.run_id),
        BTreeMap::new(),
        &batch,
        Encoding::Mart,
    )?;
    let positions: Vec<(String, i64)> = new.iter().map(|text| (place(text), 1)).collect();
    table.commit(vec![file], &[], &positions).await?;
    Ok(())
}

/// The position that says that a text is there.
fn place(text: &Text) -> String {
    format!("{}/{}", text.kind, text.hash)
}

/// Adds the file, in place of one that a run cut off before had committed.
async fn commit(table: &mut Table, file: NewFile) -> Result<()> {
    let old: Vec<DataFile> = table
        .files()
        .iter()
        .filter(|other| other.partition == file.partition && other.path != file.path)
        .cloned()
        .collect();
    table.commit(vec![file], &old, &[]).await?;
    Ok(())
}

fn run_row(
    table: &Table,
    identity: &Identity,
    facts: &RunFacts,
    rows: &BTreeMap<String, u64>,
) -> Result<RecordBatch> {
    let text = |value: &str| -> ArrayRef { Arc::new(StringArray::from_iter_values([value])) };
    let time = |value: Micros| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values([value]).with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        text(&identity.run_id),
        text("daily"),
        Arc::new(Date32Array::from_iter_values([facts.as_of])),
        time(facts.started_at),
        time(facts.finished_at),
        text("published"),
        text(&json(&identity.inputs)?),
        text(&identity.config_hash),
        text(&identity.catalogue_hash),
        text(&identity.program),
        text(&json(rows)?),
        Arc::new(Float64Array::from(vec![facts.mapping_error])),
        text(&json(&facts.warnings)?),
    ];
    RecordBatch::try_new(table.spec().file_schema(), columns).map_err(EngineError::arrow("building ops.run"))
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| EngineError::Lake(error.to_string()))
}
