//! What a lake promises whatever happens on the way: the same marts, byte for byte.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::tool::Tool;

const STREAMS: [&str; 7] =
    ["behaviour", "market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"];
/// Two days of two periods, so that the second leans on quotas published before.
const DAYS: [&str; 2] = ["2026-01-30", "2026-02-14"];

/// Pseudo-random numbers that are the same on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, usize::try_from(self.roll(last as u64 + 1)).unwrap());
        }
    }
}

fn world() -> Tool {
    let tool = Tool::new();
    let scale = data_samples::sample_scale();
    data_samples::generate(&scale, &tool.path("data"), data_samples::Format::Ndjson, &mut |_| {}).unwrap();
    tool
}

fn files(tool: &Tool, stream: &str) -> Vec<PathBuf> {
    let path = tool.path("data").join(stream);
    if !path.is_dir() {
        return vec![tool.path("data").join(format!("{stream}.ndjson"))];
    }
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn ingest(tool: &Tool, lake: &str, stream: &str, from: &Path) {
    tool.run(&["--lake", lake, "ingest", "--stream", stream, "--from", from.to_str().unwrap()]).succeeded();
}

fn daily(tool: &Tool, lake: &str, day: &str) {
    tool.run(&["--lake", lake, "daily", "--as-of", day]).succeeded();
}

/// The bytes of every mart file of the run that a day shows.
fn marts(tool: &Tool, lake: &str) -> BTreeMap<(String, String), Vec<u8>> {
    let mut bytes = BTreeMap::new();
    for day in DAYS {
        let query = format!("SELECT run_id FROM mart.quota WHERE as_of = DATE '{day}' LIMIT 1");
        let run = tool.run(&["--lake", lake, "sql", "--format", "csv", "-c", &query]).succeeded().out;
        let run = run.lines().nth(1).unwrap();
        for mart in std::fs::read_dir(tool.path(lake).join("mart")).unwrap() {
            let mart = mart.unwrap().path();
            let file = mart.join(format!("as_of={day}/run_id={run}/part-0.parquet"));
            let name = mart.file_name().unwrap().to_str().unwrap().to_owned();
            bytes.insert((day.to_owned(), name), std::fs::read(&file).unwrap());
        }
    }
    bytes
}

fn assert_same(ours: &BTreeMap<(String, String), Vec<u8>>, plain: &BTreeMap<(String, String), Vec<u8>>) {
    assert!(plain.len() >= 30, "{} marts", plain.len());
    let different: Vec<_> =
        plain.iter().filter(|(mart, bytes)| ours.get(*mart) != Some(*bytes)).map(|(mart, _)| mart).collect();
    assert!(different.is_empty() && ours.len() == plain.len(), "other bytes in {different:?}");
}

/// A lake whose files came in their order and whose days were computed once.
fn plain(tool: &Tool) -> BTreeMap<(String, String), Vec<u8>> {
    for stream in STREAMS {
        for file in files(tool, stream) {
            ingest(tool, "plain", stream, &file);
        }
    }
    for day in DAYS {
        daily(tool, "plain", day);
    }
    marts(tool, "plain")
}

/// The records of a stream in another order, some of them twice, in a few files of other borders.
fn stirred(tool: &Tool, stream: &str, dice: &mut Dice) -> Vec<PathBuf> {
    let mut records: Vec<Vec<u8>> = Vec::new();
    for file in files(tool, stream) {
        let bytes = std::fs::read(file).unwrap();
        records
            .extend(bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec));
    }
    for _ in 0..records.len() / 20 {
        let again = records[usize::try_from(dice.roll(records.len() as u64)).unwrap()].clone();
        records.push(again);
    }
    dice.shuffle(&mut records);
    let folder = tool.path("stirred").join(stream);
    std::fs::create_dir_all(&folder).unwrap();
    let part = records.len().div_ceil(4).max(1);
    let parts = records.chunks(part).enumerate().map(|(number, records)| {
        let path = folder.join(format!("part-{number}.ndjson"));
        let mut file = std::fs::File::create(&path).unwrap();
        for record in records {
            file.write_all(record).unwrap();
            file.write_all(b"\n").unwrap();
        }
        path
    });
    parts.collect()
}

#[test]
fn order_copies_lateness_splits_and_threads_change_no_byte() {
    let tool = world();
    let plain = plain(&tool);
    let mut dice = Dice(7);
    let parts: Vec<(&str, Vec<PathBuf>)> =
        STREAMS.iter().map(|stream| (*stream, stirred(&tool, stream, &mut dice))).collect();
    // Half of everything is there when the first day runs; the rest, of all days, comes late.
    let tool = tool.variable("RAYON_NUM_THREADS", "1").variable("TOKIO_WORKER_THREADS", "1");
    for (stream, files) in &parts {
        files.iter().take(2).for_each(|file| ingest(&tool, "stirred-lake", stream, file));
    }
    daily(&tool, "stirred-lake", DAYS[0]);
    for (stream, files) in &parts {
        files.iter().skip(2).rev().for_each(|file| ingest(&tool, "stirred-lake", stream, file));
    }
    for day in DAYS {
        daily(&tool, "stirred-lake", day);
    }
    assert_same(&marts(&tool, "stirred-lake"), &plain);
}

/// Runs a command again and again, killed after random times, until it ends by itself; returns how often it was killed.
#[expect(clippy::disallowed_methods, reason = "no runtime here: a process is killed after a while")]
fn until_done(tool: &Tool, arguments: &[&str], dice: &mut Dice) -> usize {
    for killed in 0..60 {
        let mut child = tool
            .command(arguments)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Later attempts get longer, so that the command ends at last, on a busy machine too.
        std::thread::sleep(Duration::from_millis(
            dice.roll(100 + 50 * killed as u64 + 5 * (killed * killed) as u64),
        ));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{arguments:?} after {killed} kills");
                return killed;
            }
            None => child.kill().unwrap(),
        }
        child.wait().unwrap();
    }
    panic!("{arguments:?} never ended");
}

#[test]
fn kills_at_any_instant_and_repeats_are_one_uninterrupted_run() {
    let tool = world();
    let plain = plain(&tool);
    let mut dice = Dice(11);
    let mut kills = 0;
    for stream in STREAMS {
        let paths = files(&tool, stream);
        let mut arguments = vec!["--lake", "killed", "ingest", "--stream", stream, "--from"];
        arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
        kills += until_done(&tool, &arguments, &mut dice);
    }
    for day in DAYS {
        kills += until_done(&tool, &["--lake", "killed", "daily", "--as-of", day], &mut dice);
    }
    assert!(kills >= 5, "only {kills} kills: the test has lost its meaning");
    assert_same(&marts(&tool, "killed"), &plain);
    tool.run(&["--lake", "killed", "lake", "verify"]).succeeded();
}

/// Runs the command where no file may grow beyond some blocks, as on a disk that is full.
#[cfg(unix)]
fn run_on_a_full_disk(tool: &Tool, blocks: &str, arguments: &[&str]) -> (i32, String) {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let program = tool.command(&[]).get_program().to_owned();
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .arg(program)
        .args(arguments)
        .current_dir(tool.path("."))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(unix)]
#[test]
fn a_full_disk_costs_nothing_but_time() {
    let tool = world();
    let plain = plain(&tool);
    for stream in STREAMS {
        for file in files(&tool, stream) {
            let arguments =
                ["--lake", "full", "ingest", "--stream", stream, "--from", file.to_str().unwrap()];
            // 4 KiB hold no data file of a whole day.
            let (status, error) = run_on_a_full_disk(&tool, "8", &arguments);
            if status != 0 {
                assert_eq!(status, 2, "{error}");
                assert!(error.contains(".parquet") || error.contains("_delta_log"), "{error}");
            }
            ingest(&tool, "full", stream, &file);
        }
    }
    let mut failures = 0;
    for day in DAYS {
        for blocks in ["8", "24", "64"] {
            let arguments = ["--lake", "full", "daily", "--as-of", day];
            let (status, error) = run_on_a_full_disk(&tool, blocks, &arguments);
            failures += usize::from(status == 2);
            assert!(matches!(status, 0 | 2), "{error}");
        }
        daily(&tool, "full", day);
    }
    assert!(failures > 0, "nothing failed: the test has lost its meaning");
    assert_same(&marts(&tool, "full"), &plain);
}

#[test]
fn what_comes_late_for_the_past_of_a_run_counts_once() {
    use data_samples::build::Event;
    let order =
        |at: &str| Event::new("order.placed").rep("r1").customer("c1").amount("10.00").at(at).to_json();
    let deal = |code: &str, stage: &str, at: &str| {
        Event::new(code).rep("r1").opportunity("o1").attr("stage", stage).at(at).to_json()
    };
    let early = [order("2026-01-03T10:00:00+08:00"), order("2026-01-20T10:00:00+08:00")].join("\n");
    let opened = deal("opportunity.opened", "prospecting", "2026-02-16T10:00:00+08:00");
    let moved = deal("opportunity.stage_changed", "qualification", "2026-02-20T10:00:00+08:00");
    let then = [opened, moved, order("2026-02-20T11:00:00+08:00")].join("\n");
    let late = deal("opportunity.stage_changed", "discovery", "2026-02-24T10:00:00+08:00");
    let late = [late, order("2026-01-28T10:00:00+08:00")].join("\n");
    let rows = |days: &[(&str, &str)]| {
        let tool = Tool::new()
            .file("rep.ndjson", r#"{"rep_id":"r1","hired_on":"2025-01-01"}"#)
            .file("customer.ndjson", r#"{"customer_id":"c1","owner_rep_id":"r1","created_on":"2026-01-01"}"#)
            .file("early.ndjson", &early)
            .file("then.ndjson", &then)
            .file("late.ndjson", &late);
        tool.run(&["ingest", "--stream", "crm.rep", "--from", "rep.ndjson"]).succeeded();
        tool.run(&["ingest", "--stream", "crm.customer", "--from", "customer.ndjson"]).succeeded();
        for (files, day) in days {
            let files: Vec<&str> = files.split(' ').collect();
            let ingest = [&["ingest", "--stream", "behaviour", "--from"], &files[..]].concat();
            tool.run(&ingest).succeeded();
            tool.run(&["daily", "--as-of", day]).succeeded();
        }
        let told = |text: &str| tool.run(&["sql", "--format", "csv", "-c", text]).succeeded().out;
        let orders = told(
            "SELECT orders_365d, order_amount_365d, repurchase_interval_days FROM mart.customer_health \
             WHERE as_of = DATE '2026-03-11'",
        );
        let velocity = "SELECT opportunity_velocity_num, opportunity_velocity_den FROM mart.process_health";
        [orders, told(&format!("{velocity} WHERE scope = 'rep' AND as_of = DATE '2026-03-11'"))]
    };
    // The newest lives are those of the tenth of March, which what is late makes wrong; the ones before still hold.
    let in_turn =
        rows(&[("early.ndjson", "2026-02-15"), ("then.ndjson", "2026-03-10"), ("late.ndjson", "2026-03-11")]);
    let at_once = rows(&[("early.ndjson then.ndjson late.ndjson", "2026-03-11")]);
    assert_eq!(in_turn, at_once);
    assert!(at_once[0].contains("\n4,40.00,") && at_once[1].contains("\n2,1"), "{at_once:?}");
}
