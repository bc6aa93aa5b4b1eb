//! Files that can't be taken in: the command stops, says what would be right, and commits nothing of them.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use engine::contract::Stream;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;

use super::{Ground, events};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn texts(text: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![text; 3_000]))
}

/// Five columns that are enough for an event, with the type of one changed.
fn event_columns() -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("event_id", texts("e")),
        ("event_time", texts("2026-11-19T01:02:03Z")),
        ("event_type", texts("call.connected")),
        ("rep_id", texts("r")),
        ("amount", texts("1")),
    ]
}

async fn check(name: &str, bytes: impl AsRef<[u8]>, parts: &[&str]) {
    let ground = Ground::new();
    let file = ground.write(name, bytes);
    let message = ground.refusal(Stream::Behaviour, &file).await;
    assert!(message.contains(name), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
    assert_eq!(ground.version("raw.behaviour").await, -1, "{name}");
}

#[tokio::test]
async fn files_that_are_no_input() {
    check("events.xlsx", "x", &["unknown ending", ".ndjson", ".parquet"]).await;
    check("events", "x", &["unknown ending"]).await;
    check("events.parquet.gz", "x", &["unknown ending"]).await;
    check("empty.ndjson", "", &["is empty"]).await;
    check("empty.csv.gz", gzip(b""), &["is empty"]).await;
    check("list.json", " [\n{}\n]", &["one JSON list", "one object a line"]).await;
    let ground = Ground::new();
    let missing = ground.path("nowhere.csv");
    assert!(ground.refusal(Stream::Behaviour, &missing).await.contains("no such file"));
    let folder = ground.write("folder/readme.txt", "x");
    assert!(ground.refusal(Stream::Behaviour, folder.parent().unwrap()).await.contains("holds no file"));
}

#[tokio::test]
async fn compressed_files_that_are_cut_off_or_damaged() {
    let text = events(0, 20_000);
    let gz = gzip(text.as_bytes());
    check("cut.ndjson.gz", &gz[..gz.len() / 2], &["gzip data is cut off", "copy the file again"]).await;
    check("plain.ndjson.gz", "no gzip at all", &["gzip data is damaged"]).await;
    let zst = zstd::encode_all(text.as_bytes(), 1).unwrap();
    check("cut.ndjson.zst", &zst[..zst.len() - 9], &["zstd data is cut off"]).await;
    let mut wrong = zst.clone();
    wrong[0] ^= 0xff;
    check("wrong.ndjson.zst", &wrong, &["zstd data is damaged"]).await;
}

#[tokio::test]
async fn tables_without_the_right_columns() {
    check(
        "a.csv",
        "event_id,event_time,rep_id\n",
        &["lacks the column event_type", "behaviour", "event_id, event_time, rep_id"],
    )
    .await;
    check(
        "b.csv",
        "event_id,event_time,event_type,amount\n",
        &["rep_id, customer_id, lead_id or opportunity_id"],
    )
    .await;
    check("c.csv", "event_id,event_id\n", &["names column 'event_id' twice"]).await;
    check("d.csv", "event_id,,x\n", &["column 2 of the header has no name"]).await;
    check("e.csv", "\n\n", &["no header row"]).await;
    let mut columns = event_columns();
    columns.remove(2);
    check(
        "a.parquet",
        parquet(columns),
        &["lacks the column event_type", "it has event_id, event_time, rep_id, amount"],
    )
    .await;
    let mut columns = event_columns();
    columns[4].1 = Arc::new(BooleanArray::from(vec![true; 3_000]));
    check("b.parquet", parquet(columns), &["column 'amount' has the type Boolean", "it must be a decimal"])
        .await;
}

#[tokio::test]
async fn an_open_quote_names_its_line() {
    let head = "event_id,event_time,event_type,rep_id\n";
    let row = "e,2026-11-19T01:02:03Z,call.connected,r\n";
    let text = format!("{head}{row}{row}e,\"2026\n-11-19,call.connected,r\n{row}");
    check("open.csv", &text, &["line 4", "a quote opens here", "\"\""]).await;
    // The line counts from the file's start, also where the file is gone on with.
    let ground = Ground::new();
    let file = ground.write("grown.csv", format!("{head}{}", row.repeat(5_000)));
    ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    ground.write("grown.csv", format!("{head}{}e,\"", row.repeat(5_000)));
    assert!(ground.refusal(Stream::Behaviour, &file).await.contains("line 5002"));
}

#[tokio::test]
async fn damaged_parquet() {
    let good = parquet(event_columns());
    check("cut.parquet", &good[..good.len() - 20], &["cut off", "footer is missing"]).await;
    check("none.parquet", "event_id,event_time\n", &["no Parquet file"]).await;
    let mut footer = good.clone();
    let at = footer.len() - 60;
    footer[at - 40..at].fill(0xff);
    check("footer.parquet", &footer, &["damaged"]).await;
    let mut pages = good.clone();
    pages[4..60].fill(0xff);
    check("pages.parquet", &pages, &["rows 1 to 3000 can't be read", "damaged"]).await;
}

#[tokio::test]
async fn whole_commits_before_the_bad_part_stay() {
    let mut ground = Ground::new();
    ground.options.chunk_rows = 5_000;
    let gz = gzip(events(0, 20_000).as_bytes());
    let file = ground.write("cut.ndjson.gz", &gz[..gz.len() * 9 / 10]);
    assert!(ground.refusal(Stream::Behaviour, &file).await.contains("cut off"));
    let taken = ground.rows("raw.behaviour").await.len();
    assert!(taken > 0 && taken.is_multiple_of(5_000), "{taken}");
    // Made whole again, the rest follows and nothing comes twice.
    ground.write("cut.ndjson.gz", &gz);
    ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    let whole = Ground::new();
    let file = whole.write("whole.ndjson", events(0, 20_000));
    whole.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    assert_eq!(ground.rows("raw.behaviour").await, whole.rows("raw.behaviour").await);
}
