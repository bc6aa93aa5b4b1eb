//! The running day over a real broker: what the topics show is what a daily run publishes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use engine::catalogue::Catalogue;
use engine::ingest::MessageReader;
use engine::lake::Lake;
use engine::time::{Day, day_number, parse_rfc3339};

use super::broker::{Broker, broker};
use super::guarantees::Dice;
use super::kafka::{ask, start, stop};
use super::tool::Tool;

const DAY: &str = "2026-02-12";
const BEFORE: &str = "2026-02-11";
const STREAMS: [&str; 6] =
    ["market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"];
const RULES: &str = "name: busy\nwhen customers > 8 then raise quota by 5%, red alert \"busy\"\n";

/// A company, the events of its closed days in a file, those of the running day, and late ones.
struct World {
    tool: Tool,
    topic: String,
    stream: Vec<String>,
    late: Vec<String>,
}

impl World {
    fn new(broker: &Broker, name: &'static str) -> Self {
        let topic = broker.topic(name, 3);
        let leaked =
            |suffix: &str| -> &'static str { Box::leak(format!("{topic}.{suffix}").into_boxed_str()) };
        let tool = Tool::new()
            .file("rules.txt", RULES)
            .file("tideline.toml", "rules = \"rules.txt\"\n")
            .variable("TIDELINE_LIVE__QUOTA_TOPIC", leaked("quota"))
            .variable("TIDELINE_LIVE__ALERT_TOPIC", leaked("alert"))
            .variable("TIDELINE_LIVE__EMIT_SECONDS", "0.1")
            .variable("TIDELINE_LIVE__REFRESH_SECONDS", "0.5");
        let scale = data_samples::sample_scale();
        data_samples::generate(&scale, &tool.path("data"), data_samples::Format::Ndjson, &mut |_| {})
            .unwrap();
        let mut files: Vec<_> = std::fs::read_dir(tool.path("data/behaviour"))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        let lake = Lake::open_or_create(&tool.path("lake"), "Asia/Shanghai").unwrap();
        let mut reader = MessageReader::new(&lake, &Catalogue::builtin().unwrap()).unwrap();
        let mut day_of = |line: &str| -> Option<Day> {
            reader.read(Some(line.as_bytes()));
            let read = reader.finish(parse_rfc3339("2026-11-01T00:00:00Z").unwrap()).unwrap();
            read.rows.first().map(|(day, _)| *day)
        };
        let day = day_number(DAY.parse().unwrap());
        let (mut closed, mut stream, mut delayed) = (Vec::new(), Vec::new(), Vec::new());
        for file in files {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                match day_of(line) {
                    Some(other) if other == day => stream.push(line.to_owned()),
                    Some(other) if other == day - 2 && delayed.len() < 40 => delayed.push(line.to_owned()),
                    Some(other) if other > day => {}
                    _ => closed.push(line.to_owned()),
                }
            }
        }
        assert!(stream.len() > 100 && delayed.len() == 40, "{}", stream.len());
        std::fs::write(tool.path("closed.ndjson"), closed.join("\n")).unwrap();
        let world = Self { tool, topic, stream, late: delayed };
        world.lake("lake");
        world
    }

    /// A lake of the closed days, with the day before published.
    fn lake(&self, lake: &str) {
        for stream in STREAMS {
            let path = self.tool.path("data").join(stream);
            let from =
                if path.is_dir() { path } else { self.tool.path("data").join(format!("{stream}.ndjson")) };
            let from = from.to_str().unwrap();
            self.tool.run(&["--lake", lake, "ingest", "--stream", stream, "--from", from]).succeeded();
        }
        self.tool
            .run(&["--lake", lake, "ingest", "--stream", "behaviour", "--from", "closed.ndjson"])
            .succeeded();
        self.tool.run(&["--lake", lake, "daily", "--as-of", BEFORE]).succeeded();
    }

    fn send(&self, broker: &Broker, lines: &[String]) {
        let messages = (0..3).cycle().zip(lines).map(|(partition, line)| (partition, Some(line.as_bytes())));
        broker.send(&self.topic, messages);
    }

    fn named(&self) -> String {
        format!("behaviour={}", self.topic)
    }

    /// Quotas and alerts as a daily run publishes them, over the same events from files.
    fn daily(&self, lines: &[String]) -> (BTreeMap<String, String>, Vec<String>) {
        self.lake("of-files");
        std::fs::write(self.tool.path("day.ndjson"), lines.join("\n")).unwrap();
        let from = ["--lake", "of-files", "ingest", "--stream", "behaviour", "--from", "day.ndjson"];
        self.tool.run(&from).succeeded();
        self.tool.run(&["--lake", "of-files", "daily", "--as-of", DAY]).succeeded();
        let query = format!(
            "SELECT rep_id || '/' || period AS key, quota, expected, low, high, attained, proposal, bound \
             FROM mart.quota WHERE as_of = DATE '{DAY}'"
        );
        let rows = ask(&self.tool, "of-files", &query);
        let quotas = rows
            .lines()
            .skip(1)
            .filter_map(|row| row.split_once(','))
            .map(|(key, rest)| (key.to_owned(), rest.to_owned()));
        let query = format!(
            "SELECT rule || '/' || scope_id AS key FROM mart.alert WHERE as_of = DATE '{DAY}' AND scope = 'rep' \
             AND rule IN ('busy', 'process_health_red') ORDER BY key"
        );
        let alerts = ask(&self.tool, "of-files", &query);
        (quotas.collect(), alerts.lines().skip(1).map(str::to_owned).collect())
    }
}

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
    std::fs::remove_dir_all(world.tool.path("of-files")).unwrap();
    wait_for(broker, &world.topic, &world.daily(&all));
    let (status, said) = stop(second);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("40 of earlier days left to the lake"), "{said}");
    assert!(said.contains("a newer state serves"), "{said}");
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
