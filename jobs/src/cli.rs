//! The command line: every subcommand with its arguments.

mod adjust;
mod model;
mod rules;
mod schedule;
mod serve;
mod table;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub use adjust::{
    AdjustCommand, AdjustCommentArgs, AdjustCounterArgs, AdjustDecideArgs, AdjustListArgs, AdjustRequestArgs,
    AdjustShowArgs, AdjustStatus, AdjustSuggestArgs, AdjustTerms,
};
pub use model::{ModelId, ModelName, TrainArgs};
pub use rules::{RulesCommand, RulesFile, RulesTestArgs};
pub use schedule::{ScheduleArgs, Task, Units};
pub use serve::{KeyAddArgs, KeyCommand, KeyRevokeArgs, Scope, ServeArgs};
pub use table::{
    BacktestCommand, BacktestLeadsArgs, BacktestPeriod, BacktestQuotaArgs, ModelCommand, ModelFitArgs,
    ModelScoreArgs, SplitBy,
};

use crate::config::LogFormat;

/// Sales quotas, lead and process health: recomputed every day from what happened, and explained to the cent.
#[derive(Debug, Parser)]
#[command(name = "tideline", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done, 1 input or configuration is wrong, 2 failed, 75 try again later."
)]
pub struct Cli {
    /// Options of every subcommand.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every subcommand.
#[derive(Debug, Clone, Default, Args)]
pub struct Global {
    /// The lake's folder [default: lake, or what the configuration says]
    #[arg(long, global = true, value_name = "DIR")]
    pub lake: Option<String>,
    /// The configuration [default: tideline.toml, where it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Log errors only, and show no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// The form of log lines on standard error
    #[arg(long, global = true, value_enum, value_name = "FORMAT")]
    pub log: Option<LogFormat>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make sample data, run two days on it, and show what comes out; needs nothing else
    Demo(DemoArgs),
    /// Make files of every stream from a seed, or play them into topics of Kafka
    Generate(GenerateArgs),
    /// Take files of a stream, or topics of Kafka, into the lake, each record once
    Ingest(IngestArgs),
    /// Turn a CRM's own export into records of the contract
    Import(ImportArgs),
    /// Compute and publish a day, or several
    Daily(DailyArgs),
    /// Fit the models of leads on the lake's history, and use them where they are better
    Train(TrainArgs),
    /// Make past forecasts again from what was known then, and hold them against what came
    #[command(subcommand)]
    Backtest(BacktestCommand),
    /// Say why a rep's quota is what it is, to the cent, or why a region's measure changed
    Explain(ExplainArgs),
    /// Ask the lake in SQL; without -c or -f a prompt
    Sql(SqlArgs),
    /// Write a published table to a file, or all marts to a folder
    Export(ExportArgs),
    /// The models of the lake; and models of a table of one's own
    #[command(subcommand)]
    Model(ModelCommand),
    /// Check and try the sentences that raise, lower, cap, floor or freeze quotas
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Ask for another quota, see who would pay for it, and decide
    #[command(subcommand)]
    Adjust(AdjustCommand),
    /// Try scenarios: quotas as they would be, beside those published
    Whatif(WhatifArgs),
    /// Compute a published run again from what it recorded, and compare every table
    Replay(ReplayArgs),
    /// Serve the CRM over HTTP, live quotas along a topic, or both
    Serve(ServeArgs),
    /// Make, list and revoke keys of the HTTP API
    #[command(subcommand)]
    Key(KeyCommand),
    /// Run jobs at their times, until stopped
    Schedule(ScheduleArgs),
    /// Look after the lake itself
    #[command(subcommand)]
    Lake(LakeCommand),
    /// Check configuration, lake and machine, and say what to do
    Doctor,
}

impl Command {
    /// The first word of the subcommand, for traces.
    pub(crate) fn name(&self) -> String {
        // Variants are named as subcommands are.
        let text = format!("{self:?}");
        text.chars().take_while(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
    }
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder for data and lake; the lake inside it is used instead of --lake
    #[arg(long, default_value = "tideline-demo")]
    pub dir: PathBuf,
    /// Reps
    #[arg(long, default_value_t = 60)]
    pub reps: u32,
    /// Days
    #[arg(long, default_value_t = 120)]
    pub days: u32,
}

/// Arguments of `generate`.
#[derive(Debug, Args)]
pub struct GenerateArgs {
    /// Folder to write to
    #[arg(long, required_unless_present = "kafka", conflicts_with = "kafka")]
    pub out: Option<PathBuf>,
    /// Play the records into topics of Kafka instead, which are made where they are missing: host:port
    #[arg(long, value_name = "BROKERS")]
    pub kafka: Option<String>,
    /// The topic of a stream; may be repeated [default: tideline.STREAM]
    #[arg(long, requires = "kafka", value_name = "STREAM=TOPIC")]
    pub topic: Vec<String>,
    /// Records a second; 0 for as many as go
    #[arg(long, requires = "kafka", value_name = "N", default_value_t = 0)]
    pub rate: u64,
    /// Partitions of a topic that is made
    #[arg(long, requires = "kafka", value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: i32,
    /// Reps
    #[arg(long, default_value_t = 200)]
    pub reps: u32,
    /// Customers
    #[arg(long, default_value_t = 5_000)]
    pub customers: u32,
    /// Leads over the whole period; 0 for as many as suit the rest
    #[arg(long, default_value_t = 0)]
    pub leads: u32,
    /// Days
    #[arg(long, default_value_t = 90)]
    pub days: u32,
    /// Mean of the behaviour events a day
    #[arg(long, default_value_t = 10_000)]
    pub events_per_day: u64,
    /// The last day
    #[arg(long, value_name = "DATE", default_value = "2026-03-31")]
    pub end: NaiveDate,
    /// Seed of every draw
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Format of the behaviour files
    #[arg(long, value_enum, default_value_t = SampleFormat::Ndjson)]
    pub format: SampleFormat,
    /// No duplicates, no late, out-of-order or broken records
    #[arg(long)]
    pub clean: bool,
}

/// Format of generated behaviour files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SampleFormat {
    /// One JSON object a line
    Ndjson,
    /// The same, gzip
    NdjsonGz,
    /// The same, Zstandard
    NdjsonZst,
    /// Comma-separated
    Csv,
    /// Parquet
    Parquet,
}

/// Arguments of `ingest`.
#[derive(Debug, Args)]
pub struct IngestArgs {
    /// `behaviour`, `market_factor`, or `crm.` and one of rep, customer, region, plan, product, calendar
    #[arg(long, required_unless_present = "kafka", conflicts_with = "kafka")]
    pub stream: Option<String>,
    /// Files, or folders of files: .ndjson, .json, .csv, .parquet, text also as .gz or .zst
    #[arg(long, required_unless_present = "kafka", conflicts_with = "kafka", num_args = 1.., value_name = "PATH")]
    pub from: Vec<PathBuf>,
    /// Take all streams from topics of Kafka instead, until stopped: host:port, several with commas
    #[arg(long, value_name = "BROKERS")]
    pub kafka: Option<String>,
    /// The topic of a stream; may be repeated [default: tideline.STREAM of every stream, where it exists]
    #[arg(long, requires = "kafka", value_name = "STREAM=TOPIC")]
    pub topic: Vec<String>,
    /// The consumer group; its members share the partitions [default: tideline, or what the configuration says]
    #[arg(long, requires = "kafka", value_name = "NAME")]
    pub group: Option<String>,
    /// Stop once everything is taken in that is in the topics now
    #[arg(long, requires = "kafka")]
    pub until_end: bool,
    /// Answer HTTP with metrics for Prometheus at a loopback address, e.g. 127.0.0.1:9187
    #[arg(long, requires = "kafka", value_name = "ADDR")]
    pub metrics: Option<std::net::SocketAddr>,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("how").required(true).args(["mapping", "preset", "show_preset"]))]
pub struct ImportArgs {
    /// The mapping file that says what the export's columns mean
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// A mapping that comes with the program
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(crate::import::preset::names()))]
    pub preset: Option<String>,
    /// Print a mapping that comes with the program, to adapt it
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(crate::import::preset::names()))]
    pub show_preset: Option<String>,
    /// The export: files, or folders of files
    #[arg(long, num_args = 1.., value_name = "PATH", required_unless_present = "show_preset")]
    pub from: Vec<PathBuf>,
    /// Write records of the contract to this folder instead of the lake
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Time zone of stamps that carry none [default: what the mapping says]
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
}

/// Arguments of `daily`.
#[derive(Debug, Args)]
pub struct DailyArgs {
    /// The day to compute [default: yesterday]
    #[arg(long, value_name = "DATE", conflicts_with_all = ["from", "to"])]
    pub as_of: Option<NaiveDate>,
    /// The first of several days
    #[arg(long, value_name = "DATE", requires = "to")]
    pub from: Option<NaiveDate>,
    /// The last of several days
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<NaiveDate>,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whose").required(true).args(["rep", "region", "manager", "company"]))]
pub struct ExplainArgs {
    /// The rep whose quota is to be explained
    #[arg(long, value_name = "ID")]
    pub rep: Option<String>,
    /// A region, of which a measure's change is to be explained
    #[arg(long, value_name = "ID", requires = "metric")]
    pub region: Option<String>,
    /// A manager, likewise
    #[arg(long, value_name = "ID", requires = "metric")]
    pub manager: Option<String>,
    /// The whole company, likewise
    #[arg(long, requires = "metric")]
    pub company: bool,
    /// The measure: `process_health` or one of its components, `touch_density`, `sla_share`, conversion, `revenue_per_rep` …
    #[arg(long, value_name = "NAME", conflicts_with = "rep")]
    pub metric: Option<String>,
    /// The day [default: the newest published]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// The day to compare with [default: the one published before]
    #[arg(long, value_name = "DATE")]
    pub since: Option<NaiveDate>,
}

/// Arguments of `whatif`.
#[derive(Debug, Args)]
pub struct WhatifArgs {
    /// The scenarios, a TOML file
    #[arg(long, value_name = "FILE")]
    pub scenario: PathBuf,
    /// The published day that they start from [default: the newest]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// How far down rows go
    #[arg(long, value_enum, default_value_t = WhatifBy::Region)]
    pub by: WhatifBy,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Table)]
    pub format: AnswerFormat,
    /// Write the rows to a file instead (.parquet, .arrow, .csv)
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How far down the rows of `whatif` go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum WhatifBy {
    /// The company alone
    Company,
    /// The company and every region
    Region,
    /// These and every rep
    Rep,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run's id, or its beginning [default: the newest]
    pub run: Option<String>,
    /// The day whose run is meant instead
    #[arg(long, value_name = "DATE", conflicts_with = "run")]
    pub as_of: Option<NaiveDate>,
}

/// Arguments of `sql`.
#[derive(Debug, Args)]
pub struct SqlArgs {
    /// Statements, separated by semicolons
    #[arg(short = 'c', long = "command", value_name = "QUERY", conflicts_with = "file")]
    pub command: Option<String>,
    /// A file of statements; - for standard input
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The form of answers
    #[arg(long, value_enum, default_value_t = AnswerFormat::Table)]
    pub format: AnswerFormat,
    /// Write the answer to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// The form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AnswerFormat {
    /// Columns side by side
    Table,
    /// Comma-separated, with a header
    Csv,
    /// One JSON array
    Json,
    /// One JSON object a line
    Ndjson,
    /// Arrow IPC stream
    Arrow,
    /// Parquet
    Parquet,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The table, e.g. mart.quota
    #[arg(long, required_unless_present = "all", conflicts_with = "all")]
    pub table: Option<String>,
    /// All marts of a day, as Parquet and Arrow files with a manifest
    #[arg(long)]
    pub all: bool,
    /// The day, for marts [default: the newest published]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// The file; its ending (.parquet, .arrow or .csv) decides the format. With --all a folder
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
}

/// Looking after the lake itself.
#[derive(Debug, Subcommand)]
pub enum LakeCommand {
    /// Fold small files, remove superseded runs, delete what nothing names any more
    Maintain(MaintainArgs),
    /// Show every table's version, files, rows and newest day
    Status(StatusArgs),
    /// Check that every file is there and whole, and that what it holds agrees with itself
    Verify,
}

/// Arguments of `lake maintain`.
#[derive(Debug, Args)]
pub struct MaintainArgs {
    /// Days for which files that nothing names any more stay on disk [default: 7, or what the configuration says]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub keep_days: Option<u32>,
}

/// Arguments of `lake status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Show instead how far each partition of a topic has been taken in
    #[arg(long)]
    pub topics: bool,
    /// The form of the answer
    #[arg(long, value_enum, default_value_t = AnswerFormat::Table)]
    pub format: AnswerFormat,
}
