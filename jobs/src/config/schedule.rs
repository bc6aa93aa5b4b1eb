//! The section `schedule`: which job runs when, and what becomes of one that fails.

use std::path::PathBuf;

use chrono_tz::Tz;
use croner::Cron;
use serde::{Deserialize, Serialize};

/// Running jobs at their times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// IANA name of the zone that the times are in; empty for the business time zone.
    pub timezone: String,
    /// When `tideline daily` runs, as a cron expression; empty for never. So with the others.
    pub daily: String,
    /// When `tideline train` runs.
    pub train: String,
    /// When `tideline lake maintain` runs.
    pub maintain: String,
    /// When `tideline export --all` runs.
    pub export: String,
    /// The folder that it writes to.
    pub export_to: PathBuf,
    /// Seconds by which a start is put off at most, another number each time.
    pub jitter_seconds: u32,
    /// How often a job that failed is tried again.
    pub retries: u32,
    /// Seconds before the first of them; doubled each time, up to an hour.
    pub backoff_seconds: f64,
    /// Days that are caught up with, at most, where none was published.
    pub catch_up_days: i32,
    /// Seconds that a job under way has to end when the schedule is stopped.
    pub stop_seconds: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            timezone: String::new(),
            daily: "30 2 * * *".to_owned(),
            train: String::new(),
            maintain: "30 4 * * 0".to_owned(),
            export: String::new(),
            export_to: PathBuf::new(),
            jitter_seconds: 0,
            retries: 3,
            backoff_seconds: 60.0,
            catch_up_days: 31,
            stop_seconds: 60,
        }
    }
}

impl Schedule {
    /// Each job's name and cron expression.
    pub(crate) fn expressions(&self) -> [(&'static str, &str); 4] {
        let Self { daily, train, maintain, export, .. } = self;
        [("daily", daily), ("train", train), ("maintain", maintain), ("export", export)]
    }

    /// Says which value is wrong, and what would be right.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.timezone.is_empty() && self.timezone.parse::<Tz>().is_err() {
            return Err(format!(
                "schedule.timezone: unknown time zone '{}'; use an IANA name",
                self.timezone
            ));
        }
        for (job, expression) in self.expressions() {
            if !expression.is_empty()
                && (expression.split_whitespace().count() != 5 || expression.parse::<Cron>().is_err())
            {
                return Err(format!(
                    "schedule.{job} must be a cron expression of five fields (minute hour day month weekday), e.g. \
                     \"30 2 * * *\", not \"{expression}\""
                ));
            }
        }
        if !self.export.is_empty() && self.export_to.as_os_str().is_empty() {
            return Err("schedule.export_to must name a folder where schedule.export says a time".to_owned());
        }
        if !(0.0..=3_600.0).contains(&self.backoff_seconds) {
            return Err("schedule.backoff_seconds must be between 0 and 3,600".to_owned());
        }
        if !(1..=3_660).contains(&self.catch_up_days) {
            return Err("schedule.catch_up_days must be between 1 and 3,660".to_owned());
        }
        Ok(())
    }
}
