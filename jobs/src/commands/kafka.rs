//! `tideline ingest --kafka`: topics into the lake, each record once, until stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use engine::kafka::{KafkaOptions, KafkaSummary, OnStatus, Status, take_in};

use super::ingest::describe_counts;
use super::metrics::{Metrics, page};
use crate::cli::IngestArgs;
use crate::context::{Context, now};
use crate::output;
use crate::report::words::{bytes, count};

pub(crate) async fn run(brokers: &str, args: &IngestArgs, context: &Context) -> anyhow::Result<()> {
    let mut options = options(brokers, args, context)?;
    let metrics = match args.metrics {
        Some(address) => Some(Metrics::serve(address, page(&Status::default())).await?),
        None => None,
    };
    let progress = context.progress("ingest");
    options.on_status = Some(watcher(metrics.as_ref()));
    let listening = stop_on_signal(
        Arc::clone(&options.stop),
        "stopping: committing what was gathered, then leaving the group; once more to stop at once",
    );
    let lake = context.lake_or_new()?;
    progress.stage("topics");
    let taken = take_in(&lake, &context.catalogue()?, &options).await;
    listening.abort();
    drop(progress);
    output::print(&describe(&taken?))
}

fn watcher(metrics: Option<&Metrics>) -> OnStatus {
    let metrics = metrics.cloned();
    Arc::new(move |status| {
        if let Some(metrics) = &metrics {
            metrics.show(page(status));
        }
    })
}

/// Sets `stop` at a signal, and says `what` is done then; a second signal ends the process at once.
pub(super) fn stop_on_signal(stop: Arc<AtomicBool>, what: &'static str) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        stopped().await;
        stop.store(true, Ordering::Relaxed);
        output::note(what);
        stopped().await;
        // Nothing is lost: what isn't committed is read again.
        std::process::exit(i32::from(crate::TRY_AGAIN));
    })
}

/// Waits for a signal to stop.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn options(brokers: &str, args: &IngestArgs, context: &Context) -> anyhow::Result<KafkaOptions> {
    let (kafka, ingest) = (&context.config.kafka, &context.config.ingest);
    let (topics, topics_must_exist) = kafka.topics(&args.topic)?;
    let threads = match ingest.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    Ok(KafkaOptions {
        brokers: brokers.to_owned(),
        group: args.group.clone().unwrap_or_else(|| kafka.group.clone()),
        topics,
        topics_must_exist,
        properties: kafka.properties()?,
        registry: kafka.registry.options()?,
        until_end: args.until_end,
        commit_rows: kafka.commit_rows,
        commit_after: Duration::from_secs_f64(kafka.commit_seconds),
        memory_bytes: kafka.memory_mib << 20,
        threads,
        connect: Duration::from_secs(kafka.connect_seconds),
        give_up_after: Duration::from_secs(kafka.give_up_seconds),
        rejected_share_warning: ingest.rejected_share_warning,
        rejected_share_stop: kafka.rejected_share_stop,
        skip_deleted: kafka.skip_deleted,
        clock: now,
        nonce: format!("{}|{}", context.now, std::process::id()),
        stop: Arc::new(AtomicBool::new(false)),
        on_status: None,
    })
}

/// What was taken in, in words.
fn describe(summary: &KafkaSummary) -> String {
    let mut text = String::new();
    for (stream, counts) in &summary.streams {
        let line = format!(
            "{}: {} records accepted, {} rejected",
            stream.name(),
            count(counts.accepted),
            count(counts.rejected())
        );
        text.push_str(&line);
        describe_counts(counts, &mut text);
        text.push('\n');
    }
    if summary.commits == 0 {
        text.push_str("nothing new, ");
    }
    let line = format!(
        "{} of messages in {} commits, {:.1} s",
        bytes(summary.bytes),
        count(summary.commits),
        summary.seconds
    );
    text.push_str(&line);
    if summary.fenced > 0 {
        let line = format!("; began anew {} times, because others had committed first", summary.fenced);
        text.push_str(&line);
    }
    text
}
