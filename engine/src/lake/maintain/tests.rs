//! Maintenance at its boundary: what a lake holds before and after.

use super::*;
use crate::lake::fixture::{DAY_MS, Fixture, MONDAY, event_file};
use crate::tile::content_id;

/// Now, as the file system sees it: the times of files are the disk's.
fn now_ms() -> i64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    let modified = file.as_file().metadata().unwrap().modified().unwrap();
    i64::try_from(modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

async fn maintain_at(fixture: &Fixture, now_ms: i64) -> MaintainReport {
    maintain(&fixture.lake, MaintainOptions::new(now_ms * 1_000), &mut |_| {}).await.unwrap()
}

fn of<'a>(report: &'a MaintainReport, table: &str) -> &'a TableReport {
    report.tables.iter().find(|report| report.table == table).unwrap()
}

fn content(files: &[DataFile], day: &str) -> u64 {
    files
        .iter()
        .filter(|file| file.partition_value("event_date") == day)
        .fold(0, |sum, file| sum.wrapping_add(content_id(file)))
}

#[tokio::test]
async fn small_files_of_closed_days_become_one_that_stands_for_the_same() {
    let fixture = Fixture::new();
    let today = Day::try_from(now_ms() / DAY_MS).unwrap();
    for (name, ids) in [("a", vec!["1", "2"]), ("b", vec!["2", "3"]), ("c", vec!["4"])] {
        fixture.events(MONDAY, MONDAY, name, &ids).await;
    }
    fixture.events(MONDAY + 1, MONDAY + 1, "d", &["5"]).await;
    fixture.events(today, today, "e", &["6"]).await;
    fixture.events(today, today, "f", &["7"]).await;
    let (before, ids) = (fixture.files("raw.behaviour").await, fixture.event_ids().await);

    let report = maintain_at(&fixture, now_ms()).await;
    assert_eq!((of(&report, "raw.behaviour").folded, of(&report, "raw.behaviour").folded_into), (3, 1));
    let after = fixture.files("raw.behaviour").await;
    assert_eq!(after.len(), 4);
    assert_eq!(fixture.event_ids().await, ids);
    assert_eq!(content(&after, "2026-01-05"), content(&before, "2026-01-05"));

    // A late file is folded into what was folded before, and the sum goes on.
    fixture.events(MONDAY, MONDAY, "late", &["8"]).await;
    let before = fixture.files("raw.behaviour").await;
    maintain_at(&fixture, now_ms() + 1).await;
    let after = fixture.files("raw.behaviour").await;
    assert_eq!(after.len(), 4);
    assert_eq!(content(&after, "2026-01-05"), content(&before, "2026-01-05"));
    assert!(maintain_at(&fixture, now_ms() + 2).await.tables.iter().all(TableReport::is_idle));
}

#[tokio::test]
async fn of_two_folds_of_one_version_one_is_refused() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY, "a", &["1"]).await;
    fixture.events(MONDAY, MONDAY, "b", &["2"]).await;
    let mut first = fixture.lake.table("raw.behaviour").await.unwrap();
    let mut second = first.clone();
    let files = first.files().to_vec();
    let one = event_file(&first, MONDAY, MONDAY, "fold-0000000000000001-x", &["1", "2"]);
    let other = event_file(&first, MONDAY, MONDAY, "fold-0000000000000001-y", &["1", "2"]);
    first.fold(vec![one], &files).await.unwrap();
    let refused = second.fold(vec![other], &files).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
    assert_eq!(fixture.event_ids().await, ["1", "2"]);
}

#[tokio::test]
async fn an_append_during_a_fold_is_kept_by_both_sides() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY, "a", &["1"]).await;
    fixture.events(MONDAY, MONDAY, "b", &["2"]).await;
    let mut folding = fixture.lake.table("raw.behaviour").await.unwrap();
    let mut appending = folding.clone();
    let files = folding.files().to_vec();
    let folded = event_file(&folding, MONDAY, MONDAY, "fold-0000000000000001-x", &["1", "2"]);
    let late = event_file(&appending, MONDAY, MONDAY, "c", &["3"]);
    let later = event_file(&appending, MONDAY, MONDAY, "d", &["4"]);
    fixture.events(MONDAY, MONDAY, "e", &["5"]).await;
    folding.fold(vec![folded], &files).await.unwrap();
    appending.commit(vec![late], &[], &[("input".to_owned(), 1)]).await.unwrap();
    appending.commit(vec![later], &[], &[("input".to_owned(), 2)]).await.unwrap();
    assert_eq!(fixture.event_ids().await, ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn runs_that_nobody_sees_go_and_the_others_stay() {
    let fixture = Fixture::new();
    fixture.run("old", MONDAY, 1, Some((10, 1))).await;
    fixture.run("new", MONDAY, 2, Some((20, 2))).await;
    fixture.run("other_day", MONDAY + 1, 3, Some((5, 3))).await;
    fixture.run("cut_off", MONDAY, 4, None).await;

    let report = maintain_at(&fixture, now_ms()).await;
    assert_eq!(of(&report, "mart.factor").removed, 1, "the superseded one");
    let ids = |files: Vec<DataFile>| -> Vec<String> {
        files.iter().map(|file| file.partition_value("run_id").to_owned()).collect()
    };
    assert_eq!(ids(fixture.files("mart.factor").await), ["cut_off", "new", "other_day"]);

    maintain_at(&fixture, now_ms() + DAY_MS + 1).await;
    assert_eq!(ids(fixture.files("mart.factor").await), ["new", "other_day"]);
}

#[tokio::test]
async fn a_run_that_is_going_on_is_left_alone() {
    let fixture = Fixture::new();
    fixture.run("old", MONDAY, 1, Some((10, 1))).await;
    fixture.run("new", MONDAY, 2, Some((20, 2))).await;
    let _running = fixture.lake.lock(Job::Run).unwrap();
    let report = maintain_at(&fixture, now_ms()).await;
    assert_eq!(of(&report, "mart.factor").left, Some("a daily run is going on"));
    assert_eq!(fixture.files("mart.factor").await.len(), 2);
}

#[tokio::test]
async fn files_are_deleted_once_nothing_names_them_and_they_are_old() {
    let fixture = Fixture::new();
    fixture.events(MONDAY, MONDAY, "a", &["1"]).await;
    fixture.events(MONDAY, MONDAY, "b", &["2"]).await;
    let folder = fixture.lake.table_dir("raw.behaviour").join("event_date=2026-01-05");
    std::fs::write(folder.join("c.parquet"), b"written, never committed").unwrap();
    std::fs::write(folder.join("d.parquet.tmp"), b"cut off").unwrap();
    std::fs::write(folder.join("notes.txt"), b"somebody else's").unwrap();

    let report = maintain_at(&fixture, now_ms()).await;
    assert_eq!(of(&report, "raw.behaviour").deleted, 0);
    let report = maintain_at(&fixture, now_ms() + 8 * DAY_MS).await;
    assert_eq!(of(&report, "raw.behaviour").deleted, 4);
    let mut left: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    left.sort();
    assert!(left[0].starts_with("fold-") && left[1] == "notes.txt" && left.len() == 2, "{left:?}");
    assert_eq!(fixture.event_ids().await, ["1", "2"]);
}

#[tokio::test]
async fn a_checkpointed_table_keeps_its_rows_and_positions() {
    let fixture = Fixture::new();
    let mut table = fixture.lake.table("raw.behaviour").await.unwrap();
    let file = event_file(&table, MONDAY, MONDAY, "a", &["1"]);
    table.commit(vec![file], &[], &[("input".to_owned(), 7)]).await.unwrap();
    let report = maintain_at(&fixture, now_ms()).await;
    assert!(of(&report, "raw.behaviour").checkpoint);
    let table = fixture.lake.table("raw.behaviour").await.unwrap();
    assert_eq!(table.position("input").await.unwrap(), Some(7));
    assert_eq!(fixture.event_ids().await, ["1"]);
}

#[tokio::test]
async fn two_maintenances_exclude_each_other() {
    let fixture = Fixture::new();
    let _other = fixture.lake.lock(Job::Maintain).unwrap();
    let refused = maintain(&fixture.lake, MaintainOptions::new(0), &mut |_| {}).await.unwrap_err();
    assert!(refused.is_retryable(), "{refused}");
}
