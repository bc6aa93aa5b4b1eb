//! Arguments of `serve`.

use chrono::NaiveDate;
use clap::Args;

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Follow the topic of behaviour at these brokers, and send quotas and alerts as they change: host:port
    #[arg(long, value_name = "BROKERS")]
    pub kafka: Option<String>,
    /// The topic of a stream; may be repeated [default: tideline.behaviour, or what the configuration says]
    #[arg(long, requires = "kafka", value_name = "STREAM=TOPIC")]
    pub topic: Vec<String>,
    /// Stay with this day, for replays [default: today, whatever day that becomes]
    #[arg(long, requires = "kafka", value_name = "DATE")]
    pub as_of: Option<NaiveDate>,
    /// Answer HTTP with metrics for Prometheus at a loopback address, e.g. 127.0.0.1:9188
    #[arg(long, requires = "kafka", value_name = "ADDR")]
    pub metrics: Option<std::net::SocketAddr>,
}
