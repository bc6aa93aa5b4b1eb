//! What verification says of good, damaged and contradictory lakes.

use super::*;
use crate::lake::fixture::{Fixture, MONDAY};

async fn check(fixture: &Fixture, expected: &[(Severity, &str, &str)]) {
    let found = verify(&fixture.lake, &mut |_| {}).await.unwrap();
    let texts: Vec<(Severity, &str, &str)> =
        found.iter().map(|finding| (finding.severity, finding.table, finding.message.as_str())).collect();
    assert_eq!(texts, expected);
}

#[tokio::test]
async fn a_sound_lake_has_no_findings() {
    let fixture = Fixture::new();
    check(&fixture, &[]).await;
    // The same id twice on one day is a copy, not a contradiction.
    fixture.events(MONDAY, MONDAY, "a", &["1", "1", "2"]).await;
    fixture.events(MONDAY, MONDAY, "b", &["1"]).await;
    fixture.run("r", MONDAY, 3, Some((10, 3))).await;
    check(&fixture, &[]).await;
}

#[tokio::test]
async fn lost_and_torn_files_are_named() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY, "a", &["1"]).await;
    fixture.events(MONDAY, MONDAY, "b", &["2"]).await;
    let folder = fixture.lake.table_dir("raw.behaviour").join("event_date=2026-01-05");
    std::fs::remove_file(folder.join("a.parquet")).unwrap();
    let bytes = std::fs::read(folder.join("b.parquet")).unwrap();
    std::fs::write(folder.join("b.parquet"), &bytes[..100]).unwrap();
    let message = format!(
        "2 of 2 files are damaged: event_date=2026-01-05/a.parquet is missing; \
         event_date=2026-01-05/b.parquet has 100 bytes instead of {}",
        bytes.len()
    );
    check(&fixture, &[(Severity::Error, "raw.behaviour", &message)]).await;
}

#[tokio::test]
async fn an_event_in_the_wrong_partition_is_an_error() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY + 1, "a", &["1", "2"]).await;
    let message =
        "1 files hold 2 events of other days than their event_date: 2 in event_date=2026-01-05/a.parquet";
    check(&fixture, &[(Severity::Error, "raw.behaviour", message)]).await;
}

#[tokio::test]
async fn an_id_on_two_days_is_a_warning() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY, "a", &["1", "2", "3"]).await;
    fixture.events(MONDAY + 1, MONDAY + 1, "b", &["2", "4"]).await;
    let message = "1 event ids occur on more than one day, and count on each: 2 on 2026-01-05 and 2026-01-06";
    check(&fixture, &[(Severity::Warning, "raw.behaviour", message)]).await;
}

#[tokio::test]
async fn a_published_day_that_lacks_rows_is_an_error() {
    let fixture = Fixture::new();
    fixture.run("superseded", MONDAY, 1, Some((5, 9))).await;
    fixture.run("shown", MONDAY, 2, Some((10, 3))).await;
    let message = "1 published days are not complete: run shown of 2026-01-05 has 2 rows instead of 3";
    check(&fixture, &[(Severity::Error, "mart.factor", message)]).await;
}
