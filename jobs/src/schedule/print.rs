//! The same jobs as units for a scheduler that is there already: systemd, cron, Airflow.
//!
//! Each calls `tideline schedule --run JOB`, which brings retries, missed days and the history along.

use std::ffi::OsString;
use std::fmt::Write as _;

use anyhow::Context as _;
use engine::EngineError;

use super::attempt::options;
use crate::cli::Units;
use crate::context::Context;

/// Weekdays as systemd names them, Sunday first and last.
const WEEKDAYS: [&str; 8] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// What a file of DAGs begins with.
const AIRFLOW_HEAD: &str = "\
import pendulum
from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator
";

/// The units as one text.
///
/// # Errors
/// [`EngineError::Input`] where no job has a time, or one that the scheduler can't say.
pub(crate) fn units(units: Units, context: &Context) -> anyhow::Result<String> {
    let settings = &context.config.schedule;
    let zone = if settings.timezone.is_empty() { &context.config.timezone } else { &settings.timezone };
    let folder = std::env::current_dir().context("asking for the folder")?;
    let folder = folder.to_string_lossy().into_owned();
    let program = std::env::current_exe().context("asking for the program's own path")?;
    let mut text = String::new();
    for (job, expression) in
        settings.expressions().into_iter().filter(|(_, expression)| !expression.is_empty())
    {
        let mut words: Vec<OsString> = vec![program.clone().into_os_string()];
        words.extend(options(context));
        words.extend(["schedule", "--run", job].map(OsString::from));
        let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        let unit =
            Unit { job, expression, zone, folder: &folder, words: &words, jitter: settings.jitter_seconds };
        let part = match units {
            Units::Systemd => unit.systemd()?,
            Units::Cron => unit.cron(),
            Units::Airflow => unit.airflow(text.is_empty()),
        };
        text.push_str(&part);
    }
    if text.is_empty() {
        let message =
            "no job has a time; write one under [schedule] in the configuration, e.g. daily = \"30 2 * * *\"";
        return Err(EngineError::Input(message.to_owned()).into());
    }
    Ok(text.trim_end().to_owned())
}

/// One job.
struct Unit<'a> {
    job: &'static str,
    expression: &'a str,
    zone: &'a str,
    folder: &'a str,
    words: &'a [String],
    jitter: u32,
}

impl Unit<'_> {
    fn systemd(&self) -> Result<String, EngineError> {
        let Self { job, zone, folder, jitter, .. } = self;
        let calendar = calendar(self.expression).ok_or_else(|| {
            EngineError::Input(format!(
                "schedule.{job}: systemd can't say \"{}\", which means a day of the month or a weekday; use only one of \
                 the two, or `tideline schedule` itself",
                self.expression
            ))
        })?;
        // A percent sign begins a specifier, a dollar sign a variable.
        let quote = |word: &String| {
            let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
            format!("\"{word}\"")
        };
        let command: Vec<String> = self.words.iter().map(quote).collect();
        let folder = folder.replace('%', "%%");
        let mut text =
            format!("# /etc/systemd/system/tideline-{job}.service\n[Unit]\nDescription=Tideline: {job}\n\n");
        let service = format!(
            "[Service]\nType=oneshot\nWorkingDirectory={folder}\nExecStart={}\nTimeoutStopSec=90\n\n",
            command.join(" ")
        );
        let timer = format!(
            "# /etc/systemd/system/tideline-{job}.timer\n[Unit]\nDescription=Tideline: {job}\n\n[Timer]\nOnCalendar={calendar} \
             {zone}\nRandomizedDelaySec={jitter}\nPersistent=true\n\n[Install]\nWantedBy=timers.target\n\n"
        );
        text.push_str(&service);
        text.push_str(&timer);
        Ok(text)
    }

    fn cron(&self) -> String {
        let command: Vec<String> = self.words.iter().map(|word| shell(word)).collect();
        // A percent sign ends a crontab's command.
        let command = format!("cd {} && {}", shell(self.folder), command.join(" ")).replace('%', "\\%");
        format!("CRON_TZ={}\n{} {command}\n", self.zone, self.expression)
    }

    fn airflow(&self, first: bool) -> String {
        let Self { job, expression, zone, folder, .. } = self;
        let mut text = String::new();
        if first {
            text.push_str(AIRFLOW_HEAD);
        }
        let command: Vec<String> = self.words.iter().map(|word| shell(word)).collect();
        // JSON texts are Python texts, and Airflow sees a template in double braces.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let bash = quoted(&format!("{{% raw %}}{}{{% endraw %}}", command.join(" ")));
        let start = format!("pendulum.datetime(2026, 1, 1, tz={})", quoted(zone));
        let dag = format!(
            "\nwith DAG(\n    dag_id=\"tideline_{job}\",\n    schedule={},\n    start_date={start},\n    catchup=False,\n    \
             max_active_runs=1,\n    tags=[\"tideline\"],\n):\n    BashOperator(task_id={}, cwd={}, bash_command={bash})\n",
            quoted(expression),
            quoted(job),
            quoted(folder)
        );
        text.push_str(&dag);
        text
    }
}

/// A word that a shell takes as it is.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':' | '=' | ',');
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A cron expression as systemd says times; none where it has no way to.
fn calendar(expression: &str) -> Option<String> {
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields.as_slice() else { return None };
    // Of days and weekdays cron takes either, systemd both.
    if *day != "*" && *weekday != "*" {
        return None;
    }
    let weekdays = if *weekday == "*" { String::new() } else { format!("{} ", each(weekday, None)?) };
    let (day, month) = (each(day, Some(1))?, each(month, Some(1))?);
    let (minute, hour) = (each(minute, Some(0))?, each(hour, Some(0))?);
    Some(format!("{weekdays}*-{month}-{day} {hour}:{minute}:00"))
}

/// A field's parts; weekdays where there is no first value.
fn each(field: &str, first: Option<u32>) -> Option<String> {
    let parts: Option<Vec<String>> = field.split(',').map(|part| one(part, first)).collect();
    Some(parts?.join(","))
}

fn one(part: &str, first: Option<u32>) -> Option<String> {
    let value = |text: &str| -> Option<String> {
        let number: usize = match text.parse() {
            Ok(number) => number,
            Err(_) if first.is_none() => WEEKDAYS.iter().position(|name| name.eq_ignore_ascii_case(text))?,
            Err(_) => return None,
        };
        let mut found = String::new();
        match first {
            Some(_) => write!(found, "{number:02}").ok()?,
            None => found.push_str(WEEKDAYS.get(number)?),
        }
        Some(found)
    };
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let step = match step {
        // Weekdays know no steps.
        Some(_) if first.is_none() => return None,
        Some(step) => format!("/{}", step.parse::<u32>().ok()?),
        None => String::new(),
    };
    if range == "*" {
        return Some(if step.is_empty() { "*".to_owned() } else { format!("{:02}{step}", first?) });
    }
    match range.split_once('-') {
        Some((from, to)) => Some(format!("{}..{}{step}", value(from)?, value(to)?)),
        None => Some(format!("{}{step}", value(range)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cron_expressions_become_calendars() {
        for (cron, expected) in [
            ("30 2 * * *", Some("*-*-* 02:30:00")),
            ("*/15 8-18 * * 1-5", Some("Mon..Fri *-*-* 08..18:00/15:00")),
            ("0 6 1,15 * *", Some("*-*-01,15 06:00:00")),
            ("5 4 * 3-9/2 sun", Some("Sun *-03..09/2-* 04:05:00")),
            ("0 0 */10 * *", Some("*-*-01/10 00:00:00")),
            ("0 3 1 * 1", None),
            ("0 3 L * *", None),
            ("0 3 * * */2", None),
        ] {
            assert_eq!(calendar(cron).as_deref(), expected, "{cron}");
        }
    }

    #[test]
    fn words_reach_a_shell_as_they_are() {
        assert_eq!(shell("/opt/tideline"), "/opt/tideline");
        assert_eq!(shell("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(shell(""), "''");
    }
}
