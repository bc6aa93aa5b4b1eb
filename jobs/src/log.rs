//! Log lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::cli::Global;
use crate::config::{Log, LogFormat};
use crate::trace::{self, Traces};

/// Sends log lines to standard error from now on, and spans to where traces go.
pub(crate) fn start(global: &Global, configured: Log, traces: Option<&Traces>) {
    let filter = match (global.quiet, global.verbose) {
        (true, _) => "off",
        (false, 0) => {
            "warn,jobs=info,engine=info,sql=info,models=info,deltalake_core=error,buoyant_kernel=error,sqlparser=warn"
        }
        // Targets are prefixes: `sql` takes `sqlparser` along.
        (false, 1) => "warn,jobs=debug,engine=debug,sql=debug,models=debug,sqlparser=warn",
        (false, _) => "debug,jobs=trace,engine=trace,sql=trace,models=trace",
    };
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_timer(SystemTime)
        .with_ansi(std::io::stderr().is_terminal() && is_colourful());
    let format = global.log.unwrap_or(configured.format);
    let layer = match format {
        LogFormat::Text => layer.with_target(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let spans = traces.map(|traces| {
        let ours = Targets::new().with_target(trace::TARGET, LevelFilter::INFO);
        tracing_opentelemetry::layer().with_tracer(traces.tracer()).with_filter(ours)
    });
    let lines = layer.with_filter(EnvFilter::new(filter));
    let started = tracing_subscriber::registry().with(lines).with(spans).try_init();
    // A second start in one process keeps the first one's settings.
    drop(started);
}

/// Whether colour is wanted: <https://no-color.org>.
pub(crate) fn is_colourful() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
