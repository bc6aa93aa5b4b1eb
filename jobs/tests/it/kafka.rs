//! Streams from a real broker: each record once, whoever is killed, and what can't be read beside it.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use data_samples::build::Event;

use super::broker::{Broker, broker};
use super::guarantees::Dice;
use super::tool::{Tool, pause};

const POISON: [&[u8]; 6] = [
    b"{broken",
    b"",
    b"\xff\xfe\x00not text",
    b"[1, 2]",
    b"{\"event_id\": \"p\", \"event_type\": \"call.connected\", \"event_time\": \"never\", \"rep_id\": \"r1\"}",
    b"{\"event_id\": \"q\", \"event_type\": \"no.such\", \"event_time\": \"2026-01-05T09:00:00Z\", \"rep_id\": \"r1\"}",
];

/// A tool whose members are missed soon, and that commits often.
pub(crate) fn tool() -> Tool {
    Tool::new()
        .variable("TIDELINE_KAFKA__COMMIT_ROWS", "150")
        .variable("TIDELINE_KAFKA__COMMIT_SECONDS", "0.2")
        .variable("TIDELINE_KAFKA__PROPERTIES__SESSION__TIMEOUT__MS", "1500")
        .variable("TIDELINE_KAFKA__PROPERTIES__HEARTBEAT__INTERVAL__MS", "300")
}

pub(crate) fn events(from: usize, to: usize) -> Vec<String> {
    let event = |number: usize| {
        let day = 1 + number % 9;
        Event::new("call.connected")
            .id(&format!("e{number:06}"))
            .at(&format!("2026-01-0{day}T09:00:00Z"))
            .rep(&format!("r{}", number % 7))
            .attr("number", &number.to_string())
            .to_json()
    };
    (from..to).map(event).collect()
}

/// Sends events over three partitions in turn.
pub(crate) fn send(broker: &Broker, topic: &str, events: &[String]) {
    let partitions = (0..3).cycle();
    broker.send(topic, partitions.zip(events).map(|(partition, event)| (partition, Some(event.as_bytes()))));
}

pub(crate) fn ask(tool: &Tool, lake: &str, query: &str) -> String {
    tool.run(&["--lake", lake, "sql", "--format", "csv", "-c", query]).succeeded().out
}

const ALL_EVENTS: &str = "SELECT * FROM raw.behaviour ORDER BY event_id";

/// The lake's events are exactly those of files.
pub(crate) fn assert_same_as_files(tool: &Tool, lake: &str, events: &[String]) {
    let file = tool.path("events.ndjson");
    std::fs::write(&file, events.join("\n")).unwrap();
    let from = file.to_str().unwrap();
    tool.run(&["--lake", "of-files", "ingest", "--stream", "behaviour", "--from", from]).succeeded();
    let (ours, theirs) = (ask(tool, lake, ALL_EVENTS), ask(tool, "of-files", ALL_EVENTS));
    assert_eq!(ours.lines().count(), events.len() + 1);
    assert!(ours == theirs, "other rows than those of files");
}

#[test]
fn topics_give_the_rows_of_files_and_poison_goes_aside_with_its_place() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("behaviour", 3);
    let market = broker.topic("market", 2);
    let events = events(0, 600);
    send(broker, &topic, &events[..300]);
    broker.send(&topic, POISON.iter().map(|poison| (1, Some(*poison))));
    broker.send(&topic, [(2, None)]);
    send(broker, &topic, &events[300..]);
    let factor = br#"{"factor":"search_index","observed_at":"2026-01-05T09:00:00Z","value":1.5}"#;
    let framed = [b"\x00\x00\x00\x00\x07", &factor[..]].concat();
    broker.send(&market, [(0, Some(&factor[..])), (1, Some(&framed[..])), (1, Some(b"nothing"))]);
    let (behaviour_topic, market_topic) = (format!("behaviour={topic}"), format!("market_factor={market}"));
    let arguments = [
        "ingest",
        "--kafka",
        &broker.address,
        "--topic",
        &behaviour_topic,
        "--topic",
        &market_topic,
        "--until-end",
    ];
    let answer = tool.run(&arguments).succeeded();
    assert!(answer.out.contains("behaviour: 600 records accepted, 7 rejected"), "{}", answer.out);
    assert!(answer.out.contains("market_factor: 2 records accepted, 1 rejected"), "{}", answer.out);
    assert!(
        answer.err.lines().filter(|line| line.contains("committed") && line.contains("rows=")).count() >= 3
    );
    assert_same_as_files(&tool, "lake", &events);
    let letters =
        "SELECT stream, source, position, field, reason FROM raw.dead_letter ORDER BY source, position";
    let letters = ask(&tool, "lake", letters).replace(&topic, "T").replace(&market, "M");
    let expected = "stream,source,position,field,reason\n\
        behaviour,kafka:T/1,100,,not JSON\n\
        behaviour,kafka:T/1,101,,an empty message\n\
        behaviour,kafka:T/1,102,,not UTF-8\n\
        behaviour,kafka:T/1,103,,not a JSON object\n\
        behaviour,kafka:T/1,104,event_time,not an RFC 3339 time or epoch microseconds\n\
        behaviour,kafka:T/1,105,event_type,not in the event catalogue\n\
        behaviour,kafka:T/2,100,,a message without a value (a tombstone)\n\
        market_factor,kafka:M/1,1,,not JSON\n";
    assert_eq!(letters, expected);
    let raw = "SELECT count(DISTINCT raw) AS n FROM raw.dead_letter";
    assert_eq!(ask(&tool, "lake", raw), "n\n7\n");
    // All of it is in the lake: there is nothing to join a group for.
    let versions = || ask(&tool, "lake", "SELECT count(*) AS n FROM raw.behaviour") + &status(&tool);
    let before = versions();
    let again = tool.run(&arguments).succeeded();
    assert!(again.out.contains("nothing new"), "{}", again.out);
    assert_eq!(versions(), before);
    assert!(before.contains(&format!("{topic},1,behaviour,206")), "{before}");
}

fn status(tool: &Tool) -> String {
    tool.run(&["lake", "status", "--topics", "--format", "csv"]).succeeded().out
}

/// How many commits of events the lake has.
pub(crate) fn commits(tool: &Tool) -> usize {
    let log = std::fs::read_dir(tool.path("lake/raw/behaviour/_delta_log"));
    log.map_or(0, |files| {
        files
            .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "json"))
            .count()
    })
}

/// Waits until the lake has more commits than these, however fast the machine is, or the ingester has ended.
pub(crate) fn wait_for_another_commit(tool: &Tool, before: usize, child: &mut Child) {
    let started = Instant::now();
    while commits(tool) <= before && child.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_mins(5), "no commit came");
        pause(1);
    }
}

#[test]
fn kills_at_any_instant_lose_and_double_nothing() {
    // A member with a name of its own is back at once after a kill.
    let tool = tool().variable("TIDELINE_KAFKA__PROPERTIES__GROUP__INSTANCE__ID", "one");
    let broker = broker();
    let topic = broker.topic("kills", 3);
    let events = events(0, 3_000);
    send(broker, &topic, &events);
    broker.send(&topic, POISON.iter().map(|poison| (0, Some(*poison))));
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    let (mut dice, mut partly) = (Dice(5), 0);
    for attempt in 0..8 {
        let before = commits(&tool);
        let mut child = tool.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        if attempt % 2 == 0 {
            pause(dice.roll(2_000));
        } else {
            wait_for_another_commit(&tool, before, &mut child);
            pause(dice.roll(20));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        partly += usize::from((1..3_000).contains(&rows(&tool)));
    }
    assert!(partly > 0, "no kill came between two commits: the test has lost its meaning");
    tool.run(&arguments).succeeded();
    assert_same_as_files(&tool, "lake", &events);
    let letters =
        ask(&tool, "lake", "SELECT count(*) AS n, count(DISTINCT position) AS d FROM raw.dead_letter");
    assert_eq!(letters, "n,d\n6,6\n");
}

pub(crate) fn start(tool: &Tool, arguments: &[&str]) -> Child {
    tool.command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// How many events the lake has.
pub(crate) fn rows(tool: &Tool) -> usize {
    let answer = tool.run(&["sql", "--format", "csv", "-c", "SELECT count(*) AS n FROM raw.behaviour"]);
    answer.out.lines().nth(1).map_or(0, |count| count.parse().unwrap())
}

/// Waits until the lake has so many events.
pub(crate) fn wait_for_rows(tool: &Tool, expected: usize) {
    let started = Instant::now();
    while rows(tool) != expected {
        assert!(started.elapsed() < Duration::from_mins(5), "{} rows instead of {expected}", rows(tool));
        pause(200);
    }
}

/// Ends an ingester as a service manager would; returns its exit status and what it said.
pub(crate) fn stop(child: Child) -> (i32, String) {
    let killed =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), text)
}

fn accepted(text: &str) -> usize {
    let line = text.lines().find_map(|line| line.strip_prefix("behaviour: ")).unwrap_or("0 records");
    line.split(' ').next().unwrap().replace(',', "").parse().unwrap()
}

#[test]
fn members_of_a_group_share_partitions_and_one_may_join_and_leave() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("shared", 3);
    let events = events(0, 900);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--group", "shared"];
    send(broker, &topic, &events[..300]);
    let first = start(&tool, &arguments);
    wait_for_rows(&tool, 300);
    let second = start(&tool, &arguments);
    // While it joins, and until both have something: the group decides when.
    let mut sent = 300;
    for _ in 0..10 {
        send(broker, &topic, &events[sent..sent + 30]);
        sent += 30;
        wait_for_rows(&tool, sent);
    }
    let (status, first) = stop(first);
    assert_eq!(status, 0, "{first}");
    send(broker, &topic, &events[sent..]);
    wait_for_rows(&tool, 900);
    let (status, second) = stop(second);
    assert_eq!(status, 0, "{second}");
    assert_eq!(accepted(&first) + accepted(&second), 900, "{first}\n{second}");
    assert!(accepted(&first) >= 300 && accepted(&second) >= 300, "{first}\n{second}");
    assert_same_as_files(&tool, "lake", &events);
}

#[test]
fn of_two_that_believe_they_hold_a_partition_one_commits() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("fenced", 3);
    let events = events(0, 2_000);
    send(broker, &topic, &events);
    let named = format!("behaviour={topic}");
    let mine = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end", "--group", "mine"];
    let theirs =
        ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end", "--group", "theirs"];
    let both = [start(&tool, &mine), start(&tool, &theirs)].map(|child| child.wait_with_output().unwrap());
    let text = |output: &std::process::Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    for output in &both {
        assert!(output.status.success(), "{}", text(output));
    }
    assert_eq!(both.iter().map(|output| accepted(&text(output))).sum::<usize>(), 2_000);
    assert_same_as_files(&tool, "lake", &events);
}

#[test]
fn transactions_count_once_they_are_kept_and_their_marks_are_no_records() {
    let (broker, tool) = (broker(), tool());
    let topic = broker.topic("marks", 1);
    let events = events(0, 40);
    broker.send_at_once(&topic, &events[..20], true);
    broker.send_at_once(&topic, &events[20..], false);
    let named = format!("behaviour={topic}");
    let arguments = ["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"];
    tool.run(&arguments).succeeded();
    assert_same_as_files(&tool, "lake", &events[..20]);
    // Twenty kept, twenty given up, and the mark of either end.
    assert!(status(&tool).contains(&format!("{topic},0,behaviour,42")), "{}", status(&tool));
    assert!(tool.run(&arguments).succeeded().out.contains("nothing new"));
}

#[test]
fn played_records_are_the_generated_ones() {
    let (broker, tool) = (broker(), tool());
    let world = ["--reps", "4", "--customers", "20", "--days", "3", "--events-per-day", "200", "--seed", "3"];
    let topic = broker.topic("played", 3);
    let named = format!("behaviour={topic}");
    let play = ["generate", "--kafka", &broker.address, "--topic", &named];
    let played = tool.run(&[&play[..], &world].concat()).succeeded();
    assert!(played.out.contains("records played"), "{}", played.out);
    tool.run(&["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"]).succeeded();
    tool.run(&[&["generate", "--out", "data"][..], &world].concat()).succeeded();
    let file = ["--lake", "of-files", "ingest", "--stream", "behaviour", "--from", "data/behaviour"];
    tool.run(&file).succeeded();
    // The generator sends some events twice: their copies are in no order.
    let rows = |lake: &str| {
        let answer = ask(&tool, lake, ALL_EVENTS);
        let mut rows: Vec<String> = answer.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    let (ours, theirs) = (rows("lake"), rows("of-files"));
    assert!(theirs.len() > 500);
    assert!(ours == theirs, "{} rows instead of {}", ours.len(), theirs.len());
}

#[test]
fn too_many_refused_records_stop_the_command_before_it_commits() {
    let (broker, tool) = (broker(), tool().variable("TIDELINE_KAFKA__REJECTED_SHARE_STOP", "0.5"));
    let topic = broker.topic("burst", 1);
    broker.send(&topic, (0..200).map(|_| (0, Some(&b"{broken"[..]))));
    let named = format!("behaviour={topic}");
    let answer = tool.run(&["ingest", "--kafka", &broker.address, "--topic", &named, "--until-end"]);
    assert_eq!(answer.status, 1, "{}", answer.err);
    assert!(answer.err.contains("not JSON; nothing of them was committed"), "{}", answer.err);
    assert_eq!(status(&tool).lines().count(), 1);
}

#[test]
fn what_is_wrong_with_the_broker_is_said() {
    let (broker, tool) = (broker(), tool().variable("TIDELINE_KAFKA__CONNECT_SECONDS", "1"));
    let nobody = tool.run(&["ingest", "--kafka", "127.0.0.1:1", "--until-end"]);
    assert_eq!(nobody.status, 75, "{}", nobody.err);
    assert!(nobody.err.contains("asking the brokers 127.0.0.1:1 for their topics"), "{}", nobody.err);
    let absent =
        tool.run(&["ingest", "--kafka", &broker.address, "--topic", "behaviour=no.such", "--until-end"]);
    assert_eq!(absent.status, 1, "{}", absent.err);
    assert!(absent.err.contains("there is no topic no.such at"), "{}", absent.err);
    let both = tool.run(&["ingest", "--kafka", "b:1", "--stream", "behaviour", "--from", "x"]);
    assert_eq!(both.status, 1, "{}", both.err);
}
