//! Files on disk: patterns, compression and the exact text of Parquet values.

use std::io::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use arrow::record_batch::RecordBatch;

use super::*;

fn spec() -> InputSpec {
    toml::from_str("name = \"t\"").unwrap()
}

fn rows(columns: &Content) -> Vec<Vec<Option<&str>>> {
    (0..columns.lines.len())
        .map(|row| columns.columns.iter().map(|column| column.iter().nth(row).flatten()).collect())
        .collect()
}

#[test]
fn patterns() {
    let check = |pattern: &str, name: &str| wildcard(&letters(pattern), &letters(name));
    assert!(check("Deals*.csv", "deals-2024.CSV"));
    assert!(check("*deal*.csv*", "all-deals.csv.gz"));
    assert!(check("q?.csv", "q1.csv"));
    assert!(!check("q?.csv", "q12.csv"));
    assert!(!check("deals.csv", "deals.csv.bak"));
    assert!(check("*", ""));
}

#[test]
fn compressed_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv.gz");
    let file = std::fs::File::create(&path).unwrap();
    let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gz.write_all("a,b\n1, x \n,\"y\"\"z\"\n".as_bytes()).unwrap();
    gz.finish().unwrap();
    let columns = read(&path, &spec()).unwrap();
    assert_eq!(columns.header, ["a", "b"]);
    assert_eq!(rows(&columns), [[Some("1"), Some("x")], [None, Some("y\"z")]]);
    assert_eq!(columns.lines, [2, 3]);
    std::fs::write(&path, b"not gzip").unwrap();
    assert!(read(&path, &spec()).is_err());
}

#[test]
fn parquet_values_are_exact() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("i", Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("f", Arc::new(Float64Array::from(vec![0.1 + 0.2, 1e21]))),
        ("d", Arc::new(Decimal128Array::from(vec![20_249_940, -5]).with_precision_and_scale(19, 4).unwrap())),
        ("day", Arc::new(Date32Array::from(vec![14_972, 0]))),
        ("at", Arc::new(TimestampMicrosecondArray::from(vec![1_293_580_800_000_000, 1]))),
        (
            "utc",
            Arc::new(TimestampMicrosecondArray::from(vec![1_293_580_800_000_000, 1]).with_timezone("+00:00")),
        ),
        ("b", Arc::new(BooleanArray::from(vec![true, false]))),
        ("s", Arc::new(StringArray::from(vec![" x ", ""]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ::parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let read = read(&path, &spec()).unwrap();
    let first =
        ["9223372036854775807", "0.30000000000000004", "2024.9940", "2010-12-29", "2010-12-29T00:00:00"];
    let second = ["1000000000000000000000", "-0.0005", "1970-01-01", "1970-01-01T00:00:00.000001"];
    let rows = rows(&read);
    assert_eq!(rows[0][..5], first.map(Some));
    assert_eq!(rows[0][5..], ["2010-12-29T00:00:00Z", "true", "x"].map(Some));
    assert_eq!(rows[1][0], None);
    assert_eq!(rows[1][1..5], second.map(Some));
    assert_eq!(rows[1][5..], [Some("1970-01-01T00:00:00.000001Z"), Some("false"), None]);
}
