//! The configuration: one TOML file over the defaults, the environment over the file, read once.
//!
//! A key that doesn't exist is an error that names file, line and the nearest key that does.

mod check;
mod kafka;
mod keys;
mod live;
mod model;
mod pg;
mod schedule;
mod secret;
mod serve;
mod trace;
mod webhook;

pub use kafka::Kafka;
pub(crate) use kafka::stream;
pub(crate) use keys::{located, nearest};
pub use live::Live;
pub use model::{Ltv, Model};
pub use pg::Pg;
pub use schedule::Schedule;
pub(crate) use secret::secret;
pub use serve::{Serve, TlsFiles};
pub use trace::Trace;
pub use webhook::{ChangeKind, Webhook};

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use engine::EngineError;
use engine::settings::{Factor, Health, Lead, Lifecycle, Pipeline, Process, Quota, Routing, Score, Settings};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// The file that is read when none is named.
pub const DEFAULT_FILE: &str = "tideline.toml";
/// The lake that is used when none is named.
pub const DEFAULT_LAKE: &str = "lake";
/// What every variable of ours begins with.
const PREFIX: &str = "TIDELINE_";

/// Everything that can be configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The lake's folder.
    pub lake: String,
    /// A team's own event catalogue instead of the one that comes with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<PathBuf>,
    /// The rules that act on quotas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<PathBuf>,
    /// IANA name of the business time zone.
    pub timezone: String,
    /// See [`Settings`].
    pub health: Health,
    /// See [`Settings`].
    pub lead: Lead,
    /// See [`Settings`].
    pub pipeline: Pipeline,
    /// See [`Settings`].
    pub process: Process,
    /// See [`Settings`].
    pub lifecycle: Lifecycle,
    /// See [`Settings`].
    pub factor: Factor,
    /// See [`Settings`].
    pub quota: Quota,
    /// See [`Settings`].
    pub routing: Routing,
    /// Models of leads.
    pub model: Model,
    /// What customers are worth.
    pub ltv: Ltv,
    /// Taking records in.
    pub ingest: Ingest,
    /// Taking streams in from Kafka.
    pub kafka: Kafka,
    /// The quotas of the running day.
    pub live: Live,
    /// Keeping the lake in order.
    pub maintain: Maintain,
    /// Answering HTTP.
    pub serve: Serve,
    /// Running jobs at their times.
    pub schedule: Schedule,
    /// What goes to standard error.
    pub log: Log,
    /// Traces for OpenTelemetry.
    pub trace: Trace,
    /// Whether file or environment name a time zone, rather than the default.
    #[serde(skip)]
    pub names_timezone: bool,
}

/// Taking records in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ingest {
    /// Records of one commit, at most.
    pub commit_rows: u64,
    /// Threads that decode; 0 for one per core.
    pub threads: usize,
    /// Share of rejected records from which on a command warns.
    pub rejected_share_warning: f64,
}

impl Default for Ingest {
    fn default() -> Self {
        Self { commit_rows: engine::ingest::CHUNK_ROWS, threads: 0, rejected_share_warning: 0.008 }
    }
}

/// Keeping the lake in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Maintain {
    /// Days for which files that nothing names any more stay on disk.
    pub keep_days: u32,
    /// Files smaller than this are folded, in MiB.
    pub fold_below_mib: u64,
}

impl Default for Maintain {
    fn default() -> Self {
        Self { keep_days: 7, fold_below_mib: 128 }
    }
}

/// What goes to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// One line of text, or one JSON object, per event.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    #[default]
    Text,
    /// For a program: one JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        let defaults = Settings::default();
        let Settings { timezone, health, lead, pipeline, process, lifecycle, factor, quota, routing, .. } =
            defaults;
        Self {
            lake: DEFAULT_LAKE.to_owned(),
            catalogue: None,
            rules: None,
            timezone,
            health,
            lead,
            pipeline,
            process,
            lifecycle,
            factor,
            quota,
            routing,
            model: Model::default(),
            ltv: Ltv::default(),
            ingest: Ingest::default(),
            kafka: Kafka::default(),
            live: Live::default(),
            maintain: Maintain::default(),
            serve: Serve::default(),
            schedule: Schedule::default(),
            log: Log::default(),
            trace: Trace::default(),
            names_timezone: false,
        }
    }
}

impl Config {
    /// Reads `file`, or [`DEFAULT_FILE`] where it exists and none is named, and applies the variables.
    ///
    /// # Errors
    /// [`EngineError::Input`] with file and line, or with the variable, and what would be right.
    pub fn load(file: Option<&Path>, variables: &[(String, String)]) -> anyhow::Result<Self> {
        let default = Path::new(DEFAULT_FILE);
        let file = file.or_else(|| default.exists().then_some(default));
        let text = match file {
            Some(path) => std::fs::read_to_string(path).map_err(|error| {
                input(format!("the configuration {} can't be read: {error}", path.display()))
            })?,
            None => String::new(),
        };
        let name = file.map_or_else(|| DEFAULT_FILE.to_owned(), |path| path.display().to_string());
        Self::parse(&name, &text, variables)
    }

    /// As [`Config::load`], of a text; `name` is for messages.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(name: &str, text: &str, variables: &[(String, String)]) -> anyhow::Result<Self> {
        let known = keys::Known::new()?;
        known.check_file(name, text)?;
        let from_file: Table = toml::from_str(text).map_err(|error| input(located(name, text, &error)))?;
        let mut table = Table::try_from(Self::default()).context("the default configuration is a table")?;
        let mut names_timezone = from_file.contains_key("timezone");
        overlay(&mut table, from_file);
        let mut config = Self::read(table.clone()).map_err(|message| {
            // The file alone knows its lines; it may lack what the defaults complete, though.
            let alone =
                toml::from_str::<Self>(text).err().filter(|error| !error.message().contains("missing field"));
            input(alone.map_or_else(|| format!("{name}: {message}"), |error| located(name, text, &error)))
        })?;
        for (variable, value) in variables {
            let Some(path) = known.path_of(variable)? else { continue };
            names_timezone |= path == ["timezone"];
            config =
                set(&mut table, &path, value).map_err(|message| input(format!("{variable}: {message}")))?;
        }
        config.names_timezone = names_timezone;
        check::check(&config).map_err(|message| input(format!("{name}: {message}")))?;
        Ok(config)
    }

    fn read(table: Table) -> Result<Self, String> {
        table.try_into().map_err(|error: toml::de::Error| keys::in_words(error.message()))
    }

    /// The part that decides published numbers.
    pub fn settings(&self) -> Settings {
        Settings {
            timezone: self.timezone.clone(),
            health: self.health.clone(),
            lead: self.lead.clone(),
            pipeline: self.pipeline.clone(),
            process: self.process.clone(),
            lifecycle: self.lifecycle.clone(),
            factor: self.factor.clone(),
            quota: self.quota.clone(),
            score: Score { grades: self.model.grades, margin_rate: self.ltv.margin_rate },
            routing: self.routing.clone(),
        }
    }
}

/// The variables of this process that begin with [`PREFIX`].
#[expect(clippy::disallowed_methods, reason = "this is where configuration is read")]
pub fn variables() -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX))
        .filter_map(|name| std::env::var(&name).ok().map(|value| (name, value)))
        .collect();
    found.sort();
    found
}

/// An error of the user's input.
fn input(message: String) -> EngineError {
    EngineError::Input(message)
}

/// Puts the values of `over` into `table`, section by section.
fn overlay(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(over)) => overlay(inner, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Sets one key: the text is taken as a TOML value where that fits, else as a string.
fn set(table: &mut Table, path: &[String], text: &str) -> Result<Config, String> {
    let as_toml =
        toml::from_str::<Table>(&format!("value = {text}")).ok().and_then(|mut one| one.remove("value"));
    let mut problem = String::new();
    for value in as_toml.into_iter().chain([Value::String(text.to_owned())]) {
        let mut tried = table.clone();
        let mut over = Table::new();
        nest(&mut over, path, value);
        overlay(&mut tried, over);
        match Config::read(tried.clone()) {
            Ok(config) => {
                *table = tried;
                return Ok(config);
            }
            Err(message) if problem.is_empty() => problem = message,
            Err(_) => {}
        }
    }
    Err(problem)
}

fn nest(table: &mut Table, path: &[String], value: Value) {
    match path {
        [] => {}
        [last] => {
            table.insert(last.clone(), value);
        }
        [first, rest @ ..] => {
            let mut inner = Table::new();
            nest(&mut inner, rest, value);
            table.insert(first.clone(), Value::Table(inner));
        }
    }
}

#[cfg(test)]
mod tests;
