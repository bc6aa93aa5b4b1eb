//! Jobs at their times: one after the other, each as a process of its own, so that one that dies takes nothing along.
//!
//! ```text
//! plan (cron, time zone) ─► due ─► calls (a day each) ─► attempt … attempt ─► history
//! ```
//!
//! Nothing is remembered but the history file and what the lake has published, so being killed loses nothing: what was
//! due meanwhile is made up for at the next start.

mod attempt;
mod history;
mod plan;
mod print;

use std::time::Duration;

use anyhow::anyhow;
use engine::EngineError;
use engine::lake::{Job, Lock};
use engine::time::{Day, Micros, date};
use tokio::sync::watch;

pub(crate) use self::print::units;

use self::attempt::Program;
use self::history::{History, Outcome};
use self::plan::Plan;
use crate::cli::Task;
use crate::context::{Context, now};
use crate::output;
use crate::report::published_days;

/// The longest sleep: clocks are set, and laptops wake up.
const NAP: Duration = Duration::from_secs(20);
/// The longest wait between two attempts.
const BACKOFF_SECONDS_MAX: f64 = 3_600.0;

/// Runs jobs at their times until told to stop.
///
/// # Errors
/// [`EngineError::Input`] where no job has a time; where lake or history can't be read.
pub(crate) async fn run(context: &Context, stop: watch::Receiver<bool>) -> anyhow::Result<()> {
    let plan = Plan::new(&context.config)?;
    if plan.tasks().next().is_none() {
        let message =
            "no job has a time; write one under [schedule] in the configuration, e.g. daily = \"30 2 * * *\"";
        return Err(EngineError::Input(message.to_owned()).into());
    }
    let mut runner = Runner::new(context, stop)?;
    let Some(_lock) = runner.alone().await? else { return Ok(()) };
    // Whoever held the lock has gone on writing.
    runner.history = History::open(context.lake()?.root())?;
    let mut last: Vec<(Task, Micros)> =
        plan.tasks().map(|task| (task, runner.begin_after(&plan, task))).collect();
    loop {
        let upcoming = last.iter().enumerate().filter_map(|(place, &(task, last))| {
            Some((plan.start(task, last)?, place, plan.next(task, last)?))
        });
        let Some((start, place, due)) = upcoming.min() else { return Ok(()) };
        if !runner.sleep_until(start).await {
            return Ok(());
        }
        let task = last[place].0;
        match runner.task(task, due).await {
            Ok(Outcome::Stopped) => return Ok(()),
            Ok(_) => {}
            // The next time may be better.
            Err(error) => tracing::error!(job = task.name(), "{error:#}"),
        }
        // Times that passed meanwhile are one time.
        last[place].1 = plan.previous(task, now()).map_or(due, |previous| previous.max(due));
    }
}

/// Runs one job now.
///
/// # Errors
/// As the job's own exit status says: 1 where input or configuration is wrong, 75 where trying again may help.
pub(crate) async fn run_once(
    task: Task,
    context: &Context,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let runner = Runner::new(context, stop)?;
    match runner.task(task, context.now).await? {
        Outcome::Done | Outcome::Stopped => Ok(()),
        Outcome::Failed(1) => {
            Err(EngineError::Input(format!("{}: input or configuration is wrong; see above", task.name()))
                .into())
        }
        Outcome::Failed(status) if status == i32::from(crate::TRY_AGAIN) => {
            Err(EngineError::Busy { doing: "using" }.into())
        }
        Outcome::Failed(status) => Err(anyhow!("{} failed with status {status}; see above", task.name())),
    }
}

/// Says when each job runs next and how it went last.
///
/// # Errors
/// Where the history can't be read.
pub(crate) fn list(context: &Context) -> anyhow::Result<()> {
    let plan = Plan::new(&context.config)?;
    let history = History::open(context.lake()?.root())?;
    for task in Task::ALL {
        let next = plan.next(task, context.now).map_or_else(|| "never".to_owned(), |next| plan.show(next));
        let last = history.last(task).map_or_else(
            || "not run yet".to_owned(),
            |(at, outcome)| format!("{outcome} at {}", plan.show(at)),
        );
        output::print(&format!("{}: next {next}; last {last}", task.name()))?;
    }
    Ok(())
}

/// When the next job begins, and what failed last, for `tideline doctor`.
///
/// # Errors
/// Where the history can't be read.
pub(crate) fn outlook(context: &Context) -> anyhow::Result<(String, Vec<String>)> {
    let plan = Plan::new(&context.config)?;
    let next = plan.tasks().filter_map(|task| Some((plan.next(task, context.now)?, task)));
    let next = next.min_by_key(|(at, _)| *at).map_or_else(
        || "no job has a time".to_owned(),
        |(at, task)| format!("{} is next, {}", task.name(), plan.show(at)),
    );
    let history = History::open(context.lake_root())?;
    let failed = Outcome::Failed(0).to_string();
    let failed = Task::ALL.into_iter().filter_map(|task| {
        let (at, _) = history.last(task).filter(|(_, outcome)| *outcome == failed)?;
        Some(format!("{} failed at {}", task.name(), plan.show(at)))
    });
    Ok((next, failed.collect()))
}

/// What jobs are run with.
struct Runner<'a> {
    context: &'a Context,
    program: Program,
    history: History,
    stop: watch::Receiver<bool>,
}

impl<'a> Runner<'a> {
    fn new(context: &'a Context, stop: watch::Receiver<bool>) -> anyhow::Result<Self> {
        let history = History::open(context.lake()?.root())?;
        Ok(Self { context, program: Program::new(context)?, history, stop })
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until no other process runs the schedule of this lake; none where told to stop before.
    async fn alone(&self) -> anyhow::Result<Option<Lock>> {
        let lake = self.context.lake()?;
        let mut told = false;
        loop {
            match lake.lock(Job::Schedule) {
                Ok(lock) => return Ok(Some(lock)),
                Err(EngineError::Busy { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            if !told {
                tracing::info!("another process runs the schedule of this lake; waiting to take over");
                told = true;
            }
            if !self.sleep(Duration::from_secs(2)).await {
                return Ok(None);
            }
        }
    }

    /// The instant after which the first time of a job is looked for: what was missed since it last ran is made up for.
    fn begin_after(&self, plan: &Plan, task: Task) -> Micros {
        match (self.history.handled(task), plan.previous(task, now())) {
            (Some(handled), Some(previous)) if previous > handled => previous - 1,
            _ => now(),
        }
    }

    /// False where told to stop before.
    async fn sleep(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(time) => !self.is_stopped(),
            stopped = stop.wait_for(|stop| *stop) => { drop(stopped); false }
        }
    }

    async fn sleep_until(&self, at: Micros) -> bool {
        loop {
            let left = at - now();
            if left <= 0 {
                return !self.is_stopped();
            }
            let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
            if !self.sleep(left.min(NAP)).await {
                return false;
            }
        }
    }

    /// Runs all of a job, with its retries.
    async fn task(&self, task: Task, due: Micros) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::Done;
        for call in self.calls(task).await? {
            outcome = self.call(task, due, &call).await?;
            if outcome != Outcome::Done {
                break;
            }
        }
        self.history.end(task, due, outcome)?;
        match outcome {
            Outcome::Done => tracing::info!(job = task.name(), "done"),
            Outcome::Stopped => tracing::info!(job = task.name(), "stopped"),
            Outcome::Failed(status) => tracing::error!(job = task.name(), status, "failed"),
        }
        Ok(outcome)
    }

    async fn call(&self, task: Task, due: Micros, call: &[String]) -> anyhow::Result<Outcome> {
        let settings = &self.context.config.schedule;
        let mut pause = settings.backoff_seconds;
        for attempt in 1_u32.. {
            let started_at = now();
            let outcome = self.program.run(call, &self.stop, settings.stop_seconds).await?;
            self.history.attempt(task, due, call, attempt, started_at, outcome)?;
            let Outcome::Failed(status) = outcome else { return Ok(outcome) };
            // What is wrong with input or configuration doesn't mend by itself.
            if status == 1 || attempt > settings.retries {
                return Ok(outcome);
            }
            tracing::warn!(job = task.name(), status, attempt, "failed; trying again in {pause} s");
            if !self.sleep(Duration::from_secs_f64(pause)).await {
                return Ok(Outcome::Stopped);
            }
            pause = (pause * 2.0).min(BACKOFF_SECONDS_MAX);
        }
        Ok(Outcome::Done)
    }

    /// The command lines that a job comes down to.
    async fn calls(&self, task: Task) -> anyhow::Result<Vec<Vec<String>>> {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let settings = &self.context.config.schedule;
        Ok(match task {
            Task::Daily => {
                let published = published_days(&self.context.lake()?).await?;
                let zone =
                    engine::time::Zone::new(&self.context.config.timezone).map_err(EngineError::Input)?;
                let days = missed(published.last().copied(), zone.day(now()) - 1, settings.catch_up_days);
                days.map(|day| words(&["daily", "--as-of", &date(day).to_string()])).collect()
            }
            Task::Train => vec![words(&["train"])],
            Task::Maintain => vec![words(&["lake", "maintain"])],
            Task::Export if settings.export_to.as_os_str().is_empty() => {
                let message = "schedule.export_to must name the folder to export to";
                return Err(EngineError::Input(message.to_owned()).into());
            }
            Task::Export => vec![words(&["export", "--all", "--to", &settings.export_to.to_string_lossy()])],
        })
    }
}

/// The days to run: those after the newest published one, `most` at most; yesterday in any case, because late records
/// may have come.
fn missed(newest: Option<Day>, yesterday: Day, most: i32) -> std::ops::RangeInclusive<Day> {
    let first = newest.map_or(yesterday, |newest| newest + 1);
    first.max(yesterday - most + 1).min(yesterday)..=yesterday
}

#[cfg(test)]
mod tests {
    use super::missed;

    #[test]
    fn missed_days_are_caught_up_with_and_yesterday_always_runs() {
        for (newest, most, expected) in [
            (None, 31, 100..=100),
            (Some(99), 31, 100..=100),
            (Some(100), 31, 100..=100),
            (Some(120), 31, 100..=100),
            (Some(96), 31, 97..=100),
            (Some(3), 31, 70..=100),
            (Some(3), 1, 100..=100),
        ] {
            assert_eq!(missed(newest, 100, most), expected, "{newest:?} {most}");
        }
    }
}
