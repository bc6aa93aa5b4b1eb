//! `tideline ingest`: files of a stream into the lake, each record once; topics of Kafka are next door.

use std::path::PathBuf;

use engine::contract::Stream;
use engine::ingest::{Counts, IngestOptions, IngestSummary, ingest_files};
use engine::lake::Lake;

use crate::cli::IngestArgs;
use crate::config::stream;
use crate::context::Context;
use crate::output;
use crate::report::words::{count, share};

pub(crate) async fn run(args: IngestArgs, context: &Context) -> anyhow::Result<()> {
    if let Some(brokers) = &args.kafka {
        return Box::pin(super::kafka::run(brokers, &args, context)).await;
    }
    let stream = stream(args.stream.as_deref().unwrap_or_default())?;
    let lake = context.lake_or_new()?;
    let summary = take_in(&lake, stream, &args.from, context).await?;
    output::print(&describe(stream, &summary, context))
}

/// Takes files in, with progress.
pub(super) async fn take_in(
    lake: &Lake,
    stream: Stream,
    from: &[PathBuf],
    context: &Context,
) -> anyhow::Result<IngestSummary> {
    let progress = context.progress("ingest");
    progress.stage(stream.name());
    let configured = &context.config.ingest;
    let mut options = IngestOptions::new(context.now);
    options.chunk_rows = configured.commit_rows;
    if configured.threads > 0 {
        options.threads = configured.threads;
    }
    Ok(ingest_files(lake, &context.catalogue()?, stream, from, &options).await?)
}

/// What a command took in, in words.
pub(super) fn describe(stream: Stream, summary: &IngestSummary, context: &Context) -> String {
    let total = &summary.total;
    let mut text = format!(
        "{}: {} records accepted, {} rejected, from {} files in {:.1} s",
        stream.name(),
        count(total.accepted),
        count(total.rejected()),
        summary.files.len(),
        summary.seconds,
    );
    if summary.files_skipped > 0 {
        let line = format!("\n  {} files had been taken in before", summary.files_skipped);
        text.push_str(&line);
    }
    describe_counts(total, &mut text);
    let rejected = share(total.rejected(), total.seen());
    if rejected > context.config.ingest.rejected_share_warning {
        tracing::warn!(stream = stream.name(), rejected_share = rejected, "many records were rejected");
    }
    text
}

/// Appends why records were refused, and what has no place.
pub(super) fn describe_counts(total: &Counts, text: &mut String) {
    for ((field, reason), rejected) in &total.rejected {
        let place = if field.is_empty() { String::new() } else { format!(" in {field}") };
        let line = format!("\n  rejected {} × {reason}{place}", count(*rejected));
        text.push_str(&line);
    }
    if total.rejected() > 0 {
        text.push_str("\n  each of them with its reason: tideline sql -c \"SELECT * FROM raw.dead_letter\"");
    }
    if !total.ignored_fields.is_empty() {
        let names: Vec<&str> = total.ignored_fields.keys().map(String::as_str).collect();
        let line = format!("\n  fields without a place in the contract: {}", names.join(", "));
        text.push_str(&line);
    }
}
