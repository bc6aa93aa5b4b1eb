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
use crate::signal::on_stop;

pub(crate) async fn run(brokers: &str, args: &IngestArgs, context: &Context) -> anyhow::Result<()> {
    let mut options = options(brokers, args, context)?;
    let metrics = match args.metrics {
        Some(address) => Some(Metrics::serve(address, page(&Status::default())).await?),
        None => None,
    };
    let progress = context.progress("ingest");
    options.on_status = Some(watcher(metrics.as_ref()));
    let stop = Arc::clone(&options.stop);
    let listening = on_stop(
        "stopping: committing what was gathered, then leaving the group; once more to stop at once",
        move || stop.store(true, Ordering::Relaxed),
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
