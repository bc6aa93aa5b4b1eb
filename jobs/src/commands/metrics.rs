//! Metrics of a command that stays, as text that Prometheus reads: one address, one page.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use engine::EngineError;
use engine::kafka::{LATENCY_MS, Lag, LiveStatus, Status};
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
    /// Answers requests from now on, with a first page.
    ///
    /// # Errors
    /// [`EngineError::Input`] for an address that others could reach: nobody is asked who he is. Where the address is
    /// taken.
    pub(super) async fn serve(address: SocketAddr, first: String) -> anyhow::Result<Self> {
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
        metrics.show(first);
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

    /// Shows a page.
    pub(super) fn show(&self, page: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = page;
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

/// A page, family by family.
#[derive(Default)]
struct Page(String);

impl Page {
    fn family(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (String, String)>,
    ) {
        let mut text = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
        for (labels, value) in samples {
            // Of a histogram, the label begins with what follows the name.
            let line = format!("{name}{labels} {value}\n");
            text.push_str(&line);
        }
        self.0.push_str(&text);
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: &impl ToString) {
        self.family(name, kind, help, [(String::new(), value.to_string())]);
    }

    fn lags(&mut self, lags: &[Lag]) {
        let labels = |lag: &Lag| format!("{{topic=\"{}\",partition=\"{}\"}}", lag.topic, lag.kafka_partition);
        let offsets = lags.iter().map(|lag| (labels(lag), lag.committed.to_string()));
        self.family("tideline_kafka_offset", "gauge", "Offset of the next message to take in.", offsets);
        let behind = lags.iter().filter_map(|lag| Some((labels(lag), lag.lag_rows?.to_string())));
        self.family("tideline_kafka_lag_rows", "gauge", "Messages behind the end.", behind);
    }
}

/// How taking in is going.
pub(super) fn page(status: &Status) -> String {
    let mut page = Page::default();
    let total = &status.total;
    let accepted = total
        .streams
        .iter()
        .map(|(stream, counts)| (format!("{{stream=\"{}\"}}", stream.name()), counts.accepted.to_string()));
    page.family("tideline_kafka_rows_total", "counter", "Records taken in.", accepted);
    let rejected = total.streams.iter().flat_map(|(stream, counts)| {
        counts.rejected.iter().map(|((field, reason), count)| {
            let labels = format!("{{stream=\"{}\",field=\"{field}\",reason=\"{reason}\"}}", stream.name());
            (labels, count.to_string())
        })
    });
    page.family("tideline_kafka_rejected_total", "counter", "Dead letters by reason.", rejected);
    page.one("tideline_kafka_bytes_total", "counter", "Bytes of messages.", &total.bytes);
    page.one("tideline_kafka_commits_total", "counter", "Commits.", &total.commits);
    page.one(
        "tideline_kafka_fenced_total",
        "counter",
        "Times that others had committed first.",
        &total.fenced,
    );
    let seconds = format!("{:.3}", status.last.seconds);
    page.one("tideline_kafka_commit_seconds", "gauge", "Duration of the newest commit.", &seconds);
    page.lags(&status.lags);
    page.0
}

/// How following is going.
pub(super) fn live_page(status: &LiveStatus) -> String {
    let mut page = Page::default();
    let event = |kind: &str, count: u64| (format!("{{kind=\"{kind}\"}}"), count.to_string());
    let events =
        [event("applied", status.applied), event("late", status.late), event("refused", status.refused)];
    page.family("tideline_live_events_total", "counter", "Events followed, by what became of them.", events);
    page.one("tideline_live_batches_total", "counter", "Batches of events applied.", &status.batches);
    page.one("tideline_live_quotas_total", "counter", "Quotas sent.", &status.quotas);
    page.one("tideline_live_alerts_total", "counter", "Alerts sent, raised or cleared.", &status.alerts);
    page.one("tideline_live_refreshes_total", "counter", "States loaded after the first.", &status.refreshes);
    let failed = status.refreshes_failed;
    page.one("tideline_live_refreshes_failed_total", "counter", "States that could not be loaded.", &failed);
    let update = format!("{:.6}", status.update.as_secs_f64());
    page.one("tideline_live_update_seconds", "gauge", "From decoded to sent, of the newest batch.", &update);
    let (counts, all) = status.latency;
    let bucket = |edge: String, count: u64| (format!("_bucket{{le=\"{edge}\"}}"), count.to_string());
    let edges = LATENCY_MS.iter().zip(counts).map(|(edge, count)| bucket(edge.to_string(), count));
    let rest = [
        bucket("+Inf".to_owned(), all),
        ("_sum".to_owned(), status.latency_sum_ms.to_string()),
        ("_count".to_owned(), all.to_string()),
    ];
    let help = "From a message's stamp to its quotas being sent.";
    page.family("tideline_live_latency_ms", "histogram", help, edges.chain(rest));
    let seconds = |at: i64| at.div_euclid(1_000_000);
    let loaded = seconds(status.loaded_at);
    page.one("tideline_live_state_loaded_timestamp_seconds", "gauge", "When the state was loaded.", &loaded);
    let outdated = status.outdated_since.map_or(0, seconds);
    let help = "Since when the state lacks something; 0 where it doesn't.";
    page.one("tideline_live_state_outdated_timestamp_seconds", "gauge", help, &outdated);
    page.one("tideline_live_rows_bytes", "gauge", "Memory of the running day's events.", &status.rows_bytes);
    page.lags(&status.lags);
    page.0
}
