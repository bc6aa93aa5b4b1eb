//! The same small answer in every format.

use std::sync::Arc;

use arrow::array::{Decimal128Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};

use super::*;

fn answer() -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("region", DataType::Utf8, true),
        Field::new("quota", DataType::Decimal128(18, 2), true),
        Field::new("reps", DataType::Int64, false),
    ]);
    let quotas = Decimal128Array::from(vec![Some(123_450), None]).with_precision_and_scale(18, 2).unwrap();
    let regions = StringArray::from(vec![Some("华东"), Some("a,\n\"b\"")]);
    let reps = Int64Array::from(vec![7, 1_200]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(regions), Arc::new(quotas), Arc::new(reps)]).unwrap()
}

fn check(format: Format, expected: &str) {
    let batch = answer();
    let mut writer = Writer::new(Vec::new(), &batch.schema(), format, Style::default()).unwrap();
    assert!(writer.write(&batch).unwrap());
    let (bytes, written) = writer.finish().unwrap();
    assert_eq!(written, Written { rows: 2, cut: false });
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[test]
fn a_table_aligns_numbers_to_the_right_and_counts_wide_characters_twice() {
    check(
        Format::Table,
        "region    quota  reps\n\
         ──────  ───────  ────\n\
         华东    1234.50     7\n\
         a, \"b\"           1200\n",
    );
}

#[test]
fn text_formats_keep_nulls_and_quotes_apart() {
    check(Format::Csv, "region,quota,reps\n华东,1234.50,7\n\"a,\n\"\"b\"\"\",,1200\n");
    check(
        Format::Ndjson,
        "{\"region\":\"华东\",\"quota\":1234.50,\"reps\":7}\n{\"region\":\"a,\\n\\\"b\\\"\",\"quota\":null,\"reps\":1200}\n",
    );
}

#[test]
fn binary_formats_read_back_equal() {
    let batch = answer();
    let write = |format| {
        let mut writer = Writer::new(Vec::new(), &batch.schema(), format, Style::default()).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap().0
    };
    let stream =
        arrow::ipc::reader::StreamReader::try_new(std::io::Cursor::new(write(Format::Arrow)), None).unwrap();
    assert_eq!(stream.map(Result::unwrap).collect::<Vec<_>>(), std::slice::from_ref(&batch));
    let file = arrow::ipc::reader::FileReader::try_new(std::io::Cursor::new(write(Format::ArrowFile)), None)
        .unwrap();
    assert_eq!(file.map(Result::unwrap).collect::<Vec<_>>(), std::slice::from_ref(&batch));
    let mut path = tempfile::NamedTempFile::new().unwrap();
    path.write_all(&write(Format::Parquet)).unwrap();
    let parquet = datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(
        path.reopen().unwrap(),
        10,
    );
    assert_eq!(parquet.unwrap().map(Result::unwrap).collect::<Vec<_>>(), std::slice::from_ref(&batch));
}

#[test]
fn a_long_table_is_cut_and_says_so() {
    let batch = answer();
    let style = Style { rows_max: Some(1) };
    let mut writer = Writer::new(Vec::new(), &batch.schema(), Format::Table, style).unwrap();
    assert!(!writer.write(&batch).unwrap());
    assert_eq!(writer.finish().unwrap().1, Written { rows: 1, cut: true });
}

#[test]
fn an_empty_answer_has_its_header() {
    let batch = answer().slice(0, 0);
    for (format, expected) in [
        (Format::Csv, "region,quota,reps\n"),
        (Format::Json, "[]\n"),
        (Format::Ndjson, ""),
        (Format::Table, "region  quota  reps\n──────  ─────  ────\n"),
    ] {
        let writer = Writer::new(Vec::new(), &batch.schema(), format, Style::default()).unwrap();
        let (bytes, _) = writer.finish().unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{format:?}");
    }
}
