//! Subcommands about models of a lake.

use chrono::NaiveDate;
use clap::Args;

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// The day whose end training looks from [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
}

/// A model of the lake.
#[derive(Debug, Args)]
pub struct ModelId {
    /// The model's id, or its beginning
    #[arg(value_name = "ID")]
    pub id: String,
}

/// Arguments of `model rollback`.
#[derive(Debug, Args)]
pub struct ModelName {
    /// What it is a model of
    #[arg(long, value_name = "NAME", default_value = crate::lead_model::LEAD)]
    pub of: String,
}
