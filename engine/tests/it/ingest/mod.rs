//! Files into the lake: formats, refusals, going on after a kill.

mod files;
mod formats;
mod records;
mod resume;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use engine::catalogue::Catalogue;
use engine::contract::Stream;
use engine::ingest::{Commit, IngestOptions, IngestSummary, ingest_files};
use engine::lake::{Lake, read};
use engine::time::parse_rfc3339;
use tempfile::TempDir;

/// A lake in a folder of its own, beside a folder for input files.
pub(crate) struct Ground {
    dir: TempDir,
    pub(crate) lake: Lake,
    pub(crate) options: IngestOptions,
}

impl Ground {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(&dir.path().join("lake"), "Asia/Shanghai").unwrap();
        let now = parse_rfc3339("2026-11-20T08:00:00Z").unwrap();
        let options = IngestOptions { threads: 2, ..IngestOptions::new(now) };
        Self { dir, lake, options }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("in").join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn on_commit(&mut self, each: impl Fn(&Commit) + Send + Sync + 'static) {
        self.options.on_commit = Some(Arc::new(each));
    }

    pub(crate) async fn ingest(&self, stream: Stream, paths: &[&Path]) -> engine::Result<IngestSummary> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let catalogue = Catalogue::builtin().unwrap();
        ingest_files(&self.lake, &catalogue, stream, &paths, &self.options).await
    }

    /// The message of the input error that taking `path` in must end with.
    pub(crate) async fn refusal(&self, stream: Stream, path: &Path) -> String {
        match self.ingest(stream, &[path]).await {
            Err(error) if error.is_input() => error.to_string(),
            other => panic!("no input error but {other:?}"),
        }
    }

    /// A table's rows as sorted JSON lines, the day of the partition with them.
    pub(crate) async fn rows(&self, table: &str) -> Vec<String> {
        let table = self.lake.table(table).await.unwrap();
        let mut lines = Vec::new();
        for file in table.files() {
            let day = file.partition_value("event_date");
            for batch in read(&table.dir().join(&file.path), &[]).unwrap() {
                lines.extend(json_lines(&batch).into_iter().map(|line| format!("{day}{line}")));
            }
        }
        lines.sort();
        lines
    }

    pub(crate) async fn version(&self, table: &str) -> i64 {
        self.lake.table(table).await.unwrap().version()
    }

    /// Field, reason, position and bytes of every dead letter.
    pub(crate) async fn letters(&self) -> Vec<(String, String, i64, Vec<u8>)> {
        let table = self.lake.table("raw.dead_letter").await.unwrap();
        let mut letters = Vec::new();
        for file in table.files() {
            for batch in read(&table.dir().join(&file.path), &[]).unwrap() {
                let text = |name: &str, row: usize| {
                    let column = batch.column_by_name(name).unwrap().as_string::<i32>();
                    column.iter().nth(row).flatten().unwrap_or_default().to_owned()
                };
                for row in 0..batch.num_rows() {
                    let position = batch.column_by_name("position").unwrap();
                    let position = position.as_primitive::<arrow::datatypes::Int64Type>().value(row);
                    let raw = batch.column_by_name("raw").unwrap().as_binary::<i32>().value(row).to_vec();
                    letters.push((text("field", row), text("reason", row), position, raw));
                }
            }
        }
        letters.sort_by_key(|letter| letter.2);
        letters
    }
}

pub(crate) fn json_lines(batch: &RecordBatch) -> Vec<String> {
    let mut writer = arrow::json::LineDelimitedWriter::new(Vec::new());
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    String::from_utf8(writer.into_inner()).unwrap().lines().map(str::to_owned).collect()
}

/// A good event; `more` are further members, each with a comma before it.
pub(crate) fn event(id: &str, more: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","event_time":"2026-11-19T01:02:03Z","event_type":"call.connected","rep_id":"r1","customer_id":"c1"{more}}}"#
    )
}

/// So many good events, one a line, ids from `first` on.
pub(crate) fn events(first: usize, count: usize) -> String {
    (first..first + count).map(|id| event(&format!("e{id}"), "") + "\n").collect()
}
