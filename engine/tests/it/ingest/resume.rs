//! Exactly once: again, grown, rewritten, killed.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use engine::contract::Stream;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::FutureExt;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

use super::{Ground, event, events};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Good and bad lines over several days.
fn mixed(count: usize) -> String {
    (0..count)
        .map(|id| match id % 7 {
            3 => format!("bad line {id}\n"),
            _ => event(&format!("e{id}"), "").replace("11-19", &format!("11-1{}", id % 9)) + "\n",
        })
        .collect()
}

#[tokio::test]
async fn a_second_run_adds_nothing() {
    let ground = Ground::new();
    ground.write("days/a.ndjson", mixed(100));
    ground.write("days/b.ndjson.gz", gzip(&events(1_000, 50)));
    ground.write(
        "days/sub/c.csv",
        "event_id,event_time,event_type,rep_id\nc,2026-11-19T01:02:03Z,call.connected,r\n",
    );
    let folder = ground.path("days");
    let first = ground.ingest(Stream::Behaviour, &[&folder]).await.unwrap();
    assert_eq!((first.files.len(), first.files_skipped, first.commits), (3, 0, 1));
    assert_eq!((first.total.accepted, first.total.rejected()), (86 + 50 + 1, 14));
    let before = (ground.version("raw.behaviour").await, ground.version("raw.dead_letter").await);
    let second = ground.ingest(Stream::Behaviour, &[&folder, &ground.path("days/a.ndjson")]).await.unwrap();
    assert_eq!((second.files_skipped, second.total.seen(), second.commits), (3, 0, 0));
    assert_eq!((ground.version("raw.behaviour").await, ground.version("raw.dead_letter").await), before);
}

#[tokio::test]
async fn a_file_that_grew_is_gone_on_with() {
    for compressed in [false, true] {
        let ground = Ground::new();
        let name = if compressed { "grow.ndjson.gz" } else { "grow.ndjson" };
        let write = |text: &str| {
            if compressed { ground.write(name, gzip(text)) } else { ground.write(name, text) }
        };
        // From a few bytes, whose last line has no end yet, to more than a head of 64 KiB.
        let mut accepted = Vec::new();
        for count in [1, 3, 40, 900, 901] {
            let file = write(events(0, count).trim_end());
            accepted.push(ground.ingest(Stream::Behaviour, &[&file]).await.unwrap().total.accepted);
        }
        assert_eq!(accepted, [1, 2, 37, 860, 1], "{name}");
        assert_eq!(ground.rows("raw.behaviour").await.len(), 901);
    }
}

#[tokio::test]
async fn a_file_that_was_rewritten_is_refused() {
    let check = async |name: &str, first: &[u8], second: &[u8]| {
        let ground = Ground::new();
        let file = ground.write(name, first);
        ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        let before = ground.rows("raw.behaviour").await;
        ground.write(name, second);
        let message = ground.refusal(Stream::Behaviour, &file).await;
        assert!(message.contains("rewritten") && message.contains("new name"), "{message}");
        assert_eq!(ground.rows("raw.behaviour").await, before);
    };
    let (first, other) = (events(0, 500), events(500, 500));
    check("same_length.ndjson", first.as_bytes(), other.as_bytes()).await;
    check("shorter.ndjson", first.as_bytes(), events(0, 10).as_bytes()).await;
    check("longer.ndjson", first.as_bytes(), events(500, 900).as_bytes()).await;
    let tail_changed = first.replace("e499\"", "x499\"");
    check("tail.ndjson", first.as_bytes(), tail_changed.as_bytes()).await;
    check("other.ndjson.gz", &gzip(&first), &gzip(&other)).await;
    check("shorter.ndjson.gz", &gzip(&first), &gzip(&events(0, 400))).await;
}

#[tokio::test]
async fn one_file_may_go_to_two_streams() {
    let ground = Ground::new();
    let file = ground.write("reps.ndjson", "{\"rep_id\":\"r1\"}\n{\"rep_id\":\"\"}\n");
    let wrong = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    let right = ground.ingest(Stream::Rep, &[&file]).await.unwrap();
    assert_eq!((wrong.total.rejected(), right.total.accepted, right.total.rejected()), (2, 1, 1));
    assert_eq!(ground.letters().await.len(), 3);
    assert_eq!(ground.rows("crm.rep").await, [r#"{"rep_id":"r1"}"#]);
}

/// Runs until the commit to `table` that brings it to `version`, and is killed right after it.
async fn killed_after(ground: &mut Ground, file: &Path, table: &'static str, version: i64) {
    ground.on_commit(move |commit| assert!(commit.table != table || commit.version != version, "killed"));
    let run = AssertUnwindSafe(ground.ingest(Stream::Behaviour, &[file])).catch_unwind().await;
    assert!(run.is_err(), "not killed");
    ground.options.on_commit = None;
}

#[tokio::test]
async fn a_kill_at_any_commit_and_a_repeat_are_one_run() {
    let whole = Ground::new();
    let file = whole.write("mixed.ndjson", mixed(1_000));
    whole.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    for (table, version) in
        [("raw.dead_letter", 1), ("raw.behaviour", 1), ("raw.dead_letter", 3), ("raw.behaviour", 4)]
    {
        let mut ground = Ground::new();
        let file = ground.write("mixed.ndjson", mixed(1_000));
        ground.options.chunk_rows = 200;
        killed_after(&mut ground, &file, table, version).await;
        // The repeat cuts its chunks elsewhere, beside files that a killed run left behind.
        std::fs::write(ground.lake.table_dir("raw.dead_letter").join("part-0.parquet"), b"torn").unwrap();
        ground.options.chunk_rows = 330;
        ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        assert_eq!(
            ground.rows("raw.behaviour").await,
            whole.rows("raw.behaviour").await,
            "{table} {version}"
        );
        assert_eq!(ground.letters().await, whole.letters().await, "{table} {version}");
    }
}

#[tokio::test]
async fn chunks_and_threads_change_no_row() {
    let whole = Ground::new();
    let text = mixed(3_000);
    let file = whole.write("mixed.ndjson", &text);
    let summary = whole.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    for (chunk_rows, threads) in [(1_000, 1), (77, 3), (u64::MAX, 1)] {
        let mut ground = Ground::new();
        (ground.options.chunk_rows, ground.options.threads) = (chunk_rows, threads);
        let file = ground.write("mixed.ndjson", &text);
        let other = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        assert_eq!(other.total, summary.total);
        assert_eq!(other.commits, 3_000_u64.div_ceil(chunk_rows));
        assert_eq!(ground.rows("raw.behaviour").await, whole.rows("raw.behaviour").await);
    }
}

/// Good and bad rows over several days, in row groups of 500.
fn mixed_parquet(rows: i64) -> Vec<u8> {
    let types = (0..rows).map(|row| if row % 7 == 3 { "call.danced" } else { "call.connected" });
    let times = (0..rows).map(|row| 1_780_000_000_000_000 + (row % 40) * 86_400_000_000);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("event_id", Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("e{row}"))))),
        ("event_time", Arc::new(Int64Array::from_iter_values(times))),
        ("event_type", Arc::new(StringArray::from_iter_values(types))),
        ("rep_id", Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("r{}", row % 5))))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(500)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn parquet_goes_on_at_the_row_where_it_was_killed() {
    let whole = Ground::new();
    let file = whole.write("mixed.parquet", mixed_parquet(3_000));
    let summary = whole.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    assert_eq!((summary.total.accepted, summary.total.rejected(), summary.commits), (2_571, 429, 1));
    for (table, version) in [("raw.dead_letter", 2), ("raw.behaviour", 3)] {
        let mut ground = Ground::new();
        let file = ground.write("mixed.parquet", mixed_parquet(3_000));
        ground.options.chunk_rows = 700;
        killed_after(&mut ground, &file, table, version).await;
        ground.options.chunk_rows = 1_100;
        ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        assert_eq!(
            ground.rows("raw.behaviour").await,
            whole.rows("raw.behaviour").await,
            "{table} {version}"
        );
        assert_eq!(ground.letters().await, whole.letters().await, "{table} {version}");
        assert_eq!(ground.ingest(Stream::Behaviour, &[&file]).await.unwrap().files_skipped, 1);
        ground.write("mixed.parquet", mixed_parquet(3_001));
        assert!(ground.refusal(Stream::Behaviour, &file).await.contains("rewritten"));
    }
}
