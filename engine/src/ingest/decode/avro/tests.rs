//! What Avro messages come to, whole and damaged.

use arrow::array::{Array, AsArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Field, Int32Type, Schema as ArrowSchema};
use arrow_avro::schema::{FingerprintStrategy, SCHEMA_METADATA_KEY};
use arrow_avro::writer::WriterBuilder;
use arrow_avro::writer::format::AvroSoeFormat;

use super::*;
use crate::contract::Stream;

const ID: u32 = 7;
const SCHEMA: &str = r#"{"type":"record","name":"E","fields":[
    {"name":"event_id","type":{"type":"string","logicalType":"uuid"}},
    {"name":"count","type":["null","int"]}]}"#;

/// Messages as a producer with a registry writes them.
fn frames(ids: &[&str]) -> Vec<Vec<u8>> {
    let fields =
        vec![Field::new("event_id", DataType::Utf8, false), Field::new("count", DataType::Int32, true)];
    let plain = SCHEMA.replace(r#"{"type":"string","logicalType":"uuid"}"#, r#""string""#);
    let schema = ArrowSchema::new_with_metadata(
        fields,
        [(SCHEMA_METADATA_KEY.to_owned(), plain)].into_iter().collect(),
    );
    let frame = |(at, id): (i32, &&str)| {
        let columns: [arrow::array::ArrayRef; 2] = [
            Arc::new(StringArray::from(vec![*id])),
            Arc::new(Int32Array::from(vec![(at > 0).then_some(at)])),
        ];
        let batch = RecordBatch::try_new(Arc::new(schema.clone()), columns.to_vec()).unwrap();
        let mut writer = WriterBuilder::new(schema.clone())
            .with_fingerprint_strategy(FingerprintStrategy::Id(ID))
            .build::<_, AvroSoeFormat>(Vec::new())
            .unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        writer.into_inner()
    };
    (0..).zip(ids).map(frame).collect()
}

/// The ids that were read, by position, and the positions of what was not.
fn read(messages: &[Vec<u8>]) -> (Vec<(usize, String)>, Vec<usize>) {
    let frames: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let decoded = Writer::new(ID, SCHEMA).unwrap().read(&frames);
    let mut found = Vec::new();
    for (batch, places) in decoded.batches {
        assert_eq!(batch.num_rows(), places.len());
        let ids = batch.column(0).as_string::<i32>();
        found.extend(places.enumerate().map(|(row, place)| (place, ids.value(row).to_owned())));
    }
    let mut damaged = decoded.damaged;
    damaged.sort_unstable();
    (found, damaged)
}

#[test]
fn framed_records_are_read_and_nulls_are_nulls() {
    let messages = frames(&["a", "b", "c"]);
    assert_eq!(schema_id(&messages[0]), Some(ID));
    let frames: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let decoded = Writer::new(ID, SCHEMA).unwrap().read(&frames);
    let (batch, places) = &decoded.batches[0];
    assert_eq!((batch.num_rows(), places), (3, &(0..3)));
    let counts = batch.column(1).as_primitive::<Int32Type>();
    assert!(counts.is_null(0) && counts.value(2) == 2);
}

#[test]
fn damaged_messages_are_told_apart_wherever_they_stand() {
    let good = frames(&["aa", "bb", "cc", "dd", "ee"]);
    let cut = good[1][..good[1].len() - 1].to_vec();
    let long = [good[2].clone(), vec![1]].concat();
    let two = [good[3].clone(), good[3].clone()].concat();
    let bare = good[4][..FRAME_BYTES].to_vec();
    let bad = [cut, long, two, bare, vec![0, 0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]];
    for hurt in &bad {
        for at in 0..good.len() {
            let mut messages = good.clone();
            messages[at].clone_from(hurt);
            let (found, damaged) = read(&messages);
            assert_eq!(damaged, [at], "{hurt:?}");
            let others: Vec<usize> = (0..good.len()).filter(|other| *other != at).collect();
            assert_eq!(found.iter().map(|(place, _)| *place).collect::<Vec<_>>(), others);
            assert!(found.iter().all(|(place, id)| id == ["aa", "bb", "cc", "dd", "ee"][*place]));
        }
    }
    let (found, damaged) = read(&bad);
    assert!(found.is_empty() && damaged == [0, 1, 2, 3, 4]);
}

#[test]
fn any_changed_byte_is_a_record_or_damage_and_touches_no_other_message() {
    let good = frames(&["first", "second", "third"]);
    let silent = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for at in FRAME_BYTES..good[1].len() {
        for byte in 0..=u8::MAX {
            let mut messages = good.clone();
            messages[1][at] = byte;
            let (found, _) = read(&messages);
            assert!(found.contains(&(0, "first".to_owned())) && found.contains(&(2, "third".to_owned())));
        }
    }
    std::panic::set_hook(silent);
}

#[test]
fn a_schema_that_is_no_record_of_the_stream_says_so() {
    let layout = Layout::of(Stream::Behaviour);
    let slots = |schema: &str| Writer::new(1, schema).map(|writer| writer.slots(&layout));
    assert!(slots("nonsense").is_err());
    let missing = slots(SCHEMA).unwrap().unwrap_err();
    assert_eq!((layout.name(missing.column.unwrap()), missing.reason), ("event_time", reason::MISSING));
    let flag = slots(
        r#"{"type":"record","name":"E","fields":[{"name":"event_id","type":"string"},
            {"name":"event_time","type":{"type":"long","logicalType":"timestamp-micros"}},
            {"name":"event_type","type":{"type":"enum","name":"T","symbols":["a"]}},
            {"name":"amount","type":"boolean"}]}"#,
    );
    assert_eq!(flag.unwrap().unwrap_err().reason, reason::WRONG_TYPE);
}
