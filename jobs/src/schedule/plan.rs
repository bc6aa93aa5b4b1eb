//! When each job is due: cron expressions in a time zone.

use chrono::{DateTime, SecondsFormat, TimeZone as _};
use chrono_tz::Tz;
use croner::Cron;
use engine::EngineError;
use engine::time::{Micros, SECOND};

use crate::cli::Task;
use crate::config::Config;

/// When each job is due.
#[derive(Debug)]
pub(super) struct Plan {
    zone: Tz,
    jitter_seconds: u32,
    times: Vec<(Task, Cron)>,
}

impl Plan {
    pub(super) fn new(config: &Config) -> Result<Self, EngineError> {
        let settings = &config.schedule;
        let name = if settings.timezone.is_empty() { &config.timezone } else { &settings.timezone };
        let unknown = |_| EngineError::Input(format!("unknown time zone '{name}'"));
        let zone: Tz = name.parse().map_err(unknown)?;
        let mut times = Vec::new();
        for (task, (job, expression)) in Task::ALL.into_iter().zip(settings.expressions()) {
            if !expression.is_empty() {
                let cron = expression.parse::<Cron>();
                times.push((
                    task,
                    cron.map_err(|error| EngineError::Input(format!("schedule.{job}: {error}")))?,
                ));
            }
        }
        Ok(Self { zone, jitter_seconds: settings.jitter_seconds, times })
    }

    /// The jobs that have a time.
    pub(super) fn tasks(&self) -> impl Iterator<Item = Task> {
        self.times.iter().map(|(task, _)| *task)
    }

    /// The first time of a job after an instant.
    pub(super) fn next(&self, task: Task, after: Micros) -> Option<Micros> {
        let found = self.cron(task)?.find_next_occurrence(&self.local(after)?, false).ok()?;
        Some(found.timestamp_micros())
    }

    /// The last time of a job up to an instant.
    pub(super) fn previous(&self, task: Task, until: Micros) -> Option<Micros> {
        let found = self.cron(task)?.find_previous_occurrence(&self.local(until)?, true).ok()?;
        Some(found.timestamp_micros())
    }

    /// When the first time of a job after an instant begins: the time, and what it is put off by.
    pub(super) fn start(&self, task: Task, after: Micros) -> Option<Micros> {
        let due = self.next(task, after)?;
        if self.jitter_seconds == 0 {
            return Some(due);
        }
        // Another number for each job, time and machine, without a source of chance.
        let mut hasher = blake3::Hasher::new();
        hasher.update(task.name().as_bytes()).update(&due.to_le_bytes());
        hasher.update(&std::process::id().to_le_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        let seconds = u32::from_le_bytes([a, b, c, d]) % (self.jitter_seconds + 1);
        Some(due + i64::from(seconds) * SECOND)
    }

    /// An instant in the plan's zone.
    pub(super) fn show(&self, at: Micros) -> String {
        self.local(at).map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    fn cron(&self, task: Task) -> Option<&Cron> {
        self.times.iter().find(|(known, _)| *known == task).map(|(_, cron)| cron)
    }

    fn local(&self, at: Micros) -> Option<DateTime<Tz>> {
        self.zone.timestamp_micros(at).single()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(daily: &str, zone: &str) -> Plan {
        let text = format!(
            "timezone = \"UTC\"\n[schedule]\ndaily = \"{daily}\"\ntimezone = \"{zone}\"\nmaintain = \"\"\n"
        );
        Plan::new(&Config::parse("t.toml", &text, &[]).unwrap()).unwrap()
    }

    fn at(text: &str) -> Micros {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn times_are_those_of_the_zone_also_when_clocks_change() {
        for (daily, zone, after, expected) in [
            ("30 2 * * *", "Asia/Shanghai", "2026-03-01T00:00:00+08:00", "2026-03-01T02:30:00+08:00"),
            ("30 2 * * *", "Asia/Shanghai", "2026-03-01T02:30:00+08:00", "2026-03-02T02:30:00+08:00"),
            ("0 6 * * 1-5", "", "2026-03-06T06:00:00Z", "2026-03-09T06:00:00Z"),
            ("0 6 1 * *", "Europe/Berlin", "2026-03-02T00:00:00Z", "2026-04-01T06:00:00+02:00"),
            ("*/20 * * * *", "", "2026-03-01T00:05:00Z", "2026-03-01T00:20:00Z"),
        ] {
            let next = plan(daily, zone).next(Task::Daily, at(after)).unwrap();
            assert_eq!(next, at(expected), "{daily} {zone}");
        }
        // 02:30 isn't there on that day in Berlin; the job runs once nevertheless, and the next day in time.
        let berlin = plan("30 2 * * *", "Europe/Berlin");
        let skipped = berlin.next(Task::Daily, at("2026-03-28T12:00:00Z")).unwrap();
        assert!(
            (at("2026-03-29T00:00:00Z")..at("2026-03-29T04:00:00Z")).contains(&skipped),
            "{}",
            berlin.show(skipped)
        );
        assert_eq!(berlin.next(Task::Daily, skipped).unwrap(), at("2026-03-30T02:30:00+02:00"));
        // And 02:30 is there twice on that one.
        let first = berlin.next(Task::Daily, at("2026-10-24T12:00:00Z")).unwrap();
        assert_eq!(berlin.next(Task::Daily, first).unwrap(), at("2026-10-26T02:30:00+01:00"));
        let shanghai = plan("30 2 * * *", "Asia/Shanghai");
        assert_eq!(
            shanghai.previous(Task::Daily, at("2026-03-01T02:30:00+08:00")),
            Some(at("2026-03-01T02:30:00+08:00"))
        );
        assert_eq!(
            shanghai.previous(Task::Daily, at("2026-03-01T02:29:59+08:00")),
            Some(at("2026-02-28T02:30:00+08:00"))
        );
        assert_eq!(shanghai.next(Task::Train, 0), None);
    }

    #[test]
    fn a_start_is_put_off_by_no_more_than_it_may() {
        let mut plan = plan("* * * * *", "");
        plan.jitter_seconds = 30;
        let mut seen = std::collections::BTreeSet::new();
        for minute in 0..60 {
            let after = minute * 60 * SECOND;
            let late = plan.start(Task::Daily, after).unwrap() - plan.next(Task::Daily, after).unwrap();
            assert!((0..=30 * SECOND).contains(&late));
            seen.insert(late);
        }
        assert!(seen.len() > 5, "{seen:?}");
    }
}
