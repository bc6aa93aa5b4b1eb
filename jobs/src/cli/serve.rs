//! Serving over HTTP and along a topic, and the keys that admit.

use std::net::SocketAddr;

use chrono::NaiveDate;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(true).args(["http", "pg", "kafka"])))]
pub struct ServeArgs {
    /// Answer HTTP at an address, e.g. 127.0.0.1:8080; port 0 for any free one
    #[arg(long, value_name = "ADDR")]
    pub http: Option<SocketAddr>,
    /// Answer SQL over the PostgreSQL wire at an address, e.g. 127.0.0.1:5432; port 0 for any free one
    #[arg(long, value_name = "ADDR")]
    pub pg: Option<SocketAddr>,
    /// Follow the topic of behaviour at these brokers, and send quotas and alerts as they change: host:port
    #[arg(long, value_name = "BROKERS")]
    pub kafka: Option<String>,
    /// The topic of a stream; may be repeated [default: tideline.behaviour, or what the configuration says]
    #[arg(long, requires = "kafka", value_name = "STREAM=TOPIC")]
    pub topic: Vec<String>,
    /// Stay with this day, for replays [default: today, whatever day that becomes]
    #[arg(long, requires = "kafka", value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// Answer HTTP with metrics of the topic for Prometheus at a loopback address, e.g. 127.0.0.1:9188
    #[arg(long, requires = "kafka", value_name = "ADDR")]
    pub metrics: Option<SocketAddr>,
}

/// Keys of the HTTP API: in the file that `serve.keys` names, as hashes.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and print it; it can't be shown again
    Add(KeyAddArgs),
    /// List the keys, without their secrets
    List,
    /// Take a key back; a running server refuses it within seconds
    Revoke(KeyRevokeArgs),
}

/// Arguments of `key add`.
#[derive(Debug, Args)]
pub struct KeyAddArgs {
    /// The key's name: small letters, digits and hyphens
    pub id: String,
    /// What it may do; may be repeated [default: read-quotas]
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Vec<Scope>,
    /// It sees this rep only
    #[arg(long, value_name = "ID", conflicts_with = "manager")]
    pub rep: Option<String>,
    /// It sees this manager's team only
    #[arg(long, value_name = "ID")]
    pub manager: Option<String>,
    /// Requests a second [default: what the configuration says]
    #[arg(long, value_name = "N")]
    pub requests_per_second: Option<f64>,
}

/// Arguments of `key revoke`.
#[derive(Debug, Args)]
pub struct KeyRevokeArgs {
    /// The key's name
    pub id: String,
}

/// What a key may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read quotas, health, alerts, changes and runs
    ReadQuotas,
    /// Read leads
    ReadLeads,
    /// Ask for adjustments
    Request,
    /// Decide on adjustments
    Approve,
    /// Everything
    Admin,
}

impl Scope {
    /// As it stands in the file of keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadQuotas => "read_quotas",
            Self::ReadLeads => "read_leads",
            Self::Request => "request",
            Self::Approve => "approve",
            Self::Admin => "admin",
        }
    }
}
