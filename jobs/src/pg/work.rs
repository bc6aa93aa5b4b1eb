//! Statements on threads of their own, so many at a time, each with a time to end.
//!
//! ```text
//! connection ── gate ──► task: parse, plan, compute, encode ── channel ──► connection ──► client
//!     └ deadline, cancel: the task is dropped, wherever it is
//! ```
//!
//! The threads belong to this module alone: whatever a statement does to them, HTTP and the running day don't wait. A
//! panic ends the task that it came in, and the client is told.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use datafusion::prelude::DataFrame;
use datafusion::sql::parser::Statement;
use futures::StreamExt as _;
use sql::{Caller, Limits, Sessions};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::failure::Failure;
use super::rows::{Rows, Shape};
use super::settings::Settings;
use crate::config::Pg;
use crate::context::Context;

/// Stack of each thread: what a statement may be nested is limited, and fits into this many times (debug builds need
/// most).
const STACK_BYTES: usize = 256 << 20;
/// Pieces of an answer that are computed ahead.
const AHEAD: usize = 2;

/// The threads and what limits them.
#[derive(Debug)]
pub(super) struct Work {
    runtime: Option<Runtime>,
    sessions: Arc<Sessions>,
    places: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    queue_max: usize,
    seconds: f64,
    rows_max: u64,
}

/// One statement's time.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    deadline: Instant,
    seconds: f64,
    told: &'a mut watch::Receiver<u64>,
}

/// A planned statement, and the snapshot that it was planned on.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) snapshot: u64,
    pub(super) frame: DataFrame,
}

/// A place at the gate; a suspended statement gives it back.
type Held = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

/// A statement that is being computed.
#[derive(Debug)]
pub(super) struct Running {
    rows: mpsc::Receiver<Result<Rows, Failure>>,
    task: Task<()>,
    held: Held,
    rows_left: u64,
    /// Rows that came, but weren't asked for yet, and how many of them were.
    rest: Option<(Rows, usize)>,
}

/// Rows as they are sent.
pub(super) struct Piece {
    pub(super) bytes: Box<dyn AsRef<[u8]> + Send + Sync>,
    pub(super) rows: u64,
}

/// A task that ends with its handle.
#[derive(Debug)]
struct Task<T>(JoinHandle<T>);

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Work {
    pub(super) fn open(settings: &Pg, context: &Context) -> anyhow::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if settings.threads == 0 { cores } else { settings.threads };
        let spill_dir = (!settings.spill_dir.as_os_str().is_empty()).then(|| settings.spill_dir.clone());
        if let Some(dir) = &spill_dir {
            std::fs::create_dir_all(dir).map_err(|error| {
                engine::EngineError::Input(format!(
                    "serve.pg.spill_dir: {} can't be made: {error}",
                    dir.display()
                ))
            })?;
        }
        let limits = Limits {
            memory_bytes: settings.memory_mib << 20,
            spill_bytes: settings.spill_mib << 20,
            spill_dir,
            partitions: threads,
        };
        let sessions = Sessions::new(context.lake()?, context.catalogue()?, context.settings(), &limits)?;
        // One more than computes, so that a plan that takes long doesn't hold up everybody.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads + 1)
            .thread_stack_size(STACK_BYTES)
            .thread_name("tideline-query")
            .enable_all()
            .build()
            .context("starting the threads of queries")?;
        Ok(Self {
            runtime: Some(runtime),
            sessions: Arc::new(sessions),
            places: Arc::new(Semaphore::new(settings.statements_max)),
            waiting: Arc::default(),
            queue_max: settings.queue_max,
            seconds: settings.statement_seconds,
            rows_max: if settings.rows_max == 0 { u64::MAX } else { settings.rows_max },
        })
    }

    /// The time of a statement that begins now.
    pub(super) fn turn<'a>(&self, settings: &Settings, told: &'a mut watch::Receiver<u64>) -> Turn<'a> {
        // A request to cancel that came when nothing was computed is over.
        told.mark_unchanged();
        let own = settings.statement_timeout().map_or(f64::INFINITY, |own| own.as_secs_f64());
        let seconds = self.seconds.min(own);
        Turn { deadline: Instant::now() + Duration::from_secs_f64(seconds), seconds, told }
    }

    fn handle(&self) -> Option<Handle> {
        self.runtime.as_ref().map(|runtime| runtime.handle().clone())
    }

    /// Does something on the threads of queries, until it is done, late or cancelled.
    ///
    /// # Errors
    /// Its own; 57014; XX000 where it panicked.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        turn: &mut Turn<'_>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut task = Task(self.handle().ok_or_else(Failure::stopping)?.spawn(work));
        turn.until(&mut task.0).await?.unwrap_or_else(|error| {
            Err(if error.is_panic() { Failure::panicked() } else { Failure::cancelled() })
        })
    }

    /// Parses a text.
    ///
    /// # Errors
    /// 42601, 54001.
    pub(super) async fn parse(&self, turn: &mut Turn<'_>, text: String) -> Result<Vec<Statement>, Failure> {
        self.within(turn, async move { Ok(sql::statements(&text)?) }).await
    }

    /// Plans a statement on the lake as it stands.
    ///
    /// # Errors
    /// What the planner says.
    pub(super) async fn plan(
        &self,
        turn: &mut Turn<'_>,
        statement: Statement,
        user: &str,
        settings: &Settings,
    ) -> Result<Planned, Failure> {
        let place = self.enter(turn).await?;
        let (sessions, user, settings) = (Arc::clone(&self.sessions), user.to_owned(), settings.clone());
        self.within(turn, async move {
            // A plan that can't be stopped keeps its place until it is done.
            let _place = place;
            let snapshot = sessions.current().await?;
            let schema = settings.schema();
            let schema = if snapshot.has_schema(&schema) { schema.as_str() } else { sql::DEFAULT_SCHEMA };
            let context = snapshot.context(schema);
            let caller = Caller { user: &user, settings: settings.all() };
            let frame = sql::plan_for(&context, statement, &caller).await?;
            Ok(Planned { snapshot: snapshot.number, frame })
        })
        .await
    }

    /// The number of the lake's present snapshot.
    ///
    /// # Errors
    /// 58030 where the lake can't be read.
    pub(super) async fn snapshot(&self, turn: &mut Turn<'_>) -> Result<u64, Failure> {
        let sessions = Arc::clone(&self.sessions);
        self.within(turn, async move { Ok(sessions.current().await?.number) }).await
    }

    /// Begins to compute a planned statement.
    ///
    /// # Errors
    /// What computing says before the first row.
    pub(super) async fn start(
        &self,
        turn: &mut Turn<'_>,
        frame: DataFrame,
        shape: Shape,
    ) -> Result<Running, Failure> {
        let place = self.enter(turn).await?;
        let (place, mut stream) = self
            .within(turn, async move {
                let stream = frame.execute_stream().await?;
                Ok((place, stream))
            })
            .await?;
        let held: Held = Arc::new(Mutex::new(Some(place)));
        let kept = Arc::clone(&held);
        let (send, rows) = mpsc::channel(AHEAD);
        let computing = async move {
            let _kept = kept;
            while let Some(batch) = stream.next().await {
                let rows = batch.map_err(Failure::from).and_then(|batch| shape.encode(&batch));
                let failed = rows.is_err();
                if send.send(rows).await.is_err() || failed {
                    return;
                }
            }
        };
        let task = Task(self.handle().ok_or_else(Failure::stopping)?.spawn(computing));
        Ok(Running { rows, task, held, rows_left: self.rows_max, rest: None })
    }

    /// Goes on with a statement that was suspended.
    ///
    /// # Errors
    /// 53300, 57014.
    pub(super) async fn resume(&self, turn: &mut Turn<'_>, running: &Running) -> Result<(), Failure> {
        let place = self.enter(turn).await?;
        *running.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
        Ok(())
    }

    /// Waits for a place.
    async fn enter(&self, turn: &mut Turn<'_>) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let waits = Waits::new(&self.waiting);
        if waits.before >= self.queue_max {
            let message = format!("{} statements wait already", waits.before);
            return Err(Failure::new("53300", message).hint("ask again later"));
        }
        turn.until(Arc::clone(&self.places).acquire_owned()).await?.map_err(|_| Failure::stopping())
    }
}

/// One more in the queue, until dropped.
struct Waits {
    waiting: Arc<AtomicUsize>,
    before: usize,
}

impl Waits {
    fn new(waiting: &Arc<AtomicUsize>) -> Self {
        Self { waiting: Arc::clone(waiting), before: waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Turn<'_> {
    /// Waits for something, until the statement's time is over or it is cancelled.
    ///
    /// # Errors
    /// 57014.
    pub(super) async fn until<T>(&mut self, done: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            done = done => Ok(done),
            () = tokio::time::sleep_until(self.deadline) => Err(Failure::timeout(self.seconds)),
            _ = self.told.changed() => Err(Failure::cancelled()),
        }
    }
}

impl Running {
    /// The next rows, at most so many; none at the end.
    ///
    /// # Errors
    /// What computing says; 57014; 54000 for more rows than are given.
    pub(super) async fn next(
        &mut self,
        turn: &mut Turn<'_>,
        rows_max: u64,
    ) -> Result<Option<Piece>, Failure> {
        let (rows, from) = match self.rest.take() {
            Some(rest) => rest,
            None => match turn.until(self.rows.recv()).await? {
                Some(rows) => (rows?, 0),
                None => return self.ended(turn).await.map(|()| None),
            },
        };
        let there = u64::try_from(rows.ends.len() - from).unwrap_or(u64::MAX);
        if there > 0 && self.rows_left == 0 {
            return Err(Failure::new("54000", "the answer has more rows than serve.pg.rows_max allows")
                .hint("add LIMIT, or export the table with `tideline export`"));
        }
        let taken = there.min(rows_max).min(self.rows_left);
        self.rows_left -= taken;
        let to = from + usize::try_from(taken).unwrap_or(usize::MAX);
        if from == 0 && to == rows.ends.len() {
            return Ok(Some(Piece { bytes: rows.bytes, rows: taken }));
        }
        let end = |row: usize| row.checked_sub(1).map_or(0, |row| rows.ends[row]);
        let bytes = rows.bytes.as_ref().as_ref()[end(from)..end(to)].to_vec();
        if to < rows.ends.len() {
            self.rest = Some((rows, to));
        }
        Ok(Some(Piece { bytes: Box::new(bytes), rows: taken }))
    }

    /// Gives the place back, until somebody asks for more rows.
    pub(super) fn suspend(&self) {
        drop(self.held.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    async fn ended(&mut self, turn: &mut Turn<'_>) -> Result<(), Failure> {
        let ended = turn.until(&mut self.task.0).await?;
        ended.map_err(|error| if error.is_panic() { Failure::panicked() } else { Failure::cancelled() })
    }
}
