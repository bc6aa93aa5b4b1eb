//! What a session shows and what it refuses.

use std::collections::BTreeMap;

use arrow::array::{
    Date32Array, Float64Array, Int32Array, StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::util::pretty::pretty_format_batches;
use engine::lake::{Encoding, write};

use super::*;
use crate::{plan, statements};

/// 2026-01-05.
const MONDAY: Day = 20_458;

struct Fixture {
    lake: Lake,
    _dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let lake = Lake::open_or_create(&dir.path().join("lake"), "Asia/Shanghai").unwrap();
        Self { lake, _dir: dir }
    }

    /// A run with one factor of the given value; published where `finished_at` is given.
    async fn run(&self, id: &str, day: Day, value: f64, finished_at: Option<i64>) {
        let mut table = self.lake.table("mart.factor").await.unwrap();
        let text = || Arc::new(StringArray::from(vec!["x"]));
        let number = || Arc::new(Float64Array::from(vec![value]));
        let batch = RecordBatch::try_new(
            table.spec().file_schema(),
            vec![text(), text(), Arc::new(Int32Array::from(vec![1])), number(), number(), number(), text()],
        );
        let day_text = date(day).to_string();
        let partition =
            BTreeMap::from([("as_of".to_owned(), day_text.clone()), ("run_id".to_owned(), id.to_owned())]);
        let path = format!("as_of={day_text}/run_id={id}/part.parquet");
        let file = write(table.dir(), path, partition, &batch.unwrap(), Encoding::Mart).unwrap();
        table.commit(vec![file], &[], &[]).await.unwrap();
        let Some(finished_at) = finished_at else { return };
        let mut table = self.lake.table("ops.run").await.unwrap();
        let schema = table.spec().file_schema();
        let columns: Vec<ArrayRef> = schema
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                "run_id" => Arc::new(StringArray::from(vec![id])) as ArrayRef,
                "status" => Arc::new(StringArray::from(vec!["published"])),
                "as_of" => Arc::new(Date32Array::from(vec![day])),
                "started_at" | "finished_at" => {
                    Arc::new(TimestampMicrosecondArray::from(vec![finished_at]).with_timezone("UTC"))
                }
                _ if field.is_nullable() => new_null_array(field.data_type(), 1),
                _ => Arc::new(StringArray::from(vec!["{}"])),
            })
            .collect();
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        let file =
            write(table.dir(), format!("{id}.parquet"), BTreeMap::new(), &batch, Encoding::Raw).unwrap();
        table.commit(vec![file], &[], &[]).await.unwrap();
    }

    async fn context(&self) -> SessionContext {
        session(&self.lake, &Catalogue::builtin().unwrap(), &Settings::default()).await.unwrap()
    }
}

use arrow::array::ArrayRef;

async fn answer(context: &SessionContext, text: &str) -> String {
    let statement = statements(text).unwrap().remove(0);
    let batches = plan(context, statement).await.unwrap().collect().await.unwrap();
    let table = pretty_format_batches(&batches).unwrap().to_string();
    let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test]
async fn a_day_shows_the_run_published_last_and_history_all_of_them() {
    let fixture = Fixture::new();
    fixture.run("first", MONDAY, 1.0, Some(10)).await;
    fixture.run("again", MONDAY, 2.0, Some(20)).await;
    fixture.run("tuesday", MONDAY + 1, 3.0, Some(15)).await;
    fixture.run("unfinished", MONDAY + 2, 4.0, None).await;
    let context = fixture.context().await;
    let rows = answer(&context, "SELECT as_of, run_id, raw FROM factor ORDER BY 1, 2").await;
    assert_eq!(rows, "2026-01-05 again 2.0\n2026-01-06 tuesday 3.0");
    let rows = answer(&context, "SELECT run_id FROM mart_history.factor ORDER BY 1").await;
    assert_eq!(rows, "again\nfirst\ntuesday");
    assert_eq!(
        answer(&context, "SELECT count(*) FROM mart.factor WHERE as_of = DATE '2026-01-06'").await,
        "1"
    );
    assert_eq!(answer(&context, "SELECT raw FROM mart.factor WHERE as_of = DATE '1999-01-06'").await, "");
}

#[tokio::test]
async fn tables_never_written_are_there_and_empty() {
    let context = Fixture::new().context().await;
    let tables = columns(&context).await;
    for spec in tables::all() {
        assert_eq!(tables[spec.name], spec.schema());
        assert_eq!(answer(&context, &format!("SELECT count(*) FROM {}", spec.name)).await, "0");
        assert_eq!(answer(&context, &format!("SELECT * FROM {} LIMIT 1", spec.name)).await, "");
    }
    assert_eq!(
        answer(&context, "SELECT channel FROM catalogue.event WHERE code = 'lead.created'")
            .await
            .lines()
            .count(),
        1
    );
    let known = answer(&context, "SELECT count(*) > 30 FROM information_schema.tables").await;
    assert_eq!(known, "true");
}

#[tokio::test]
async fn whatever_would_write_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("out.csv");
    let context = Fixture::new().context().await;
    let path = target.display();
    for text in [
        "DROP TABLE mart.quota".to_owned(),
        "CREATE TABLE x AS SELECT 1".to_owned(),
        "CREATE VIEW x AS SELECT 1".to_owned(),
        "INSERT INTO mart.factor SELECT * FROM mart.factor".to_owned(),
        "SET datafusion.execution.batch_size = 1".to_owned(),
        format!("COPY (SELECT 1) TO '{path}'"),
        format!("EXPLAIN ANALYZE COPY (SELECT 1) TO '{path}' STORED AS CSV"),
        format!("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{path}'"),
    ] {
        let statement = statements(&text).unwrap().remove(0);
        let error = plan(&context, statement).await.unwrap_err();
        assert!(error.is_input(), "{text}: {error}");
    }
    assert!(!target.exists());
    let statement = statements("SELECT * FROM nowhere").unwrap().remove(0);
    assert!(plan(&context, statement).await.unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn a_text_is_several_statements_or_none() {
    assert_eq!(statements("SELECT 1; SELECT ';' ; ").unwrap().len(), 2);
    assert_eq!(statements(" ;").unwrap().len(), 0);
    assert!(statements("SELECT 1; SELEC 2").unwrap_err().is_input());
}
