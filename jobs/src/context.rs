//! What every subcommand is given: configuration, the lake's place, the present, and where output goes.

use std::path::Path;

use engine::EngineError;
use engine::catalogue::Catalogue;
use engine::lake::Lake;
use engine::settings::Settings;
use engine::time::{Day, Micros, Zone, date, day_number};

use crate::cli::Global;
use crate::config::Config;
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
        Ok(Self { config, now: now(), quiet: global.quiet })
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

/// The present, in microseconds since the epoch: read once per command, and once per commit by those that stay.
#[expect(clippy::disallowed_methods, reason = "the one place where the program looks at the clock")]
pub(crate) fn now() -> Micros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}
