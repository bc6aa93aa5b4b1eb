//! Subcommands that work on a plain table instead of a lake.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ModelId, ModelName};

/// What to backtest.
#[derive(Debug, Subcommand)]
pub enum BacktestCommand {
    /// Quotas from a plain table of sales, over its last periods
    Quota(BacktestQuotaArgs),
    /// Models of leads, fitted again on the lake's history as they would have been on past days
    Leads(BacktestLeadsArgs),
}

/// Arguments of `backtest leads`.
#[derive(Debug, Args)]
pub struct BacktestLeadsArgs {
    /// The day whose end the history is looked at from [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<chrono::NaiveDate>,
    /// Past days that a model is fitted on, four looks apart: the latest whose outcome is known
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub origins: u32,
    /// Write a row per judged look, as Parquet
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `backtest quota`.
#[derive(Debug, Args)]
pub struct BacktestQuotaArgs {
    /// Instead of what the lake's reps signed, a table of sales, .csv or .parquet: `date`, `rep_id`, `region_id`, `amount`, and factors in any further columns of numbers
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// The day up to which the lake's history is read [default: yesterday]
    #[arg(long, value_name = "DATE", conflicts_with = "from")]
    pub as_of: Option<chrono::NaiveDate>,
    /// Periods, the last that the history covers
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=400))]
    pub periods: u32,
    /// What a quota covers; 13w counts blocks of 91 days back from the last day with sales
    #[arg(long, value_enum, default_value_t = BacktestPeriod::Quarter)]
    pub period: BacktestPeriod,
    /// Write a row per rep and period, as Parquet
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Write a page with plots that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// What a quota covers in a backtest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BacktestPeriod {
    /// Calendar months
    Month,
    /// Calendar quarters
    Quarter,
    /// Blocks of thirteen weeks
    #[value(name = "13w")]
    Weeks13,
}

/// Models of the lake, and of a table of one's own.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// List the models of the lake
    List,
    /// Show what a model of the lake was made of and how good it is
    Show(ModelId),
    /// Take a model of the lake into use
    Promote(ModelId),
    /// Take back the model in use, for the one before
    Rollback(ModelName),
    /// Learn how probable a yes-or-no column is from the others, and report how well that goes
    Fit(ModelFitArgs),
    /// Write the probability of each row of a table, with its interval and reasons
    Score(ModelScoreArgs),
}

/// Arguments of `model fit`.
#[derive(Debug, Args)]
pub struct ModelFitArgs {
    /// The table: a .csv (also .gz; comma, semicolon or tab) or .parquet file with one row per case
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// The column to learn: two values
    #[arg(long, value_name = "COL")]
    pub label: String,
    /// The value of the label whose probability is meant [default: the one of 1, true, yes … or the later in order]
    #[arg(long, value_name = "VALUE")]
    pub positive: Option<String>,
    /// A column that names the rows; no feature
    #[arg(long, value_name = "COL")]
    pub id: Option<String>,
    /// A column of dates or numbers that orders the rows in time; then validation looks forward only
    #[arg(long, value_name = "COL")]
    pub time: Option<String>,
    /// Columns to leave out
    #[arg(long, value_name = "COLS", value_delimiter = ',')]
    pub drop: Vec<String>,
    /// Keep rows back for a test: the last ones, or ones drawn at random (as numpy's `RandomState(seed).permutation`)
    #[arg(long, value_enum)]
    pub split: Option<SplitBy>,
    /// Seed of the random split and of all draws
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u32,
    /// Share of the rows kept back
    #[arg(long, value_name = "SHARE", default_value_t = 0.3, requires = "split")]
    pub test: f64,
    /// Folder for the model and its report
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Write id, label and probability of the test rows (without --split of the rows judged out of fold); its ending (.csv, .parquet …) decides the format
    #[arg(long, value_name = "FILE")]
    pub predictions: Option<PathBuf>,
}

/// Which rows are kept back for a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitBy {
    /// The last rows, in the given order or that of --time
    Time,
    /// Rows drawn at random
    Random,
}

/// Arguments of `model score`.
#[derive(Debug, Args)]
pub struct ModelScoreArgs {
    /// The folder that `model fit` wrote
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// The table to score
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// The file to write; its ending (.csv, .parquet …) decides the format
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
    /// Write the columns that move each row most, this many, with their log-odds
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub reasons: usize,
}
