//! Two writers and one lake, without a broker: who may commit, and what a kill between two commits leaves.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::ingest::messages::Messages;
use crate::kafka::options::Properties;
use crate::time::parse_rfc3339;

/// A good event, and one that is refused.
const GOOD: &str =
    r#"{"event_id":"e","event_time":"2026-11-19T01:02:03Z","event_type":"call.connected","rep_id":"r1"}"#;
const BAD: &str = "{broken";

/// A writer of a process of its own.
fn writer(lake: &Lake) -> Writer {
    static PROCESSES: AtomicU32 = AtomicU32::new(0);
    let options = KafkaOptions {
        brokers: String::new(),
        group: String::new(),
        topics: Vec::new(),
        topics_must_exist: true,
        properties: Properties::default(),
        registry: None,
        until_end: true,
        commit_rows: 100,
        commit_after: Duration::ZERO,
        memory_bytes: 1 << 20,
        threads: 1,
        connect: Duration::ZERO,
        give_up_after: Duration::ZERO,
        rejected_share_warning: 1.0,
        rejected_share_stop: 1.0,
        skip_deleted: false,
        clock: || parse_rfc3339("2026-11-20T00:00:00Z").unwrap(),
        nonce: PROCESSES.fetch_add(1, Ordering::Relaxed).to_string(),
        stop: Arc::new(AtomicBool::new(false)),
        on_status: None,
    };
    Writer::new(lake.clone(), Arc::new(Catalogue::builtin().unwrap()), Arc::new(options)).unwrap()
}

fn place(kafka_partition: i32) -> Place {
    Place { topic: Arc::from("t"), kafka_partition }
}

/// The messages of a partition from offset 0 on.
fn catch(kafka_partition: i32, messages: &[&str]) -> Catch {
    let mut block = Messages::default();
    for (offset, message) in (0..).zip(messages) {
        block.push(offset, Some(message.as_bytes()));
    }
    let reached = i64::try_from(messages.len()).unwrap();
    Catch { place: place(kafka_partition), stream: Stream::Behaviour, blocks: vec![block], reached, bytes: 1 }
}

async fn begun(lake: &Lake) -> Writer {
    let mut writer = writer(lake);
    let places = [0, 1].map(|partition| (place(partition), Stream::Behaviour));
    writer.begin(&places).await.unwrap();
    writer
}

async fn rows(lake: &Lake, table: &str) -> u64 {
    lake.table(table).await.unwrap().files().iter().map(|file| file.rows.unwrap()).sum()
}

#[tokio::test]
async fn who_finds_another_offset_in_a_fresh_snapshot_commits_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(&dir.path().join("lake"), "UTC").unwrap();
    let (mut first, mut second) = (begun(&lake).await, begun(&lake).await);
    let haul = || Haul { catches: vec![catch(0, &[GOOD])] };
    first.commit(haul()).await.unwrap();
    // As when a table is opened anew after some commits: the table itself would take the same offset again.
    second.tables.clear();
    let answer = second.commit(haul()).await;
    assert!(matches!(answer, Err(EngineError::Conflict { .. })), "{answer:?}");
    assert_eq!(rows(&lake, "raw.behaviour").await, 1);
}

#[tokio::test]
async fn letters_that_a_kill_left_without_their_rows_are_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open_or_create(&dir.path().join("lake"), "UTC").unwrap();
    let mut killed = begun(&lake).await;
    let landed = killed.land(Haul { catches: vec![catch(0, &[GOOD, BAD])] }).await.unwrap();
    killed.commit_letters(&landed).await.unwrap();
    drop(killed);
    assert_eq!((rows(&lake, LETTERS).await, rows(&lake, "raw.behaviour").await), (1, 0));
    let mut next = begun(&lake).await;
    next.commit(Haul { catches: vec![catch(0, &[GOOD, BAD]), catch(1, &[BAD, GOOD])] }).await.unwrap();
    assert_eq!((rows(&lake, LETTERS).await, rows(&lake, "raw.behaviour").await), (2, 2));
}
