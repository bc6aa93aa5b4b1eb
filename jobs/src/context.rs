//! What every subcommand is given: configuration, the lake's place, the present, and where output goes.

use std::path::Path;

use engine::EngineError;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::rule::{self, Book};
use engine::settings::Settings;
use engine::time::{Day, Micros, Zone, date, day_number};

use crate::cli::Global;
use crate::config::Config;
use crate::output;
use crate::progress::Progress;

/// What every subcommand is given.
#[derive(Debug, Clone)]
pub struct Context {
    /// The configuration, with the lake that the command line names.
    pub config: Config,
    /// When the command began.
    pub now: Micros,
    /// Whether only errors are told.
    pub quiet: bool,
    /// What the command line said before the subcommand.
    pub global: Global,
}

impl Context {
    /// Settles what the command line overrides.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the lake can only be reached over a network.
    pub fn new(mut config: Config, global: &Global) -> anyhow::Result<Self> {
        if let Some(lake) = &global.lake {
            config.lake.clone_from(lake);
        }
        config.lake = match config.lake.strip_prefix("file://") {
            Some(path) => path.to_owned(),
            None if config.lake.contains("://") => {
                let message =
                    format!("the lake {} is not a folder; this version keeps lakes in folders", config.lake);
                return Err(EngineError::Input(message).into());
            }
            None => config.lake,
        };
        if !config.names_timezone
            && let Some(recorded) = Lake::recorded_timezone(Path::new(&config.lake))
        {
            config.timezone = recorded;
        }
        Ok(Self { config, now: now(), quiet: global.quiet, global: global.clone() })
    }

    /// The same with another lake.
    #[must_use]
    pub fn with_lake(&self, root: &Path) -> Self {
        let mut other = self.clone();
        other.config.lake = root.to_string_lossy().into_owned();
        other
    }

    /// The lake's folder.
    pub fn lake_root(&self) -> &Path {
        Path::new(&self.config.lake)
    }

    /// Opens the lake.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where there is none.
    pub fn lake(&self) -> Result<Lake, EngineError> {
        Lake::open(self.lake_root(), &self.config.timezone)
    }

    /// Opens the lake, or makes it.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where the folder holds something else.
    pub fn lake_or_new(&self) -> Result<Lake, EngineError> {
        Lake::open_or_create(self.lake_root(), &self.config.timezone)
    }

    /// What decides published numbers.
    pub fn settings(&self) -> Settings {
        self.config.settings()
    }

    /// The event catalogue: the team's own, or the one that comes with the program.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the file can't be read, a catalogue error where it is wrong.
    pub fn catalogue(&self) -> anyhow::Result<Catalogue> {
        let Some(path) = &self.config.catalogue else { return Ok(Catalogue::builtin()?) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            EngineError::Input(format!("the event catalogue {} can't be read: {error}", path.display()))
        })?;
        Ok(Catalogue::from_toml(&text, &path.display().to_string())?)
    }

    /// The rules that act on quotas; none where the configuration names no file.
    ///
    /// # Errors
    /// As [`read_rules`].
    pub fn rules(&self) -> Result<Book, EngineError> {
        self.config.rules.as_deref().map_or_else(|| Ok(Book::default()), read_rules)
    }

    /// The day before today, in the business time zone.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an unknown zone.
    pub fn yesterday(&self) -> Result<Day, EngineError> {
        let zone = Zone::new(&self.config.timezone).map_err(EngineError::Input)?;
        Ok(zone.day(self.now) - 1)
    }

    /// A progress display for a command.
    pub fn progress(&self, command: &'static str) -> Progress {
        Progress::new(command, self.quiet)
    }

    /// `date` as a day number, refused where it is absurd.
    ///
    /// # Errors
    /// [`EngineError::Input`].
    pub fn day(&self, given: chrono::NaiveDate) -> Result<Day, EngineError> {
        let day = day_number(given);
        let zone = Zone::new(&self.config.timezone).map_err(EngineError::Input)?;
        let today = zone.day(self.now);
        if day > today {
            return Err(EngineError::Input(format!("{given} is in the future; today is {}", date(today))));
        }
        Ok(day)
    }
}

/// Faults of a file that are shown.
const FAULTS_SHOWN: usize = 20;

/// Reads a file of rules.
///
/// # Errors
/// [`EngineError::Input`] where it can't be read or holds faults, which are shown on standard error.
pub(crate) fn read_rules(path: &Path) -> Result<Book, EngineError> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| EngineError::Input(format!("the rules {name} can't be read: {error}")))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        EngineError::Input(format!("{name}, line {line}: not UTF-8; save the file as UTF-8"))
    })?;
    rule::read(&text).map_err(|faults| {
        // Each with its line and a mark beneath it; the rest of a long list helps nobody.
        faults
            .iter()
            .take(FAULTS_SHOWN)
            .for_each(|fault| output::note(&format!("{}\n", fault.show(&name, &text))));
        let n = faults.len();
        let noun = if n == 1 { "fault" } else { "faults" };
        let shown = if n > FAULTS_SHOWN {
            format!(", of which the first {FAULTS_SHOWN} are shown")
        } else {
            String::new()
        };
        EngineError::Input(format!("{name}: {n} {noun}{shown}"))
    })
}

/// The present, in microseconds since the epoch: read once per command, and once per commit by those that stay.
#[expect(clippy::disallowed_methods, reason = "the one place where the program looks at the clock")]
pub(crate) fn now() -> Micros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}
