//! A broker that doesn't answer for a while, and a lake that can't be written to: each record once all the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::broker::{broker, own_broker};
use super::kafka::{ask, assert_same_as_files, events, rows, send, start, stop, tool, wait_for_rows};
use super::tool::pause;

/// Beyond the time after which members are missed, four times over.
const STILL: Duration = Duration::from_secs(6);

#[test]
fn a_broker_held_still_costs_nothing_but_time() {
    let Some(broker) = own_broker("held") else { return };
    let tool = tool();
    let topic = broker.topic("held", 3);
    let events = events(0, 4_000);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--group", "held"];
    send(&broker, &topic, &events[..600]);
    let members = [start(&tool, &arguments), start(&tool, &arguments)];
    wait_for_rows(&tool, 600);
    // Held in the middle of things: what was sent last is partly fetched, and partly not.
    send(&broker, &topic, &events[600..3_400]);
    broker.hold(true);
    pause(u64::try_from(STILL.as_millis()).unwrap());
    let before = rows(&tool);
    broker.hold(false);
    send(&broker, &topic, &events[3_400..]);
    wait_for_rows(&tool, events.len());
    assert!(before < events.len(), "{before} rows while nothing was sent");
    for member in members {
        let (status, said) = stop(member);
        assert_eq!(status, 0, "{said}");
    }
    assert_same_as_files(&tool, "lake", &events);
    assert_eq!(ask(&tool, "lake", "SELECT count(*) AS n FROM raw.dead_letter"), "n\n0\n");
}

/// A folder that nobody can write to, root included, until it is dropped.
struct ReadOnly(PathBuf);

impl ReadOnly {
    /// By a mount of the folder over itself, which binds root too; where that isn't allowed, by its permissions, which
    /// bind others. None where neither holds.
    fn of(folder: &Path) -> Option<Self> {
        let quiet = |arguments: &[&str]| {
            Command::new("mount").args(arguments).arg(folder).output().is_ok_and(|done| done.status.success())
        };
        let path = folder.to_str().unwrap();
        let held = Self(folder.to_owned());
        if quiet(&["--bind", path]) {
            assert!(quiet(&["-o", "remount,bind,ro"]), "{path} is mounted, and can't be made read-only");
        } else {
            held.permit("a-w");
        }
        let probe = folder.join("probe");
        if std::fs::write(&probe, "").is_ok() {
            std::fs::remove_file(probe).unwrap();
            return None;
        }
        Some(held)
    }

    fn permit(&self, mode: &str) {
        drop(Command::new("chmod").args(["-R", mode]).arg(&self.0).output());
    }
}

impl Drop for ReadOnly {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).output().is_ok_and(|done| done.status.success());
        if !unmounted {
            self.permit("u+w");
        }
    }
}

#[test]
fn a_lake_that_is_read_only_for_a_while_misses_and_doubles_nothing() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("read-only", 3);
    let events = events(0, 900);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named];
    send(broker, &topic, &events[..300]);
    let first = start(&tool, &arguments);
    wait_for_rows(&tool, 300);
    let Some(held) = ReadOnly::of(&tool.path("lake")) else {
        println!("left out: nothing here keeps this user from writing to a folder");
        stop(first);
        return;
    };
    // It ends with what is wrong, rather than to go on without a place for what it reads.
    send(broker, &topic, &events[300..600]);
    let output = first.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("Read-only file system") || said.contains("Permission denied"), "{said}");
    let again = tool.run(&[&arguments[..], &["--until-end"]].concat());
    assert_eq!(again.status, 2, "{}", again.err);
    // What is there can be read meanwhile, and is not touched.
    assert_eq!(rows(&tool), 300);
    // From files as well.
    std::fs::write(tool.path("last.ndjson"), events[600..].join("\n")).unwrap();
    let files = ["ingest", "--stream", "behaviour", "--from", "last.ndjson"];
    assert_eq!(tool.run(&files).status, 2);
    drop(held);
    tool.run(&files).succeeded();
    tool.run(&[&arguments[..], &["--until-end"]].concat()).succeeded();
    assert_same_as_files(&tool, "lake", &events);
    tool.run(&["lake", "verify"]).succeeded();
}
