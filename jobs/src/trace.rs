//! Traces for OpenTelemetry: spans of commands, stages and requests, sent by OTLP over HTTP where a collector is named.
//!
//! Spans are queued and sent from a thread of their own: a collector that is slow or away costs spans, never time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use tokio::runtime::Handle;

use crate::config::Trace;

/// What our spans are told from others by; log lines don't show them.
pub(crate) const TARGET: &str = "tideline_trace";

/// How long a batch may take.
const EXPORT: Duration = Duration::from_secs(2);
/// How long the end of a command waits for the last spans.
const LAST: Duration = Duration::from_secs(3);

/// Sends spans until dropped; the last ones then.
#[derive(Debug)]
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// Begins to send to the collector that is named; none where none is. Nobody is asked whether it is there.
    ///
    /// # Errors
    /// Where no client can be made.
    pub(crate) fn start(config: &Trace, runtime: &Handle) -> anyhow::Result<Option<Self>> {
        if config.endpoint.is_empty() {
            return Ok(None);
        }
        let inner = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", config.endpoint.trim_end_matches('/')))
            .with_timeout(EXPORT)
            .build()
            .with_context(|| format!("making a client for trace.endpoint {}", config.endpoint))?;
        let exporter = OnRuntime {
            inner: Arc::new(inner),
            runtime: runtime.clone(),
            complained: AtomicBool::new(false),
        };
        let resource = Resource::builder().with_service_name(config.service.clone()).build();
        let provider =
            SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        Ok(Some(Self(provider)))
    }

    /// What makes spans.
    pub(crate) fn tracer(&self) -> opentelemetry_sdk::trace::SdkTracer {
        opentelemetry::trace::TracerProvider::tracer(&self.0, "tideline")
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away has been complained of.
        drop(self.0.shutdown_with_timeout(LAST));
    }
}

/// Sends on the program's runtime: the thread that gathers batches has none, and the client needs one.
#[derive(Debug)]
struct OnRuntime {
    inner: Arc<SpanExporter>,
    runtime: Handle,
    complained: AtomicBool,
}

impl opentelemetry_sdk::trace::SpanExporter for OnRuntime {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let inner = Arc::clone(&self.inner);
        let sending = self.runtime.spawn(async move { inner.export(batch).await });
        let sent =
            sending.await.unwrap_or_else(|error| Err(OTelSdkError::InternalFailure(error.to_string())));
        match &sent {
            Ok(()) => self.complained.store(false, Ordering::Relaxed),
            Err(error) if !self.complained.swap(true, Ordering::Relaxed) => {
                tracing::warn!("sending traces: {error}; spans are dropped until the collector takes them");
            }
            Err(_) => {}
        }
        sent
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.set_resource(resource);
        }
    }
}
