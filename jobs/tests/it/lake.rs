//! The lake on disk, as the command leaves it and finds it again.

use std::path::Path;

use engine::lake::{Job, Lake};

use crate::tool::Tool;

#[test]
fn a_lake_keeps_its_time_zone() {
    let tool = Tool::new().variable("TIDELINE_TIMEZONE", "UTC").with_lake();
    tool.run(&["lake", "status"]).succeeded();
    let elsewhere = tool.variable("TIDELINE_TIMEZONE", "Asia/Tokyo");
    let answer = elsewhere.run(&["lake", "status"]);
    assert_eq!(answer.status, 1);
    assert!(answer.err.contains("was made for time zone UTC"), "{}", answer.err);
}

#[test]
fn a_lake_of_a_newer_version_is_left_alone() {
    let tool = Tool::new().with_lake();
    let manifest = tool.path("lake/_tideline/lake.json");
    let newer = std::fs::read_to_string(&manifest).unwrap().replace("\"format\":1", "\"format\":2");
    let newer = newer.replace("\"format\": 1", "\"format\": 2");
    std::fs::write(&manifest, newer).unwrap();
    for command in
        [&["daily", "--as-of", "2026-01-05"][..], &["lake", "maintain"], &["sql", "-c", "SELECT 1"]]
    {
        let answer = tool.run(command);
        assert_eq!(answer.status, 1, "{}", answer.err);
        assert!(answer.err.contains("has format 2, this program knows formats up to 1"), "{}", answer.err);
    }
}

#[test]
fn records_are_taken_in_once_and_bad_ones_are_kept_aside() {
    let tool = Tool::new().with_lake();
    let rows = |query: &str| tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out;
    assert_eq!(rows("SELECT count(*) AS n FROM raw.behaviour"), "n\n1\n");
    assert_eq!(rows("SELECT stream, position FROM raw.dead_letter").lines().count(), 2);
    let again = tool.run(&["ingest", "--stream", "behaviour", "--from", "events.ndjson"]).succeeded();
    assert!(again.out.contains("0 records accepted"), "{}", again.out);
    assert_eq!(rows("SELECT count(*) AS n FROM raw.behaviour"), "n\n1\n");
    let wrong = tool.run(&["ingest", "--stream", "crm.reps", "--from", "events.ndjson"]);
    wrong.failed(
        1,
        "error: there is no stream 'crm.reps', did you mean crm.rep? (the streams are behaviour, market_factor, \
         crm.rep, crm.customer, crm.region, crm.plan, crm.product, crm.calendar)",
    );
    assert_eq!(tool.run(&["ingest", "--stream", "behaviour", "--from", "absent.ndjson"]).status, 1);
}

#[test]
fn work_that_another_process_does_is_to_be_tried_again() {
    let tool = Tool::new().with_lake();
    let lake = Lake::open(&tool.path("lake"), "Asia/Shanghai").unwrap();
    let _held = lake.lock(Job::Maintain).unwrap();
    tool.run(&["lake", "maintain"])
        .failed(75, "error: another process is maintaining this lake; run the command again when it is done");
    let _running = lake.lock(Job::Run).unwrap();
    tool.run(&["daily", "--as-of", "2026-01-05"]).failed(
        75,
        "error: another process is running a day of this lake; run the command again when it is done",
    );
}

#[test]
fn a_damaged_lake_is_a_failure_that_names_the_file() {
    let tool = Tool::new().with_lake();
    assert_eq!(tool.run(&["lake", "verify"]).succeeded().out, "the lake is sound\n");
    let file = find(&tool.path("lake/raw/behaviour"), "parquet");
    std::fs::write(&file, b"torn").unwrap();
    let answer = tool.run(&["lake", "verify"]);
    assert_eq!(answer.status, 2);
    assert!(answer.out.starts_with("damaged  raw.behaviour: 1 of 1 files are damaged"), "{}", answer.out);
}

#[test]
fn an_id_on_two_days_is_told_by_the_run_that_reads_it_and_by_verify() {
    let event = |time: &str| {
        data_samples::build::Event::new("call.connected").id("e").rep("r1").customer("c1").at(time).to_json()
    };
    let tool = Tool::new()
        .file("first.ndjson", &event("2026-01-05T10:00:00+08:00"))
        .file("copy.ndjson", &event("2026-01-05T10:00:00+08:00"))
        .file("second.ndjson", &event("2026-01-08T10:00:00+08:00"));
    let told = "event ids on two days: 1, for example of 2026-01-05 and 2026-01-08";
    for (file, is_told) in [("first.ndjson", false), ("copy.ndjson", false), ("second.ndjson", true)] {
        tool.run(&["ingest", "--stream", "behaviour", "--from", file]).succeeded();
        let answer = tool.run(&["daily", "--as-of", "2026-01-09"]).succeeded();
        assert_eq!((answer.out + &answer.err).contains(told), is_told, "{file}");
    }
    let touches = tool.run(&["sql", "--format", "csv", "-c", "SELECT sum(touches) FROM tile.customer_day"]);
    assert_eq!(touches.succeeded().out.lines().nth(1), Some("2"));
    let found = tool.run(&["lake", "verify"]).out;
    assert!(found.contains("2026-01-05") && found.contains("2026-01-08"), "{found}");
}

#[test]
fn an_id_sent_again_is_told_by_the_run_for_a_month_and_by_verify_for_ever() {
    let event = |id: &str, day: &str| {
        let touch = data_samples::build::Event::new("call.connected").id(id).rep("r1").customer("c1");
        touch.at(&format!("{day}T10:00:00+08:00")).to_json()
    };
    let first = [event("e", "2026-01-05"), event("f", "2026-01-05")].join("\n");
    let again = [event("e", "2026-02-05"), event("f", "2026-02-06")].join("\n");
    let tool = Tool::new().file("first.ndjson", &first).file("again.ndjson", &again);
    tool.run(&["ingest", "--stream", "behaviour", "--from", "first.ndjson", "again.ndjson"]).succeeded();
    let answer = tool.run(&["daily", "--as-of", "2026-02-07"]).succeeded();
    let said = answer.out + &answer.err;
    assert!(said.contains("event ids on two days: 1, for example of 2026-01-05 and 2026-02-05"), "{said}");
    let found = tool.run(&["lake", "verify"]).out;
    assert!(found.contains("2 event ids") && found.contains("2026-02-06"), "{found}");
}

#[test]
fn a_first_deal_without_any_history_is_no_reason_for_a_quota_of_nothing() {
    let rep = |id: &str| {
        format!(r#"{{"rep_id":"{id}","hired_on":"2026-01-01","updated_at":"2026-01-01T00:00:00Z"}}"#)
    };
    let deal = data_samples::build::Event::new("deal.signed").rep("r1").customer("c1").amount("100.00");
    let tool = Tool::new()
        .file("rep.ndjson", &format!("{}\n{}\n", rep("r1"), rep("r2")))
        .file("deal.ndjson", &deal.at("2026-01-08T10:00:00+08:00").to_json());
    tool.run(&["ingest", "--stream", "crm.rep", "--from", "rep.ndjson"]).succeeded();
    tool.run(&["ingest", "--stream", "behaviour", "--from", "deal.ndjson"]).succeeded();
    let quota = |day: &str| {
        tool.run(&["daily", "--as-of", day]).succeeded();
        let query = format!("SELECT quota FROM mart.quota WHERE rep_id = 'r1' AND as_of = DATE '{day}'");
        let answer = tool.run(&["sql", "--format", "csv", "-c", &query]).succeeded().out;
        answer.lines().nth(1).unwrap().parse::<f64>().unwrap()
    };
    let before = quota("2026-01-07");
    assert!(before < 1.0, "nothing is known yet: {before}");
    let after = quota("2026-01-08");
    assert!((100.0..300.0).contains(&after), "100 are signed, the quota is {after}");
}

/// The first file under `folder` with that ending.
fn find(folder: &Path, ending: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("_delta_log") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                return path;
            }
        }
    }
    panic!("no .{ending} file");
}
