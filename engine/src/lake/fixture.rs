//! A small lake for the tests of this module: events and runs with given days, ids and rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Float64Array, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    new_null_array,
};
use tempfile::TempDir;

use super::{DataFile, Encoding, Lake, NewFile, Table, read, write};
use crate::time::{Day, Micros, date};

/// 2026-01-05, and midnight of it in UTC.
pub(super) const MONDAY: Day = 20_458;
pub(super) const DAY_MS: i64 = 86_400_000;

pub(super) struct Fixture {
    pub(super) lake: Lake,
    _dir: TempDir,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(&dir.path().join("lake"), "UTC").unwrap();
        Self { lake, _dir: dir }
    }

    /// Commits a file of events to the partition of `day`, one event per id, all at midnight of `happened`.
    pub(super) async fn events(&self, day: Day, happened: Day, name: &str, ids: &[&str]) {
        let mut table = self.lake.table("raw.behaviour").await.unwrap();
        let file = event_file(&table, day, happened, name, ids);
        table.commit(vec![file], &[], &[]).await.unwrap();
    }

    /// Commits `rows` factors of a run and, where `finished_at` is given, its row in `ops.run` saying `stated` rows.
    pub(super) async fn run(&self, id: &str, day: Day, rows: i32, finished_at: Option<(Micros, u64)>) {
        let mut table = self.lake.table("mart.factor").await.unwrap();
        let schema = table.spec().file_schema();
        let n = usize::try_from(rows).unwrap();
        let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["x"; n])) };
        let number = || -> ArrayRef { Arc::new(Float64Array::from(vec![1.0; n])) };
        let position: ArrayRef = Arc::new(Int32Array::from_iter_values(0..rows));
        let columns = vec![text(), text(), position, number(), number(), number(), text()];
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        let partition = BTreeMap::from([
            ("as_of".to_owned(), date(day).to_string()),
            ("run_id".to_owned(), id.to_owned()),
        ]);
        let path = format!("as_of={}/run_id={id}/part.parquet", date(day));
        let file = write(table.dir(), path, partition, &batch, Encoding::Mart).unwrap();
        table.commit(vec![file], &[], &[]).await.unwrap();
        if let Some((finished_at, stated)) = finished_at {
            self.publish(id, day, finished_at, stated).await;
        }
    }

    async fn publish(&self, id: &str, day: Day, finished_at: Micros, stated: u64) {
        let mut table = self.lake.table("ops.run").await.unwrap();
        let text = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text.to_owned()])) };
        let at = || -> ArrayRef {
            Arc::new(TimestampMicrosecondArray::from(vec![finished_at]).with_timezone("UTC"))
        };
        let schema = table.spec().file_schema();
        let columns = schema
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                "run_id" => text(id),
                "as_of" => Arc::new(Date32Array::from(vec![day])) as ArrayRef,
                "started_at" | "finished_at" => at(),
                "status" => text("published"),
                "rows" => text(&format!("{{\"mart.factor\":{stated}}}")),
                _ if field.is_nullable() => new_null_array(field.data_type(), 1),
                _ => text(""),
            })
            .collect();
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        let file =
            write(table.dir(), format!("{id}-{finished_at}.parquet"), BTreeMap::new(), &batch, Encoding::Raw)
                .unwrap();
        table.commit(vec![file], &[], &[]).await.unwrap();
    }

    pub(super) async fn files(&self, table: &str) -> Vec<DataFile> {
        self.lake.table(table).await.unwrap().files().to_vec()
    }

    /// All event ids, in order.
    pub(super) async fn event_ids(&self) -> Vec<String> {
        let table = self.lake.table("raw.behaviour").await.unwrap();
        let mut ids = Vec::new();
        for file in table.files() {
            for batch in read(&table.dir().join(&file.path), &["event_id"]).unwrap() {
                let column = batch.column(0).as_any().downcast_ref::<StringArray>().unwrap().clone();
                ids.extend(column.iter().flatten().map(str::to_owned));
            }
        }
        ids.sort();
        ids
    }
}

pub(super) fn event_file(table: &Table, day: Day, happened: Day, name: &str, ids: &[&str]) -> NewFile {
    let schema = table.spec().file_schema();
    let at = i64::from(happened) * DAY_MS * 1_000;
    let columns = schema
        .fields()
        .iter()
        .map(|field| match field.name().as_str() {
            "event_id" => Arc::new(StringArray::from(ids.to_vec())) as ArrayRef,
            "event_time" => {
                Arc::new(TimestampMicrosecondArray::from(vec![at; ids.len()]).with_timezone("UTC"))
            }
            "event_type" | "channel" => Arc::new(StringArray::from(vec!["call"; ids.len()])),
            "evidence_count" => Arc::new(Int32Array::from(vec![0; ids.len()])),
            _ => new_null_array(field.data_type(), ids.len()),
        })
        .collect();
    let batch = RecordBatch::try_new(schema, columns).unwrap();
    let day = date(day).to_string();
    let partition = BTreeMap::from([("event_date".to_owned(), day.clone())]);
    write(table.dir(), format!("event_date={day}/{name}.parquet"), partition, &batch, Encoding::Raw).unwrap()
}
