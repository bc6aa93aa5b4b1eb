//! Jobs at their times, and the units that others run them by.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine::lake::{Job, Lake};
use serde_json::Value;

use crate::tool::{Tool, pause};

/// Runs for a long time otherwise.
const PATIENCE: Duration = Duration::from_secs(150);

fn history(tool: &Tool) -> Vec<Value> {
    let text = std::fs::read_to_string(tool.path("lake/_tideline/schedule.ndjson")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn attempts(tool: &Tool, job: &str) -> Vec<(String, String)> {
    let text = |line: &Value, name: &str| line[name].as_str().unwrap().to_owned();
    let own = history(tool).into_iter().filter(|line| line["job"] == job && line["attempt"].is_number());
    own.map(|line| (text(&line, "call"), text(&line, "outcome"))).collect()
}

fn eventually(what: &str, mut good: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !good() {
        assert!(begun.elapsed() < PATIENCE, "{what} doesn't come about");
        pause(100);
    }
}

/// A schedule that is ended when dropped.
struct Running(Child);

impl Running {
    fn start(tool: &Tool) -> Self {
        let mut command = tool.command(&["schedule"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    fn stop(&mut self) -> Option<i32> {
        assert!(Command::new("kill").arg(self.0.id().to_string()).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_job_that_is_run_once_is_tried_again_where_that_may_help() {
    let settings =
        "[schedule]\nretries = 2\nbackoff_seconds = 0.1\nexport = \"0 5 * * *\"\nexport_to = \"out\"\n";
    let tool = Tool::new().with_lake().file("tideline.toml", settings);
    tool.run(&["schedule", "--run", "maintain"]).succeeded();
    assert_eq!(attempts(&tool, "maintain"), [("lake maintain".to_owned(), "done".to_owned())]);
    // Nothing is published: that doesn't mend by itself.
    let wrong = tool.run(&["schedule", "--run", "export"]);
    wrong.failed(1, "error: export: input or configuration is wrong; see above");
    assert!(wrong.err.contains("no day is published yet"), "{}", wrong.err);
    assert_eq!(attempts(&tool, "export"), [("export --all --to out".to_owned(), "failed".to_owned())]);
    // Somebody else is at it: three attempts, then 75.
    let lake = Lake::open(&tool.path("lake"), "Asia/Shanghai").unwrap();
    let held = lake.lock(Job::Maintain).unwrap();
    let busy = tool.run(&["schedule", "--run", "maintain"]);
    assert_eq!(busy.status, 75, "{}", busy.err);
    assert_eq!(attempts(&tool, "maintain").len(), 4);
    drop(held);
    let ends: Vec<Value> = history(&tool).into_iter().filter(|line| line["attempt"].is_null()).collect();
    let ends: Vec<_> = ends.iter().map(|line| (&line["job"], &line["outcome"], &line["status"])).collect();
    let line =
        |job: &str, outcome: &str, status: i32| (Value::from(job), Value::from(outcome), Value::from(status));
    let expected = [line("maintain", "done", 0), line("export", "failed", 1), line("maintain", "failed", 75)];
    assert_eq!(ends, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    // Tried until it goes: the lock is let go of while the job waits for its next attempt.
    let tool = tool.file("tideline.toml", "[schedule]\nretries = 50\nbackoff_seconds = 0.2\n");
    let held = lake.lock(Job::Maintain).unwrap();
    let mut waiting = tool.command(&["schedule", "--run", "maintain"]).stderr(Stdio::null()).spawn().unwrap();
    eventually("a failed attempt", || attempts(&tool, "maintain").len() > 4);
    drop(held);
    assert!(waiting.wait().unwrap().success());
    assert_eq!(attempts(&tool, "maintain").last().unwrap().1, "done");
}

#[test]
fn days_that_were_missed_are_caught_up_with() {
    let event = data_samples::build::Event::new("call.connected").rep("r1").customer("c1").to_json();
    let tool = Tool::new()
        .file("events.ndjson", &format!("{event}\n"))
        .file("tideline.toml", "[schedule]\ncatch_up_days = 3\nretries = 0\n");
    tool.run(&["ingest", "--stream", "behaviour", "--from", "events.ndjson"]).succeeded();
    tool.run(&["daily", "--from", "2026-01-04", "--to", "2026-01-05"]).succeeded();
    tool.run(&["schedule", "--run", "daily"]).succeeded();
    let calls: Vec<String> = attempts(&tool, "daily").into_iter().map(|(call, _)| call).collect();
    assert_eq!(calls.len(), 3, "{calls:?}");
    let mut in_order = calls.clone();
    in_order.sort();
    assert_eq!(calls, in_order);
    let published = tool
        .run(&["sql", "--format", "csv", "-c", "SELECT as_of FROM ops.run ORDER BY finished_at"])
        .succeeded();
    let days: Vec<&str> = published.out.lines().skip(1).collect();
    assert!(days.len() == 2 + 3 && days.is_sorted(), "{}", published.out);
    // Nothing is missed now: yesterday alone is looked at again.
    tool.run(&["schedule", "--run", "daily"]).succeeded();
    assert_eq!(attempts(&tool, "daily").len(), 4);
    let list = tool.run(&["schedule", "--list"]).succeeded().out;
    let lines: Vec<&str> = list.lines().collect();
    assert!(
        lines[0].starts_with("daily: next ") && lines[0].contains("T02:30:00+08:00; last done at "),
        "{list}"
    );
    assert_eq!(lines[1], "train: next never; last not run yet");
}

#[test]
fn the_schedule_runs_one_at_a_time_and_is_taken_over_from_the_dead() {
    let settings = "[schedule]\ndaily = \"\"\nmaintain = \"* * * * *\"\nretries = 0\n";
    let tool = Tool::new().with_lake().file("tideline.toml", settings);
    // What was due while nobody was there is made up for at once.
    let missed = r#"{"job":"maintain","due":"2026-01-01T00:00:00Z","finished_at":"2026-01-01T00:00:01Z","outcome":"done"}"#;
    std::fs::write(tool.path("lake/_tideline/schedule.ndjson"), format!("{missed}\n")).unwrap();
    let ends = |tool: &Tool| history(tool).iter().filter(|line| line["attempt"].is_null()).count();
    let mut first = Running::start(&tool);
    eventually("what was missed", || ends(&tool) >= 2);
    let mut second = Running::start(&tool);
    pause(3_000);
    first.0.kill().unwrap();
    first.0.wait().unwrap();
    let before = ends(&tool);
    eventually("the next minute, by the second schedule", || ends(&tool) > before);
    let dues: Vec<String> = history(&tool)
        .iter()
        .filter(|line| line["attempt"].is_number())
        .map(|line| line["due"].to_string())
        .collect();
    let mut once = dues.clone();
    once.dedup();
    assert_eq!(dues, once, "each time runs once");
    assert_eq!(second.stop(), Some(0));
    let nothing = tool.file("tideline.toml", "[schedule]\ndaily = \"\"\nmaintain = \"\"\n");
    nothing.run(&["schedule"]).failed(
        1,
        "error: no job has a time; write one under [schedule] in the configuration, e.g. daily = \"30 2 * * *\"",
    );
}

#[test]
fn wrong_times_are_refused_when_the_configuration_is_read() {
    let check = |settings: &str, message: &str| {
        let tool = Tool::new().file("tideline.toml", settings);
        tool.run(&["schedule", "--list"]).failed(1, &format!("error: tideline.toml: {message}"));
    };
    let fields =
        "must be a cron expression of five fields (minute hour day month weekday), e.g. \"30 2 * * *\", not";
    check("[schedule]\ndaily = \"at noon\"\n", &format!("schedule.daily {fields} \"at noon\""));
    check("[schedule]\ntrain = \"61 2 * * *\"\n", &format!("schedule.train {fields} \"61 2 * * *\""));
    check(
        "[schedule]\nexport = \"0 5 * * *\"\n",
        "schedule.export_to must name a folder where schedule.export says a time",
    );
    check(
        "[schedule]\ntimezone = \"Mars\"\n",
        "schedule.timezone: unknown time zone 'Mars'; use an IANA name",
    );
}

#[test]
fn units_name_the_times_the_zone_and_the_command() {
    let settings = "[schedule]\nmaintain = \"*/30 4 * * 0\"\njitter_seconds = 60\n";
    let tool = Tool::new().with_lake().file("tideline.toml", settings);
    let print = |what: &str| tool.run(&["schedule", "--print", what]).succeeded().out;
    let systemd = print("systemd");
    for expected in [
        "# /etc/systemd/system/tideline-daily.service",
        "OnCalendar=*-*-* 02:30:00 Asia/Shanghai",
        "OnCalendar=Sun *-*-* 04:00/30:00 Asia/Shanghai",
        "RandomizedDelaySec=60",
        "\"--lake\" \"lake\" \"schedule\" \"--run\" \"daily\"",
    ] {
        assert!(systemd.contains(expected), "{expected}\n{systemd}");
    }
    let cron = print("cron");
    assert!(
        cron.contains("CRON_TZ=Asia/Shanghai\n30 2 * * * cd ")
            && cron.contains("--lake lake schedule --run daily\n"),
        "{cron}"
    );
    let airflow = print("airflow");
    assert!(
        airflow.contains("dag_id=\"tideline_maintain\"") && airflow.contains("schedule=\"*/30 4 * * 0\""),
        "{airflow}"
    );
    let both = tool.file("tideline.toml", "[schedule]\ndaily = \"0 3 1 * 1\"\n");
    let answer = both.run(&["schedule", "--print", "systemd"]);
    assert!(answer.status == 1 && answer.err.contains("systemd can't say \"0 3 1 * 1\""), "{}", answer.err);
}

#[test]
fn all_marts_are_exported_with_a_manifest_that_holds() {
    let tool = Tool::new().with_lake();
    tool.run(&["export", "--all", "--to", "out"])
        .failed(1, "error: no day is published yet; `tideline daily` publishes one");
    tool.run(&["daily", "--as-of", "2026-01-05"]).succeeded();
    for _ in 0..2 {
        tool.run(&["export", "--all", "--to", "out"]).succeeded();
    }
    let manifest: Value =
        serde_json::from_slice(&std::fs::read(tool.path("out/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["as_of"], "2026-01-05");
    let files = manifest["files"].as_array().unwrap();
    let mut names: Vec<String> =
        files.iter().map(|entry| entry["file"].as_str().unwrap().to_owned()).collect();
    for (entry, name) in files.iter().zip(&names) {
        let bytes = std::fs::read(tool.path("out").join(name)).unwrap();
        assert_eq!(entry["bytes"], bytes.len());
        assert_eq!(entry["blake3"], blake3::hash(&bytes).to_hex().as_str());
    }
    let rows =
        files.iter().find(|entry| entry["file"] == "mart.customer_health.parquet").unwrap()["rows"].clone();
    let query = "SELECT count(*) FROM mart.customer_health";
    let counted = tool.run(&["sql", "--format", "csv", "-c", query]).succeeded().out;
    assert_eq!(counted.lines().nth(1).unwrap(), rows.to_string());
    names.push("manifest.json".to_owned());
    names.sort();
    let mut there: Vec<String> = std::fs::read_dir(tool.path("out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, names, "nothing else is left in the folder");
    tool.run(&["export", "--all", "--to", "events.ndjson"])
        .failed(1, "error: events.ndjson is a file; --all writes to a folder");
}
