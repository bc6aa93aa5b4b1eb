//! Subcommands about adjustments of quotas.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

/// Asking for another quota, and deciding on it.
#[derive(Debug, Subcommand)]
pub enum AdjustCommand {
    /// Ask that a rep's quota become an amount, or so many percent more or less
    Request(AdjustRequestArgs),
    /// Say something about a request
    Comment(AdjustCommentArgs),
    /// Agree to the terms proposed last, after a look at who pays for it
    Approve(AdjustDecideArgs),
    /// Propose other terms
    Counter(AdjustCounterArgs),
    /// Turn a request down
    Reject(AdjustDecideArgs),
    /// List requests
    List(AdjustListArgs),
    /// Show a request with all that happened, and who would pay for it
    Show(AdjustShowArgs),
    /// Propose rules that would do what keeps being approved; a person accepts them, one by one
    Suggest(AdjustSuggestArgs),
}

/// What the quota should become.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct AdjustTerms {
    /// This amount, which the plan doesn't scale
    #[arg(long, value_name = "AMOUNT")]
    pub to: Option<String>,
    /// So many percent more, or less: -10
    #[arg(long, value_name = "PERCENT", allow_hyphen_values = true)]
    pub percent: Option<f64>,
}

/// Arguments of `adjust request`.
#[derive(Debug, Args)]
pub struct AdjustRequestArgs {
    /// The rep
    #[arg(long, value_name = "ID")]
    pub rep: String,
    /// What the quota should become
    #[command(flatten)]
    pub terms: AdjustTerms,
    /// Who asks
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where the evidence is: an address or a reference
    #[arg(long, value_name = "TEXT")]
    pub evidence: Option<String>,
    /// The period, 2026-11 or 2026-Q4 [default: that of the newest published day]
    #[arg(long, value_name = "PERIOD")]
    pub period: Option<String>,
    /// The first day on which it acts [default: the newest published day when it is approved]
    #[arg(long, value_name = "DATE")]
    pub from: Option<NaiveDate>,
    /// The last day on which it acts [default: the period's last]
    #[arg(long, value_name = "DATE")]
    pub until: Option<NaiveDate>,
    /// Nobody else pays: the region's quotas miss its plan by it
    #[arg(long)]
    pub beyond_plan: bool,
}

/// Arguments of `adjust comment`.
#[derive(Debug, Args)]
pub struct AdjustCommentArgs {
    /// The request
    pub id: String,
    /// Who says it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// What
    #[arg(value_name = "TEXT")]
    pub text: String,
}

/// Arguments of `adjust approve` and `adjust reject`.
#[derive(Debug, Args)]
pub struct AdjustDecideArgs {
    /// The request
    pub id: String,
    /// Who decides
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Don't ask whether to go on
    #[arg(long, short = 'y')]
    pub yes: bool,
}

/// Arguments of `adjust counter`.
#[derive(Debug, Args)]
pub struct AdjustCounterArgs {
    /// The request
    pub id: String,
    /// What the quota should become instead
    #[command(flatten)]
    pub terms: AdjustTerms,
    /// Who proposes it
    #[arg(long, value_name = "NAME")]
    pub by: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// Arguments of `adjust list`.
#[derive(Debug, Args)]
pub struct AdjustListArgs {
    /// Only those of a rep
    #[arg(long, value_name = "ID")]
    pub rep: Option<String>,
    /// Only those that have come so far
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Option<AdjustStatus>,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AdjustStatus {
    /// Nobody has decided, on the first terms or on others
    Open,
    /// Agreed to
    Approved,
    /// Turned down
    Rejected,
}

/// Arguments of `adjust show`.
#[derive(Debug, Args)]
pub struct AdjustShowArgs {
    /// The request
    pub id: String,
}

/// Arguments of `adjust suggest`.
#[derive(Debug, Args)]
pub struct AdjustSuggestArgs {
    /// The first day that requests looked at [default: a year before the newest published]
    #[arg(long, value_name = "DATE")]
    pub since: Option<NaiveDate>,
    /// Approvals that a pattern takes at least
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(2..))]
    pub min: u16,
    /// Append the proposal of this number to a file of rules
    #[arg(long, value_name = "N", requires = "by", value_parser = clap::value_parser!(u16).range(1..))]
    pub accept: Option<u16>,
    /// That file [default: what the configuration says]
    #[arg(long, value_name = "FILE", requires = "accept")]
    pub to: Option<PathBuf>,
    /// Who accepts it and answers for the rule from then on
    #[arg(long, value_name = "NAME", requires = "accept")]
    pub by: Option<String>,
}
