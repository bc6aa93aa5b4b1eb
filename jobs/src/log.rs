//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::cli::Global;
use crate::config::{Log, LogFormat};

/// Sends log lines to standard error from now on.
pub(crate) fn start(global: &Global, configured: Log) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "off",
        (false, 0) => {
            "warn,jobs=info,engine=info,sql=info,models=info,deltalake_core=error,buoyant_kernel=error,sqlparser=warn"
        }
        // Targets are prefixes: `sql` takes `sqlparser` along.
        (false, 1) => "warn,jobs=debug,engine=debug,sql=debug,models=debug,sqlparser=warn",
        (false, _) => "debug,jobs=trace,engine=trace,sql=trace,models=trace",
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_timer(SystemTime)
        .with_ansi(std::io::stderr().is_terminal() && is_colourful());
    let format = global.log.unwrap_or(configured.format);
    let started = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    // A second start in one process keeps the first one's settings.
    drop(started);
}

/// Whether colour is wanted: <https://no-color.org>.
pub(crate) fn is_colourful() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
