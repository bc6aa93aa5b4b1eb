//! The same records in every format are the same rows.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int32Array, Int64Array,
    LargeStringArray, ListBuilder, MapBuilder, RecordBatch, StringArray, StringBuilder, StringViewArray,
    StructBuilder, TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use engine::contract::Stream;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;

use super::Ground;

const NDJSON: &str = r#"{"event_id":"e1","event_time":"2026-11-18T16:00:00.5Z","event_type":"quote.sent","rep_id":"r1","customer_id":"c1","amount":"1234.5","evidence":[{"kind":"photo","uri":"s3://a"}],"attributes":{"stage":"S3","discount":"0.1"},"city":"上海"}
{"event_id":"e2","event_time":1763481599999999,"event_type":"call.connected","channel":"wechat","rep_id":"r2","lead_id":"l1","evidence_count":2}

{"event_id":"e3","event_time":"2026-11-19T00:00:00+08:00","event_type":"order.placed","customer_id":"c1","amount":1234567890123456.78}
{"event_id":"e4","event_time":"2026-11-19T00:00:00+08:00","event_type":"call.connected"}
"#;

const CSV: &str = "\u{feff}event_id,event_time,event_type,channel,rep_id,customer_id,lead_id,amount,evidence_count,evidence,attributes,city\r\n\
    e1,2026-11-18T16:00:00.5Z,quote.sent,,r1,c1,,1234.50,,\"[{\"\"kind\"\": \"\"photo\"\", \"\"uri\"\": \"\"s3://a\"\"}]\",\"{\"\"discount\"\":\"\"0.1\"\",\"\"stage\"\":\"\"S3\"\"}\",上海\r\n\
    e2,1763481599999999,call.connected,wechat,r2,,l1,,2,,,\r\n\
    e3,2026-11-18T16:00:00Z,order.placed,,,c1,,1234567890123456.78,,,,\r\n\
    e4,2026-11-18T16:00:00Z,call.connected,,,,,,,,,\r\n";

fn times() -> [i64; 4] {
    [1_763_481_600_500_000, 1_763_481_599_999_999, 1_763_481_600_000_000, 1_763_481_600_000_000]
        .map(|at| at + if at == 1_763_481_599_999_999 { 0 } else { 365 * 86_400 * 1_000_000 })
}

/// The four records with plain types, JSON text in the nested columns.
fn plain_columns() -> Vec<(&'static str, ArrayRef)> {
    let text = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    vec![
        ("event_id", text([Some("e1"), Some("e2"), Some("e3"), Some("e4")])),
        ("event_time", Arc::new(Int64Array::from(times().to_vec()))),
        (
            "event_type",
            text([Some("quote.sent"), Some("call.connected"), Some("order.placed"), Some("call.connected")]),
        ),
        ("channel", text([None, Some("wechat"), Some(""), None])),
        ("rep_id", text([Some("r1"), Some("r2"), None, None])),
        ("customer_id", text([Some("c1"), None, Some("c1"), Some("")])),
        ("lead_id", text([None, Some("l1"), None, None])),
        ("amount", text([Some("1234.5"), None, Some("1234567890123456.78"), None])),
        ("evidence_count", Arc::new(Int32Array::from(vec![None, Some(2), None, None]))),
        ("evidence", text([Some(r#"[{"kind":"photo","uri":"s3://a"}]"#), None, None, None])),
        ("attributes", text([Some(r#"{"stage":"S3","discount":"0.1"}"#), None, Some("{}"), None])),
        ("city", text([Some("上海"), None, None, None])),
    ]
}

/// The same records with other types of the same content.
fn other_columns() -> Vec<(&'static str, ArrayRef)> {
    let mut columns = plain_columns();
    let mut set = |name: &str, array: ArrayRef| {
        let place = columns.iter_mut().find(|(column, _)| *column == name).unwrap();
        place.1 = array;
    };
    set("event_id", Arc::new(LargeStringArray::from(vec!["e1", "e2", "e3", "e4"])));
    let nanos = times().map(|at| at * 1_000 + 999);
    set("event_time", Arc::new(TimestampNanosecondArray::from(nanos.to_vec()).with_timezone("+08:00")));
    let types = ["quote.sent", "call.connected", "order.placed", "call.connected"];
    set("event_type", Arc::new(types.into_iter().collect::<DictionaryArray<Int32Type>>()));
    set("rep_id", Arc::new(StringViewArray::from(vec![Some("r1"), Some("r2"), None, None])));
    let amounts = Decimal128Array::from(vec![Some(12_345_000), None, Some(12_345_678_901_234_567_800), None]);
    set("amount", Arc::new(amounts.with_precision_and_scale(38, 4).unwrap()));
    set("evidence", evidence());
    set("attributes", attributes());
    columns
}

fn evidence() -> ArrayRef {
    let fields: Fields =
        ["kind", "size", "uri"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec().into();
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields, 1));
    let item = list.values();
    for (at, part) in [Some("photo"), None, Some("s3://a")].into_iter().enumerate() {
        item.field_builder::<StringBuilder>(at).unwrap().append_option(part);
    }
    item.append(true);
    list.append(true);
    list.append(false);
    list.append(false);
    list.append(false);
    Arc::new(list.finish())
}

fn attributes() -> ArrayRef {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("stage");
    map.values().append_value("S3");
    map.keys().append_value("discount");
    map.values().append_value("0.1");
    map.append(true).unwrap();
    map.append(false).unwrap();
    map.append(true).unwrap();
    map.append(false).unwrap();
    Arc::new(map.finish())
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let batch = RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), arrays).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

async fn rows_of(name: &str, bytes: &[u8]) -> (Vec<String>, Vec<(String, String)>) {
    let ground = Ground::new();
    let file = ground.write(name, bytes);
    let summary = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    assert_eq!((summary.total.accepted, summary.total.rejected()), (3, 1), "{name} {summary:?}");
    let letters = ground.letters().await.into_iter().map(|letter| (letter.0, letter.1)).collect();
    (ground.rows("raw.behaviour").await, letters)
}

#[tokio::test]
async fn the_same_records_are_the_same_rows() {
    let expected = [
        r#"2025-11-18{"event_id":"e2","event_time":"2025-11-18T15:59:59.999999Z","event_type":"call.connected","channel":"wechat","rep_id":"r2","lead_id":"l1","evidence_count":2}"#,
        r#"2026-11-19{"event_id":"e1","event_time":"2026-11-18T16:00:00.500Z","event_type":"quote.sent","channel":"email","rep_id":"r1","customer_id":"c1","amount":1234.50,"evidence_count":1,"evidence":"[{\"kind\":\"photo\",\"uri\":\"s3://a\"}]","attributes":{"city":"上海","discount":"0.1","stage":"S3"}}"#,
        r#"2026-11-19{"event_id":"e3","event_time":"2026-11-18T16:00:00Z","event_type":"order.placed","channel":"system","customer_id":"c1","amount":1234567890123456.78,"evidence_count":0}"#,
    ];
    let letters = [(String::new(), "no rep, customer, lead or opportunity".to_owned())];
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(NDJSON.as_bytes()).unwrap();
    let files: [(&str, Vec<u8>); 7] = [
        ("a.ndjson", NDJSON.into()),
        ("a.JSONL", NDJSON.replace('\n', "\r\n").into()),
        ("a.json.gz", gzip.finish().unwrap()),
        ("a.csv", CSV.into()),
        ("a.csv.zst", zstd::encode_all(CSV.as_bytes(), 1).unwrap()),
        ("plain.parquet", parquet(plain_columns())),
        ("other.parquet", parquet(other_columns())),
    ];
    for (name, bytes) in files {
        let (rows, told) = rows_of(name, &bytes).await;
        assert_eq!(rows, expected, "{name}");
        assert_eq!(told, letters, "{name}");
    }
}

#[tokio::test]
async fn late_and_refused_rows_between_others_go_where_they_belong() {
    const MIDNIGHT: i64 = 1_763_481_600_000_000;
    let rows = 400;
    // Most are of one day; every ninth is of one of three earlier ones, every seventh has no known type.
    let days = |row: i64| if row % 9 == 0 { 1 + row % 3 } else { 0 };
    let time = |row: i64| MIDNIGHT + row * 1_000_000 - days(row) * 86_400_000_000;
    let kind = |row: i64| if row % 7 == 0 { "nobody.knows" } else { "call.connected" };
    let column = |of: &dyn Fn(i64) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..rows).map(of)))
    };
    let bytes = parquet(vec![
        ("event_id", column(&|row| format!("e{row}"))),
        ("event_time", Arc::new(Int64Array::from_iter_values((0..rows).map(time)))),
        ("event_type", column(&|row| kind(row).to_owned())),
        ("rep_id", column(&|row| format!("r{}", row % 5))),
    ]);
    let mut text = String::new();
    for row in 0..rows {
        let (time, kind, rep) = (time(row), kind(row), row % 5);
        writeln!(
            text,
            r#"{{"event_id":"e{row}","event_time":{time},"event_type":"{kind}","rep_id":"r{rep}"}}"#
        )
        .unwrap();
    }
    let mut taken = Vec::new();
    for (name, bytes) in [("a.parquet", bytes), ("a.ndjson", text.into_bytes())] {
        let ground = Ground::new();
        let file = ground.write(name, bytes);
        let summary = ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        assert_eq!((summary.total.accepted, summary.total.rejected()), (342, 58), "{name}");
        taken.push(ground.rows("raw.behaviour").await);
    }
    let bad = taken[0].iter().filter(|row| row.contains("nobody.knows")).count();
    assert_eq!((taken[0].len(), bad), (342, 0));
    assert_eq!(taken[0], taken[1]);
}

#[tokio::test]
async fn a_refused_parquet_row_is_kept_as_json() {
    let ground = Ground::new();
    let file = ground.write("plain.parquet", parquet(plain_columns()));
    ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
    let letters = ground.letters().await;
    assert_eq!(letters[0].2, 3);
    let row: serde_json::Value = serde_json::from_slice(&letters[0].3).unwrap();
    assert_eq!((row["event_id"].as_str(), row["event_type"].as_str()), (Some("e4"), Some("call.connected")));
}

#[tokio::test]
async fn entities_come_in_every_format_and_fields_without_a_place_are_counted() {
    let expected = [
        r#"{"region_id":"r1","target_amount":1500.25,"period":"2026-11","updated_at":"2026-10-31T16:00:00Z"}"#,
        r#"{"region_id":"r2","target_amount":7.00,"period":"2026-11"}"#,
    ];
    let ndjson = "{\"period\":\"2026-11\",\"region_id\":\"r1\",\"target_amount\":1500.25,\"updated_at\":\"2026-11-01\",\"note\":\"x\"}\n\
                  {\"period\":\"2026-11\",\"region_id\":\"r2\",\"target_amount\":\"7\"}\n";
    let csv =
        "note,period,region_id,target_amount,updated_at\nx,2026-11,r1,1500.25,2026-11-01\n,2026-11,r2,7,\n";
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("note", Arc::new(StringArray::from(vec![Some("x"), None]))),
        ("period", Arc::new(StringArray::from(vec!["2026-11", "2026-11"]))),
        ("region_id", Arc::new(StringArray::from(vec!["r1", "r2"]))),
        ("target_amount", Arc::new(Float64Array::from(vec![1500.25, 7.0]))),
        ("updated_at", Arc::new(Date32Array::from(vec![Some(20_758), None]))),
    ];
    let files: [(&str, Vec<u8>); 3] =
        [("p.ndjson", ndjson.into()), ("p.csv", csv.into()), ("p.parquet", parquet(columns))];
    for (name, bytes) in files {
        let ground = Ground::new();
        let file = ground.write(name, bytes);
        let summary = ground.ingest(Stream::Plan, &[&file]).await.unwrap();
        let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
        let rows: Vec<_> = ground.rows("crm.plan").await.iter().map(|line| parse(line)).collect();
        assert_eq!(rows, expected.map(parse), "{name}");
        assert!(summary.total.ignored_fields.contains_key("note"), "{name}");
    }
}

#[tokio::test]
async fn bad_values_of_parquet_columns_have_the_same_reasons() {
    let check = async |name: &'static str, array: ArrayRef, expected: &str| {
        let ground = Ground::new();
        let mut columns = plain_columns();
        columns.truncate(8);
        match columns.iter_mut().find(|(column, _)| *column == name) {
            Some(place) => place.1 = array,
            None => columns.push((name, array)),
        }
        let file = ground.write("bad.parquet", parquet(columns));
        ground.ingest(Stream::Behaviour, &[&file]).await.unwrap();
        let letters = ground.letters().await;
        let told = letters.iter().find(|letter| letter.0 == name).map(|letter| letter.1.as_str());
        assert_eq!(told, Some(expected), "{letters:?}");
    };
    let text = |value: &str| Arc::new(StringArray::from(vec![value; 4])) as ArrayRef;
    check("event_id", text(""), "missing").await;
    check("event_id", text(&"x".repeat(65)), "longer than 64 bytes").await;
    check(
        "event_time",
        Arc::new(TimestampMillisecondArray::from(vec![i64::MAX; 4])),
        "not an RFC 3339 time or epoch microseconds",
    )
    .await;
    check(
        "event_time",
        Arc::new(TimestampMillisecondArray::from(vec![4_000_000_000_000; 4])),
        "more than 24 h ahead",
    )
    .await;
    check("event_type", text("call.danced"), "not in the event catalogue").await;
    check("channel", text("fax"), "unknown channel").await;
    check("rep_id", text(&"x".repeat(65)), "longer than 64 bytes").await;
    check("amount", Arc::new(Float64Array::from(vec![0.125; 4])), "more than two decimal places").await;
    check("amount", Arc::new(Float64Array::from(vec![f64::NAN; 4])), "not an amount").await;
    check("amount", Arc::new(Int64Array::from(vec![i64::MAX; 4])), "more than 18 digits").await;
    check("evidence", text("[7]"), "not a list of {kind, uri, sha256}").await;
    check("evidence_count", Arc::new(Int32Array::from(vec![-1; 4])), "not a count").await;
    check("attributes", text("{"), "not a map of strings").await;
}
