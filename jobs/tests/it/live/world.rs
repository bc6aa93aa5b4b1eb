//! A company whose closed days are in a lake, and what happens on its running day.

use std::collections::BTreeMap;
use std::path::Path;

use engine::catalogue::Catalogue;
use engine::ingest::MessageReader;
use engine::lake::Lake;
use engine::time::{Day, day_number, parse_rfc3339};

use crate::broker::Broker;
use crate::kafka::ask;
use crate::tool::Tool;

pub(super) const DAY: &str = "2026-02-12";
pub(super) const BEFORE: &str = "2026-02-11";
const STREAMS: [&str; 6] =
    ["market_factor", "crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"];
const RULES: &str = "name: busy\nwhen customers > 8 then raise quota by 5%, red alert \"busy\"\n";

/// A company, the events of its closed days in a file, those of the running day, and late ones.
pub(super) struct World {
    pub(super) tool: Tool,
    pub(super) topic: String,
    pub(super) stream: Vec<String>,
    pub(super) late: Vec<String>,
}

impl World {
    pub(super) fn new(broker: &Broker, name: &'static str) -> Self {
        Self::of(broker, name, &data_samples::sample_scale(), &|_| {})
    }

    /// Of so many people and days, with more in its lake than events and entities.
    pub(super) fn of(
        broker: &Broker,
        name: &'static str,
        scale: &data_samples::Scale,
        more: &dyn Fn(&Tool),
    ) -> Self {
        let topic = broker.topic(name, 3);
        let leaked =
            |suffix: &str| -> &'static str { Box::leak(format!("{topic}.{suffix}").into_boxed_str()) };
        let tool = Tool::new()
            .file("rules.txt", RULES)
            .file("tideline.toml", "rules = \"rules.txt\"\n")
            // Of few rows, so that fitting doesn't take minutes.
            .variable("TIDELINE_MODEL__STEP_DAYS", "10")
            .variable("TIDELINE_MODEL__ROWS_MAX", "1500")
            .variable("TIDELINE_LIVE__QUOTA_TOPIC", leaked("quota"))
            .variable("TIDELINE_LIVE__ALERT_TOPIC", leaked("alert"))
            .variable("TIDELINE_LIVE__EMIT_SECONDS", "0.1")
            .variable("TIDELINE_LIVE__REFRESH_SECONDS", "0.5");
        data_samples::generate(scale, &tool.path("data"), data_samples::Format::Ndjson, &mut |_| {}).unwrap();
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
        world.lake();
        more(&world.tool);
        copy(&world.tool.path("lake"), &world.tool.path("closed"));
        world
    }

    /// A lake of the closed days, with the day before published.
    fn lake(&self) {
        for stream in STREAMS {
            let path = self.tool.path("data").join(stream);
            let from =
                if path.is_dir() { path } else { self.tool.path("data").join(format!("{stream}.ndjson")) };
            let from = from.to_str().unwrap();
            self.tool.run(&["ingest", "--stream", stream, "--from", from]).succeeded();
        }
        self.tool.run(&["ingest", "--stream", "behaviour", "--from", "closed.ndjson"]).succeeded();
        self.tool.run(&["daily", "--as-of", BEFORE]).succeeded();
    }

    pub(super) fn send(&self, broker: &Broker, lines: &[String]) {
        let messages = (0..3).cycle().zip(lines).map(|(partition, line)| (partition, Some(line.as_bytes())));
        broker.send(&self.topic, messages);
    }

    pub(super) fn named(&self) -> String {
        format!("behaviour={}", self.topic)
    }

    /// Quotas and alerts as a daily run publishes them, over the same events from files.
    pub(super) fn daily(&self, lines: &[String]) -> (BTreeMap<String, String>, Vec<String>) {
        self.daily_after(lines, &[])
    }

    /// The same after another command.
    pub(super) fn daily_after(
        &self,
        lines: &[String],
        command: &[&str],
    ) -> (BTreeMap<String, String>, Vec<String>) {
        drop(std::fs::remove_dir_all(self.tool.path("of-files")));
        copy(&self.tool.path("closed"), &self.tool.path("of-files"));
        std::fs::write(self.tool.path("day.ndjson"), lines.join("\n")).unwrap();
        let from = ["--lake", "of-files", "ingest", "--stream", "behaviour", "--from", "day.ndjson"];
        self.tool.run(&from).succeeded();
        if !command.is_empty() {
            self.tool.run(&[&["--lake", "of-files"], command].concat()).succeeded();
        }
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

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
