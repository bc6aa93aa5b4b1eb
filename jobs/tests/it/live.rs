//! The running day over a real broker: what the topics show is what a daily run publishes.

mod world;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use self::world::{BEFORE, DAY, World};
use super::broker::{Broker, broker};
use super::guarantees::Dice;
use super::kafka::{ask, start, stop};
use super::tool::Tool;

/// What the topic of quotas shows, in the columns of [`World::daily`].
fn quotas(broker: &Broker, topic: &str) -> BTreeMap<String, String> {
    let row = |text: &str| {
        let quota: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(quota["as_of"], DAY);
        let field = |name: &str| quota[name].as_str().unwrap().to_owned();
        ["quota", "expected", "low", "high", "attained", "proposal", "bound"].map(field).join(",")
    };
    broker.shown(&format!("{topic}.quota")).iter().map(|(key, text)| (key.clone(), row(text))).collect()
}

/// Waits until the topics show what a daily run publishes.
#[expect(clippy::disallowed_methods, reason = "no runtime here: another process is waited for")]
fn wait_for(broker: &Broker, topic: &str, (daily, alerts): &(BTreeMap<String, String>, Vec<String>)) {
    let started = Instant::now();
    loop {
        let shown = quotas(broker, topic);
        let raised: Vec<String> = broker.shown(&format!("{topic}.alert")).into_keys().collect();
        if shown == *daily && raised == *alerts {
            return;
        }
        if started.elapsed() > Duration::from_mins(2) {
            assert_eq!(shown, *daily);
            assert_eq!(raised, *alerts);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Waits until a topic is there and shows so many keys.
#[expect(clippy::disallowed_methods, reason = "no runtime here: another process is waited for")]
fn wait_for_quotas(broker: &Broker, topic: &str) {
    let started = Instant::now();
    while broker.shown(&format!("{topic}.quota")).len() < 5 {
        assert!(started.elapsed() < Duration::from_mins(2), "no quotas");
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn quotas_on_the_topic_are_those_of_a_daily_run_whoever_is_killed() {
    let broker = broker();
    let world = World::new(broker, "running");
    let named = world.named();
    let ingest = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    let serve = ["serve", "--kafka", &broker.address, "--topic", &named, "--as-of", DAY];
    let (mut dice, mut lines) = (Dice(9), world.stream.clone());
    dice.shuffle(&mut lines);
    let copies: Vec<String> = lines.iter().step_by(7).cloned().collect();
    lines.extend(copies);
    let third = lines.len() / 3;
    // A part is in the lake, a part only on the topic when the first process begins.
    world.send(broker, &lines[..third / 2]);
    world.tool.run(&ingest).succeeded();
    world.send(broker, &lines[third / 2..third]);
    let mut first = start(&world.tool, &serve);
    wait_for_quotas(broker, &world.topic);
    world.send(broker, &lines[third..2 * third]);
    first.kill().unwrap();
    first.wait().unwrap();
    let second = start(&world.tool, &serve);
    world.send(broker, &lines[2 * third..]);
    wait_for(broker, &world.topic, &world.daily(&lines));
    // Late events change nothing before the lake has them, and everything after.
    world.send(broker, &world.late);
    world.tool.run(&ingest).succeeded();
    let all = [&lines[..], &world.late].concat();
    wait_for(broker, &world.topic, &world.daily(&all));
    let (status, said) = stop(second);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("40 of earlier days left to the lake"), "{said}");
    assert!(said.contains("a newer state serves"), "{said}");
}

/// A reason of three reps to move their quotas, approved; and models of leads and wins, in use.
fn steered(tool: &Tool) {
    let said = tool.run(&["train", "--as-of", BEFORE]).succeeded().out;
    assert_eq!(said.matches(&format!("in use from {BEFORE} on")).count(), 2, "{said}");
    // The day before is published with them.
    tool.run(&["daily", "--as-of", BEFORE]).succeeded();
    let reps = ask(tool, "lake", "SELECT rep_id FROM mart.quota ORDER BY rep_id LIMIT 3");
    let terms: [&[&str]; 3] =
        [&["--percent", "-7.5"], &["--to", "123456.78"], &["--percent", "4", "--beyond-plan"]];
    for (rep, terms) in reps.lines().skip(1).zip(terms) {
        let asked = ["adjust", "request", "--by", "rep", "--reason", "away", "--rep", rep];
        let id = tool.run(&[&asked, terms].concat()).succeeded().out;
        let id = id.split_whitespace().nth(2).unwrap().trim_end_matches(',');
        tool.run(&["adjust", "approve", id, "--by", "boss", "--yes"]).succeeded();
    }
}

#[test]
fn with_trained_models_and_approved_adjustments_they_are_as_well() {
    let broker = broker();
    let scale = data_samples::Scale {
        reps: 24,
        leads: 2_400,
        days: 150,
        events_per_day: 300,
        ..data_samples::sample_scale()
    };
    let world = World::of(broker, "steered", &scale, &steered);
    let named = world.named();
    let serve = ["serve", "--kafka", &broker.address, "--topic", &named, "--as-of", DAY];
    let (mut dice, mut lines) = (Dice(11), world.stream.clone());
    dice.shuffle(&mut lines);
    let copies: Vec<String> = lines.iter().step_by(5).cloned().collect();
    lines.extend(copies);
    let half = lines.len() / 2;
    world.send(broker, &lines[..half]);
    let serving = start(&world.tool, &serve);
    wait_for_quotas(broker, &world.topic);
    world.send(broker, &lines[half..]);
    let daily = world.daily(&lines);
    let bases = "SELECT DISTINCT basis FROM factor WHERE factor IN ('mean_lead_score', 'weighted_pipeline')";
    assert!(ask(&world.tool, "of-files", bases).contains("model"));
    wait_for(broker, &world.topic, &daily);
    // Late ones, too: those that came before the run that the quotas follow, and after.
    world.send(broker, &world.late);
    let ingest = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    world.tool.run(&ingest).succeeded();
    wait_for(broker, &world.topic, &world.daily(&[&lines[..], &world.late].concat()));
    // Without a model, quotas are others, at the next state.
    world.tool.run(&["model", "rollback", "--of", "win"]).succeeded();
    let plain = world.daily_after(&[&lines[..], &world.late].concat(), &["model", "rollback", "--of", "win"]);
    wait_for(broker, &world.topic, &plain);
    let (status, said) = stop(serving);
    assert_eq!(status, 0, "{said}");
}

#[test]
fn what_is_wrong_is_said_at_the_start() {
    let broker = broker();
    let tool = Tool::new().with_lake().variable("TIDELINE_KAFKA__CONNECT_SECONDS", "1");
    tool.run(&["serve"]).says(1, "--http <ADDR>|--pg <ADDR>|--kafka <BROKERS>");
    let nobody = tool.run(&["serve", "--kafka", "127.0.0.1:1"]);
    assert_eq!(nobody.status, 75, "{}", nobody.err);
    assert!(nobody.err.contains("asking the brokers 127.0.0.1:1 for their topics"), "{}", nobody.err);
    let absent = tool.run(&["serve", "--kafka", &broker.address, "--topic", "behaviour=no.such"]);
    assert_eq!(absent.status, 1, "{}", absent.err);
    assert!(absent.err.contains("there is no topic no.such at"), "{}", absent.err);
    let other = tool.run(&["serve", "--kafka", &broker.address, "--topic", "crm.rep=reps"]);
    assert_eq!(other.status, 1, "{}", other.err);
    assert!(other.err.contains("serve follows the topic of behaviour"), "{}", other.err);
}
