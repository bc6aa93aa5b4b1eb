//! Subcommands about rules.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand};

/// Rules for quotas, in plain sentences.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Check a file of rules, and point at what is wrong
    Check(RulesFile),
    /// List the rules in the order in which they act
    List(RulesFile),
    /// Read every rule back, in English and Chinese
    Explain(RulesFile),
    /// Show whom each rule would have touched on the days published so far, and by how much
    Test(RulesTestArgs),
    /// List what rules can ask about, with units
    Words,
}

/// A file of rules.
#[derive(Debug, Args)]
pub struct RulesFile {
    /// The file [default: what the configuration says]
    pub file: Option<PathBuf>,
}

/// Arguments of `rules test`.
#[derive(Debug, Args)]
pub struct RulesTestArgs {
    /// The file [default: what the configuration says]
    pub file: Option<PathBuf>,
    /// The first day [default: 90 days before the last]
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// The last day [default: the newest published]
    #[arg(long, value_name = "DATE")]
    pub to: Option<NaiveDate>,
}
