//! The newest published day, computed again for questions that its tables don't answer: what if, and who would pay.
//!
//! It is computed when it is first asked for and kept while it is asked for. All of this is done beside the threads that
//! answer requests, by so many at a time; whoever comes when all are at work is told to come again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine::EngineError;
use engine::lake::Run;
use engine::pipeline::Past;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

use super::App;
use super::problem::Problem;
use crate::context::Context;
use crate::past::past;

/// Time after which a day that nobody asks about is let go of.
const KEPT: Duration = Duration::from_mins(5);

/// The day that was computed last, and when it was last asked about.
type Kept = Mutex<Option<(Arc<Past>, Instant)>>;

/// The newest published day, computed again.
#[derive(Debug)]
pub(crate) struct Again {
    context: Context,
    turns: Arc<Semaphore>,
    kept: Arc<Kept>,
}

impl Again {
    /// Nothing is computed yet; `at_once` questions may be at work at a time.
    pub(super) fn new(context: &Context, at_once: usize) -> Self {
        let mut context = context.clone();
        // A server shows no progress.
        context.quiet = true;
        Self { context, turns: Arc::new(Semaphore::new(at_once)), kept: Arc::default() }
    }

    /// What the server was started with.
    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Answers a question about the newest published day; `answer` is to give up at the instant that it is told.
    ///
    /// # Errors
    /// 503 where as many questions are at work as may be, or the day can't be computed again.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        app: &App,
        answer: impl FnOnce(&Past, Instant) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let run = app.shelf.board()?.day.run.clone();
        let patience = Duration::from_secs_f64(app.limits.request_seconds);
        let until = Instant::now() + patience;
        let busy = || Problem::unavailable("as many questions are being worked on as may be; try again");
        let turn = Arc::clone(&self.turns).try_acquire_owned().map_err(|_| busy())?;
        let (context, kept) = (self.context.clone(), Arc::clone(&self.kept));
        let runtime = Handle::current();
        let work = move || {
            // Held until the work ends, whether or not anybody still waits for the answer.
            let _turn = turn;
            let past = runtime.block_on(computed(&context, &kept, run))?;
            answer(&past, until)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| Problem::of_lake(&error))?
    }

    /// Lets go of a day that isn't the newest, or that nobody asks about.
    pub(super) fn tidy(&self, newest: Option<&Run>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let stale = |(past, used): &(Arc<Past>, Instant)| newest != Some(&past.run) || used.elapsed() > KEPT;
        if kept.as_ref().is_some_and(stale) {
            *kept = None;
        }
    }
}

/// The run's day: the one that is kept, or computed now.
async fn computed(context: &Context, kept: &Kept, run: Run) -> Result<Arc<Past>, Problem> {
    {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((past, used)) = kept.as_mut().filter(|(past, _)| past.run == run) {
            *used = Instant::now();
            return Ok(Arc::clone(past));
        }
    }
    let failed = |error: anyhow::Error| Problem::of_lake(error.as_ref());
    let lake = context.lake().map_err(|error| Problem::of_lake(&error))?;
    let past = past(&lake, run, context).await.map_err(failed)?.map_err(|missing| {
        let missing = missing.join("; ");
        Problem::unavailable(format!(
            "the newest published day can't be computed again, `tideline daily` publishes it anew: {missing}"
        ))
    })?;
    let past = Arc::new(past);
    *kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Arc::clone(&past), Instant::now()));
    Ok(past)
}

/// Does something that reads and writes the lake beside the threads that answer requests.
///
/// # Errors
/// As the work; 503 where it is cut off.
pub(super) async fn beside<T, E, F>(work: F) -> Result<Result<T, E>, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
{
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
    done.map_err(|error| Problem::of_lake(&error))
}

/// What an error of the core is answered with where a request may be at fault.
pub(super) fn of_engine(error: EngineError) -> Problem {
    match error {
        EngineError::Input(message) => Problem::unprocessable(message),
        other => Problem::of_lake(&other),
    }
}
