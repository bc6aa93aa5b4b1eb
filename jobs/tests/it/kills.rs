//! Two ingesters of one group, killed again and again: every event is in the lake once.

use std::process::{Child, Stdio};

use super::broker::broker;
use super::guarantees::Dice;
use super::kafka::{assert_same_as_files, commits, events, rows, tool, wait_for_another_commit};
use super::tool::{Tool, pause};

/// Rounds, unless `TIDELINE_TEST_KILLS` says otherwise.
const ROUNDS: usize = 8;
const EVENTS_PER_ROUND: usize = 150;

/// A member with a name of its own is back at once after a kill.
fn member(tool: &Tool, name: &str, arguments: &[&str]) -> Child {
    tool.command(arguments)
        .env("TIDELINE_KAFKA__PROPERTIES__GROUP__INSTANCE__ID", name)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long to test is asked of whoever runs the tests")]
fn two_ingesters_killed_at_random_lose_and_double_nothing() {
    let rounds = std::env::var("TIDELINE_TEST_KILLS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("kill-rounds", 8);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--group", "killed"];
    let all = events(0, rounds * EVENTS_PER_ROUND);
    let (mut dice, mut between) = (Dice(13), 0);
    let mut members = ["one", "two"].map(|name| (name, member(&tool, name, &arguments)));
    for round in all.chunks(EVENTS_PER_ROUND) {
        let messages =
            (0..8).cycle().zip(round).map(|(partition, event)| (partition, Some(event.as_bytes())));
        let before = commits(&tool);
        broker.send(&topic, messages);
        // Some kills come right after a commit of one: the other's is under way then.
        match dice.roll(2) {
            0 => pause(100 + dice.roll(1_900)),
            _ => wait_for_another_commit(&tool, before, &mut members[0].1),
        }
        for (name, child) in &mut members {
            if dice.roll(3) > 0 {
                child.kill().unwrap();
                child.wait().unwrap();
                *child = member(&tool, name, &arguments);
            }
        }
        let known = rows(&tool);
        between += usize::from(!known.is_multiple_of(EVENTS_PER_ROUND));
    }
    for (_, child) in &mut members {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(
        rounds < ROUNDS || between > 0,
        "no kill came between two commits: the test has lost its meaning"
    );
    tool.run(&[&arguments[..], &["--until-end"]].concat()).succeeded();
    assert_same_as_files(&tool, "lake", &all);
}
