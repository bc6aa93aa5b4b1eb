//! Taking streams in: sessions, one after another, until the command is told to stop or done.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::runtime::Handle;

use super::client;
use super::commit::Writer;
use super::group::Group;
use super::options::KafkaOptions;
use super::position::Place;
use super::registry::Registry;
use super::session::{Ended, Session};
use super::status::{KafkaSummary, Status};
use super::topics::{self, Topics};
use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::lake::{Lake, Table};

/// How long a fenced member waits before it joins again: a stranger may hold the same partitions.
const REJOIN_AFTER: Duration = Duration::from_millis(500);
/// How often the lake is asked whether other members are done.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Takes streams in until stopped or, where the options say so, until the end as it stands now is in the lake, whoever
/// of the group took it in.
///
/// # Errors
/// [`EngineError::Kafka`] where no broker answers or it won't have us; [`EngineError::Input`] for a topic that isn't
/// there, a property that is wrong, or messages that are gone; others where the lake can't be read or written.
pub async fn take_in(lake: &Lake, rules: &Catalogue, options: &KafkaOptions) -> Result<KafkaSummary> {
    let (lake, rules, options) = (lake.clone(), Arc::new(rules.clone()), Arc::new(options.clone()));
    let runtime = Handle::current();
    let running = tokio::task::spawn_blocking(move || run(&lake, &rules, &options, &runtime));
    running.await.map_err(crate::ingest::stopped_thread)?
}

fn run(
    lake: &Lake,
    rules: &Arc<Catalogue>,
    options: &Arc<KafkaOptions>,
    runtime: &Handle,
) -> Result<KafkaSummary> {
    let started = Instant::now();
    // What is wrong with an address is said before anybody is asked.
    let registry = Registry::of(options)?;
    let topics = topics::find(options)?;
    if let Some(registry) = registry {
        runtime.block_on(registry.check())?;
    }
    let mut status = Status::default();
    let mut goal = Goal { lake, runtime, left: goals(&topics), asked: None };
    while !options.stop.load(Ordering::Relaxed) {
        if options.until_end && goal.is_reached(&[])? {
            break;
        }
        let writer = Writer::new(lake.clone(), Arc::clone(rules), Arc::clone(options))?;
        let ends = topics.bounds.iter().map(|(place, (_, end))| (place.clone(), *end)).collect();
        let group = Group::new(topics.streams.clone(), writer, ends, runtime.clone());
        let consumer: BaseConsumer<Group> =
            client::consumer(options)?.create_with_context(group).map_err(client::refused)?;
        let names: Vec<&str> = topics.streams.keys().map(AsRef::as_ref).collect();
        consumer.subscribe(&names).map_err(|source| EngineError::kafka("subscribing", source))?;
        let mut is_done = |reached: &[(Place, i64)]| goal.is_reached(reached);
        let mut session = Session { consumer, options, runtime, status: &mut status, is_done: &mut is_done };
        match session.run()? {
            Ended::Done => break,
            Ended::Fenced => {
                drop(session);
                status.total.fenced += 1;
                runtime.block_on(tokio::time::sleep(REJOIN_AFTER));
            }
        }
    }
    status.total.seconds = started.elapsed().as_secs_f64();
    Ok(status.total)
}

/// What must be in the lake before the command is done: partitions with the offsets of their ends.
fn goals(topics: &Topics) -> BTreeMap<Place, (Stream, i64)> {
    let stream = |place: &Place| topics.streams.get(&place.topic).copied();
    let goals = topics.bounds.iter().filter(|(_, (first, end))| first < end);
    goals.filter_map(|(place, (_, end))| Some((place.clone(), (stream(place)?, *end)))).collect()
}

struct Goal<'g> {
    lake: &'g Lake,
    runtime: &'g Handle,
    left: BTreeMap<Place, (Stream, i64)>,
    asked: Option<Instant>,
}

impl Goal<'_> {
    /// Whether all is taken in, counting what this member has `reached` in the partitions it holds. Of the others the
    /// lake is asked, now and then.
    fn is_reached(&mut self, reached: &[(Place, i64)]) -> Result<bool> {
        if self.left.is_empty() {
            return Ok(true);
        }
        let own: BTreeMap<&Place, i64> = reached.iter().map(|(place, offset)| (place, *offset)).collect();
        let is_own = |place: &Place, end: i64| own.get(place).is_some_and(|offset| *offset >= end);
        if self.left.iter().any(|(place, (_, end))| own.contains_key(place) && !is_own(place, *end)) {
            return Ok(false);
        }
        let others: Vec<Place> = self
            .left
            .iter()
            .filter(|(place, (_, end))| !is_own(place, *end))
            .map(|(place, _)| place.clone())
            .collect();
        if others.is_empty() {
            return Ok(true);
        }
        if self.asked.is_some_and(|asked| asked.elapsed() < ASK_EVERY) {
            return Ok(false);
        }
        self.asked = Some(Instant::now());
        let mut tables: BTreeMap<&str, Table> = BTreeMap::new();
        for place in &others {
            let Some((stream, end)) = self.left.get(place).copied() else { continue };
            let name = stream.table();
            if !tables.contains_key(name) {
                tables.insert(name, self.runtime.block_on(self.lake.table(name))?);
            }
            let Some(table) = tables.get(name) else { continue };
            if self.runtime.block_on(table.position(&place.id()))?.is_some_and(|position| position >= end) {
                self.left.remove(place);
            }
        }
        Ok(others.iter().all(|place| !self.left.contains_key(place)))
    }
}
