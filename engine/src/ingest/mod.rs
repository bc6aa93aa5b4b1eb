//! Ingest: files of the contract into the lake, each record exactly once.
//!
//! ```text
//! files ─ feed ─┬─ lane: decode → check → store ─┐   one chunk: a commit of dead letters,
//!   (in order)  └─ lane: decode → check → store ─┴─  then one of rows with the positions reached
//! ```
//!
//! A record that breaks a rule becomes a dead letter and stops nothing. A file that can't be read stops the command
//! before anything of the chunk that holds its bad part is committed; whole commits made before stay, and running the
//! command again goes on after them.
//!
//! Invariant: no row is in the lake without the position that keeps it from being read again.

mod boundary;
mod check;
mod chunk;
mod commit;
pub(crate) mod dead_letter;
mod decode;
mod feed;
mod files;
mod lane;
mod memory;
pub(crate) mod messages;
mod store;
mod summary;
mod taken;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub(crate) use check::reason;
pub(crate) use commit::COMMITS_PER_HANDLE;
pub use commit::Commit;
pub(crate) use decode::avro;
pub use memory::{MessageReader, MessageRows};
pub use summary::{Counts, FileSummary, IngestSummary};

use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Lake, tables};
use crate::time::{DAY, Micros};
use check::layout::Layout;
use check::rows::Checker;
use check::rules::Rules;
use chunk::{Chunk, next_chunk};
use commit::Committer;
use decode::avro::Schemas;
use feed::Feed;
use lane::{Plan, Source};
use store::{Made, Target};

/// Records of one commit, unless said otherwise.
pub const CHUNK_ROWS: u64 = 4_000_000;

/// How to take files in.
#[derive(Clone)]
pub struct IngestOptions {
    /// The time of the command: events more than 24 hours after it are refused, and dead letters bear it.
    pub now: Micros,
    /// Records of one commit, at most (at least 1).
    pub chunk_rows: u64,
    /// Threads that decode and write (at least 1).
    pub threads: usize,
    /// Called after every commit.
    pub on_commit: Option<OnCommit>,
}

/// What is called after a commit.
pub type OnCommit = Arc<dyn Fn(&Commit) + Send + Sync>;

impl std::fmt::Debug for IngestOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IngestOptions")
            .field("now", &self.now)
            .field("chunk_rows", &self.chunk_rows)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl IngestOptions {
    /// Commits of [`CHUNK_ROWS`] records, as many threads as the machine has cores, nobody called.
    pub fn new(now: Micros) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self { now, chunk_rows: CHUNK_ROWS, threads, on_commit: None }
    }
}

/// Takes files (or the files in folders) into the table of a stream.
///
/// A file is known by its absolute path. One that was taken in before is skipped; NDJSON and CSV that grew are gone on
/// with. Memory is bounded by threads, not by the size of the files.
///
/// # Errors
/// [`EngineError::Input`] for a path or file that can't be taken in, with what would be right;
/// [`EngineError::Conflict`] where another process took in one of the files meanwhile; others where the lake can't be
/// read or written.
pub async fn ingest_files(
    lake: &Lake,
    rules: &Catalogue,
    stream: Stream,
    paths: &[PathBuf],
    options: &IngestOptions,
) -> Result<IngestSummary> {
    let started = Instant::now();
    let mut committer = Committer::open(lake, stream).await?;
    let mut summary = IngestSummary::default();
    let mut inputs = Vec::new();
    // Position of each input among the summary's files.
    let mut places = Vec::new();
    for file in files::list(paths)? {
        let (path, bytes) = (file.path.clone(), file.bytes);
        let left = taken::plan(file, stream, &committer.rows, &committer.letters).await?;
        let continued_from = left.as_ref().map_or(0, |input| input.from);
        let skipped = left.is_none();
        summary.files.push(FileSummary { path, bytes, skipped, continued_from, counts: Counts::default() });
        if let Some(input) = left {
            places.push(summary.files.len() - 1);
            summary.bytes += bytes;
            inputs.push(input);
        } else {
            summary.files_skipped += 1;
        }
    }
    committer.expect(&inputs);
    let layout = Layout::of(stream);
    let mut feed = Feed::new(inputs, Arc::new(layout.clone()), options.threads.max(1))?;
    // The tables' versions keep this command's files from those of an earlier one, also of one that was killed; time
    // and process from those of another program at the same moment.
    let versions = [committer.rows.version(), committer.letters.version()];
    let seed = format!("{}|{versions:?}|{}|{}", stream.name(), options.now, std::process::id());
    let inputs = Arc::clone(&feed.inputs);
    let sources = inputs
        .iter()
        .map(|input| Source { name: input.file.name.clone(), letters: input.letters.position })
        .collect();
    let plan = Arc::new(plan(lake, rules, layout, sources, options.now, seed, Schemas::default())?);
    // While a chunk is synced and committed, the next one is made.
    let mut made: Option<Chunk> = None;
    loop {
        let (chunk_rows, threads, shared) =
            (options.chunk_rows.max(1), options.threads.max(1), Arc::clone(&plan));
        let making = tokio::task::spawn_blocking(move || {
            let chunk = next_chunk(&mut feed, &shared, chunk_rows, threads);
            (feed, chunk)
        });
        let outcome = match made.take() {
            Some(chunk) => {
                add_counts(&mut summary, &places, &chunk.counts);
                summary.commits += 1;
                committer.commit(chunk, &inputs, options).await
            }
            None => Ok(()),
        };
        let (returned, next) = making.await.map_err(stopped_thread)?;
        outcome?;
        feed = returned;
        made = next?;
        if made.is_none() {
            break;
        }
    }
    summary.seconds = started.elapsed().as_secs_f64();
    Ok(summary)
}

fn plan(
    lake: &Lake,
    rules: &Catalogue,
    layout: Layout,
    sources: Vec<Source>,
    now: Micros,
    seed: String,
    schemas: Schemas,
) -> Result<Plan> {
    let spec = tables::spec(layout.stream.table())?;
    let target = Target {
        dir: lake.table_dir(spec.name),
        schema: spec.file_schema(),
        zone: (!spec.partition_by.is_empty()).then(|| lake.zone().clone()),
        made: Made::default(),
    };
    let checker = Checker {
        layout,
        rules: Rules::new(rules),
        zone: lake.zone().clone(),
        latest: now.saturating_add(DAY),
    };
    Ok(Plan {
        checker,
        target,
        letters_dir: lake.table_dir(dead_letter::TABLE),
        sources,
        schemas,
        ingested_at: now,
        seed,
    })
}

fn add_counts(summary: &mut IngestSummary, places: &[usize], counts: &BTreeMap<usize, Counts>) {
    for (input, counts) in counts {
        summary.total.add(counts);
        if let Some(file) = places.get(*input).and_then(|place| summary.files.get_mut(*place)) {
            file.counts.add(counts);
        }
    }
}

/// A thread that panicked goes on doing so here; one that was cancelled belongs to a runtime that is shutting down.
pub(crate) fn stopped_thread(stopped: tokio::task::JoinError) -> EngineError {
    match stopped.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => EngineError::Lake("the program is shutting down".to_owned()),
    }
}
