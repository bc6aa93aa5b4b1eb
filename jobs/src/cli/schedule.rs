//! Running jobs at their times.

use clap::{Args, ValueEnum};

/// Arguments of `schedule`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("instead").args(["print", "run", "list"]))]
pub struct ScheduleArgs {
    /// Print units for a scheduler that is there already, instead
    #[arg(long, value_enum, value_name = "FOR")]
    pub print: Option<Units>,
    /// Run one job now, with its retries and missed days, instead
    #[arg(long, value_enum, value_name = "JOB")]
    pub run: Option<Task>,
    /// Show when each job runs next and how it went last, instead
    #[arg(long)]
    pub list: bool,
}

/// A scheduler that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Units {
    /// A service and a timer a job
    Systemd,
    /// A crontab
    Cron,
    /// A file of DAGs
    Airflow,
}

/// A job that runs at its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Task {
    /// `tideline daily`, also of days that were missed
    Daily,
    /// `tideline train`
    Train,
    /// `tideline lake maintain`
    Maintain,
    /// `tideline export --all`
    Export,
}

impl Task {
    /// All, in the order in which those due at one time run.
    pub(crate) const ALL: [Self; 4] = [Self::Daily, Self::Train, Self::Maintain, Self::Export];

    /// As in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Train => "train",
            Self::Maintain => "maintain",
            Self::Export => "export",
        }
    }
}
