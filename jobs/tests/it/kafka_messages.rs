//! What messages of a topic may hold beside one record of JSON.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::ipc::writer::StreamWriter;

use super::broker::broker;
use super::kafka::{ask, assert_same_as_files, events, tool};

#[test]
fn a_message_may_hold_arrow_batches() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("batches", 1);
    let column = |texts: Vec<String>| -> ArrayRef { Arc::new(StringArray::from(texts)) };
    let of = |text: &dyn Fn(usize) -> String| column((0..100).map(text).collect());
    let kind = |row: usize| if row == 40 { "no.such" } else { "call.connected" };
    let batch = RecordBatch::try_from_iter([
        ("event_id", of(&|row| format!("e{row:06}"))),
        ("event_time", of(&|row| format!("2026-01-0{}T09:00:00Z", 1 + row % 9))),
        ("event_type", of(&|row| kind(row).to_owned())),
        ("rep_id", of(&|row| format!("r{}", row % 7))),
        ("number", of(&|row| row.to_string())),
    ])
    .unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let message = writer.into_inner().unwrap();
    let later = events(100, 130);
    broker.send(&topic, [(0, Some(&message[..])), (0, Some(&message[..message.len() / 2]))]);
    broker.send(&topic, later.iter().map(|event| (0, Some(event.as_bytes()))));
    let named = format!("behaviour={topic}");
    let answer =
        tool.run(&["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"]).succeeded();
    assert!(answer.out.contains("behaviour: 129 records accepted, 2 rejected"), "{}", answer.out);
    let expected: Vec<String> = events(0, 130)
        .into_iter()
        .enumerate()
        .filter(|(row, _)| *row != 40)
        .map(|(_, event)| event)
        .collect();
    assert_same_as_files(&tool, "lake", &expected);
    let letters = ask(&tool, "lake", "SELECT position, field, reason FROM raw.dead_letter ORDER BY position");
    assert_eq!(
        letters,
        "position,field,reason\n0,event_type,not in the event catalogue\n1,,damaged Arrow IPC\n"
    );
}

#[test]
fn messages_may_be_compressed_by_any_codec() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("compressed", 1);
    let events = events(0, 400);
    for (codec, events) in ["gzip", "snappy", "lz4", "zstd"].into_iter().zip(events.chunks(100)) {
        broker.send_compressed(codec, &topic, events);
    }
    let named = format!("behaviour={topic}");
    tool.run(&["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"]).succeeded();
    assert_same_as_files(&tool, "lake", &events);
}
