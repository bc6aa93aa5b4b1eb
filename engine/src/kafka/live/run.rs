//! The loop: read what is there, apply it, send what changed, look at the lake now and then.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::super::registry::Registry;
use super::super::topics;
use super::LiveOptions;
use super::emit::Emitter;
use super::follow::{Caught, Follower};
use super::look::{Looked, Looker};
use super::news::{Grounds, LiveNews, Reach};
use super::status::LiveStatus;
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::ingest::MessageReader;
use crate::lake::Lake;
use crate::live::{Live, Making};
use crate::rule::Action;
use crate::time::{Day, Micros};

/// How long the loop waits for a message.
const WAIT: Duration = Duration::from_millis(50);
/// How often the status is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Follows the topic of events until stopped.
///
/// # Errors
/// [`EngineError::Kafka`] where no broker answers or it won't have us; [`EngineError::Input`] for a topic that isn't
/// there, messages that are gone, or rows that exceed [`Making::rows_bytes_max`]; others where the lake can't be read.
pub async fn follow(lake: &Lake, making: &Making, options: &LiveOptions) -> Result<LiveStatus> {
    let (lake, making, options) = (lake.clone(), making.clone(), options.clone());
    let runtime = Handle::current();
    let running = tokio::task::spawn_blocking(move || Run::follow(&lake, &making, &options, &runtime));
    running.await.map_err(crate::ingest::stopped_thread)?
}

struct Run<'r> {
    options: &'r LiveOptions,
    live: Live,
    follower: Follower,
    emitter: Emitter,
    looker: Looker,
    registry: Option<Registry>,
    runtime: &'r Handle,
    status: LiveStatus,
    /// Rows whose quotas others' events have changed.
    waiting: BTreeSet<usize>,
    /// Rules that may raise an alert.
    rules: Vec<String>,
    emitted: Instant,
    told: Instant,
    /// Whether all that was on the topic at first has been followed.
    attached: bool,
}

impl<'r> Run<'r> {
    fn follow(
        lake: &Lake,
        making: &Making,
        options: &'r LiveOptions,
        runtime: &'r Handle,
    ) -> Result<LiveStatus> {
        // What is wrong with broker or topic is said before anything is loaded.
        topics::find(&options.kafka)?;
        let registry = Registry::of(&options.kafka)?;
        if let Some(registry) = &registry {
            runtime.block_on(registry.check())?;
        }
        let topic = options.kafka.topics.iter().find(|(stream, _)| *stream == Stream::Behaviour);
        let Some((_, topic)) = topic else {
            return Err(EngineError::Input("no topic of the stream behaviour is named".to_owned()));
        };
        let mut emitter = Emitter::connect(options, runtime)?;
        let looker = Looker::new(lake, making, runtime, options.refresh_after);
        let is_stopped = || options.kafka.stop.load(Ordering::Relaxed);
        let day = today(lake, options);
        let Some(live) = looker.first(day, is_stopped)? else { return Ok(LiveStatus::default()) };
        let mut status = LiveStatus { loaded_at: (options.kafka.clock)(), ..LiveStatus::default() };
        let mut rules: Vec<String> = vec!["process_health_red".to_owned()];
        let raises = |action: &Action| matches!(action, Action::Alert { .. });
        rules.extend(
            making
                .rules
                .rules
                .iter()
                .filter(|rule| rule.actions.iter().any(raises))
                .map(|rule| rule.name.clone()),
        );
        let follower = Follower::start(&options.kafka, topic, live.positions())?;
        emitter.all(&live, live.positions(), &rules, &mut status)?;
        tracing::info!(as_of = %crate::time::date(day), reps = live.rows(), "following {topic}");
        let begun = Instant::now();
        let mut run = Run {
            options,
            live,
            follower,
            emitter,
            looker,
            registry,
            runtime,
            status,
            waiting: BTreeSet::new(),
            rules,
            emitted: begun,
            told: begun,
            attached: false,
        };
        run.tell();
        let mut reader = MessageReader::new(lake, &making.catalogue)?;
        while !is_stopped() {
            run.step(&mut reader)?;
            run.refresh(today(lake, options))?;
        }
        run.send_waiting()?;
        run.emitter.finish()?;
        Ok(run.status)
    }

    /// Reads and applies what is there.
    fn step(&mut self, reader: &mut MessageReader) -> Result<()> {
        let clock = self.options.kafka.clock;
        let due = self.options.emit_after.saturating_sub(self.emitted.elapsed());
        let wait = if self.waiting.is_empty() { WAIT } else { WAIT.min(due) };
        let caught = self.follower.read(reader, clock, wait)?;
        if caught.messages > 0 {
            self.apply(reader, &caught)?;
        }
        if !self.waiting.is_empty() && self.emitted.elapsed() >= self.options.emit_after {
            self.send_waiting()?;
        }
        if self.told.elapsed() >= TELL_EVERY {
            self.tell();
        }
        Ok(())
    }

    fn apply(&mut self, reader: &mut MessageReader, caught: &Caught) -> Result<()> {
        if let Some(registry) = &mut self.registry {
            // While the registry is silent the messages wait.
            reader.set_schemas(self.runtime.block_on(registry.learn(reader.schema_ids()))?);
        }
        let begun = Instant::now();
        let read = reader.finish((self.options.kafka.clock)())?;
        let changes = self.live.apply(&read.rows)?;
        let positions = self.follower.positions();
        if changes.late > 0 {
            self.looker.note_late(&positions);
            self.outdated();
        }
        let named: BTreeSet<usize> = changes.named.into_iter().collect();
        self.waiting.retain(|row| !named.contains(row));
        self.waiting.extend(changes.others);
        let sent = self.emitter.quotas(&self.live, &named, &positions, &mut self.status)?;
        self.news(&sent, if self.waiting.is_empty() { Reach::All } else { Reach::These });
        self.emitter.alerts(&self.live, &changes.alerts, &positions, &mut self.status)?;
        let status = &mut self.status;
        status.applied += changes.applied;
        status.late += changes.late;
        status.refused += read.refused;
        status.batches += 1;
        status.update = begun.elapsed();
        let sent = (self.options.kafka.clock)();
        caught.stamps.iter().for_each(|stamp| status.note(sent - stamp));
        Ok(())
    }

    fn send_waiting(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.waiting);
        self.emitted = Instant::now();
        let positions = self.follower.positions();
        let sent = self.emitter.quotas(&self.live, &rows, &positions, &mut self.status)?;
        self.news(&sent, Reach::All);
        Ok(())
    }

    /// Tells whoever answers for quotas in this process.
    fn news(&self, rows: &[usize], reach: Reach) {
        let Some(on_news) = self.options.on_news.as_ref().filter(|_| self.attached) else { return };
        let told_at = (self.options.kafka.clock)();
        let micros = |down: Duration| Micros::try_from(down.as_micros()).unwrap_or(Micros::MAX);
        let grounds = Grounds {
            as_of: self.live.as_of(),
            run_id: self.live.run_id().map(str::to_owned),
            positions: self.follower.positions(),
            loaded_at: self.status.loaded_at,
            outdated_since: self.status.outdated_since,
            unreachable_since: self.follower.down().map(|down| told_at.saturating_sub(micros(down))),
            told_at,
        };
        let quotas = rows.iter().filter_map(|row| self.live.quota(*row)).collect();
        on_news(LiveNews { grounds: Arc::new(grounds), quotas, reach });
    }

    /// The same of all.
    fn all_news(&self) {
        self.news(&(0..self.live.rows()).collect::<Vec<_>>(), Reach::Anew);
    }

    fn outdated(&mut self) {
        let now = (self.options.kafka.clock)();
        self.status.outdated_since.get_or_insert(now);
    }

    /// Puts a newer state in the place of the one that serves, once there is one.
    fn refresh(&mut self, today: Day) -> Result<()> {
        if today != self.live.as_of() {
            self.outdated();
        }
        match self.looker.look(&self.live, today) {
            Looked::Not => return Ok(()),
            Looked::Fresh => {}
            // To go on would be to send quotas that no daily run would publish.
            Looked::Failed(error @ EngineError::Input(_)) => return Err(error),
            Looked::Failed(error) => {
                self.outdated();
                self.status.refreshes_failed += 1;
                tracing::warn!(error = %error, "the state stays as it is; it will be loaded anew");
            }
            Looked::Newer(mut newer) => {
                let begun = Instant::now();
                let taken = newer.take_over(&self.live)?;
                self.live = *newer;
                if taken.late > 0 {
                    // Of a day that is over by now.
                    self.looker.note_late(&self.follower.positions());
                }
                self.waiting.clear();
                self.status.refreshes += 1;
                self.status.loaded_at = (self.options.kafka.clock)();
                self.status.outdated_since = None;
                if self.looker.lacks() {
                    self.outdated();
                }
                self.emitter.all(&self.live, &self.follower.positions(), &self.rules, &mut self.status)?;
                self.all_news();
                tracing::info!(
                    as_of = %crate::time::date(self.live.as_of()),
                    seconds = begun.elapsed().as_secs_f64(),
                    "a newer state serves"
                );
            }
        }
        // A broker that doesn't answer now will be asked again.
        if let Err(error) = self.follower.assign(&BTreeMap::new()) {
            tracing::debug!(%error, "looking for new partitions");
        }
        Ok(())
    }

    fn tell(&mut self) {
        self.told = Instant::now();
        self.status.rows_bytes = self.live.rows_bytes();
        self.status.lags = self.follower.lags();
        if let Some(on_status) = &self.options.on_status {
            on_status(&self.status);
        }
        if self.attached {
            self.news(&[], if self.waiting.is_empty() { Reach::All } else { Reach::These });
        } else if self.status.lags.iter().all(|lag| lag.lag_rows == Some(0)) {
            self.attached = true;
            self.all_news();
        }
    }
}

/// The day that is followed.
fn today(lake: &Lake, options: &LiveOptions) -> Day {
    options.as_of.unwrap_or_else(|| lake.zone().day((options.kafka.clock)()))
}
