//! Metrics of a command that stays, as text that Prometheus reads: one address, one page.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use engine::EngineError;
use engine::kafka::Status;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of a request that are read, at most.
const REQUEST_BYTES_MAX: usize = 4_096;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The page, as it is now.
#[derive(Debug, Clone, Default)]
pub(super) struct Metrics(Arc<Mutex<String>>);

impl Metrics {
    /// Answers requests from now on.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that others could reach: nobody is asked who he is. Where the address is
    /// taken.
    pub(super) async fn serve(address: SocketAddr) -> anyhow::Result<Self> {
        if !address.ip().is_loopback() {
            let message = format!(
                "--metrics {address}: others could reach it; use a loopback address, e.g. 127.0.0.1:9187"
            );
            return Err(EngineError::Input(message).into());
        }
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listening on {address} for metrics"))?;
        let metrics = Self::default();
        metrics.show(&Status::default());
        let page = metrics.clone();
        tokio::spawn(async move {
            // One after another: whoever dawdles keeps others waiting for two seconds.
            while let Ok((stream, _)) = listener.accept().await {
                let answered = tokio::time::timeout(PATIENCE, page.answer(stream)).await;
                tracing::trace!(?answered, "a request for metrics");
            }
        });
        Ok(metrics)
    }

    /// Shows how taking in is going.
    pub(super) fn show(&self, status: &Status) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = page(status);
    }

    async fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut request = Vec::new();
        let mut piece = [0; 512];
        while !request.windows(4).any(|four| four == b"\r\n\r\n") && request.len() < REQUEST_BYTES_MAX {
            let read = stream.read(&mut piece).await?;
            if read == 0 {
                break;
            }
            request.extend_from_slice(&piece[..read]);
        }
        let (status, body) = if request.starts_with(b"GET /metrics ") {
            ("200 OK", self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
        } else {
            ("404 Not Found", "the page is /metrics\n".to_owned())
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    }
}

fn page(status: &Status) -> String {
    let mut page = String::new();
    let total = &status.total;
    let mut family = |name: &str, kind: &str, help: &str, samples: Vec<(String, String)>| {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            let line = format!("{name}{labels} {value}\n");
            text.push_str(&line);
        }
        page.push_str(&text);
    };
    let accepted = total
        .streams
        .iter()
        .map(|(stream, counts)| (format!("{{stream=\"{}\"}}", stream.name()), counts.accepted.to_string()));
    family("tideline_kafka_rows_total", "counter", "Records taken in.", accepted.collect());
    let rejected = total.streams.iter().flat_map(|(stream, counts)| {
        counts.rejected.iter().map(|((field, reason), count)| {
            let labels = format!("{{stream=\"{}\",field=\"{field}\",reason=\"{reason}\"}}", stream.name());
            (labels, count.to_string())
        })
    });
    family("tideline_kafka_rejected_total", "counter", "Dead letters by reason.", rejected.collect());
    let one = |value: String| vec![(String::new(), value)];
    family("tideline_kafka_bytes_total", "counter", "Bytes of messages.", one(total.bytes.to_string()));
    family("tideline_kafka_commits_total", "counter", "Commits.", one(total.commits.to_string()));
    family(
        "tideline_kafka_fenced_total",
        "counter",
        "Times that others had committed first.",
        one(total.fenced.to_string()),
    );
    family(
        "tideline_kafka_commit_seconds",
        "gauge",
        "Duration of the newest commit.",
        one(format!("{:.3}", status.last.seconds)),
    );
    let labels = |lag: &engine::kafka::Lag| {
        format!("{{topic=\"{}\",partition=\"{}\"}}", lag.topic, lag.kafka_partition)
    };
    let offsets = status.lags.iter().map(|lag| (labels(lag), lag.committed.to_string()));
    family("tideline_kafka_offset", "gauge", "Offset of the next message to take in.", offsets.collect());
    let lags = status.lags.iter().filter_map(|lag| Some((labels(lag), lag.lag_rows?.to_string())));
    family("tideline_kafka_lag_rows", "gauge", "Messages behind the end.", lags.collect());
    page
}
