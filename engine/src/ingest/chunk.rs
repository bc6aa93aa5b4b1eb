//! A chunk: what one commit holds. Its units are dealt to the lanes in turn, so that a chunk's files depend on its
//! input alone.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::feed::{Feed, Unit};
use super::lane::{Lane, Plan, Share};
use super::summary::Counts;
use super::taken::Reached;
use crate::error::Result;
use crate::lake::NewFile;

/// Units waiting for a lane: so many that the other lanes have work while one encodes what it has gathered.
const UNITS_WAITING: usize = 8;

/// Files on disk that no commit names yet, and how far they take each input.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) files: Vec<NewFile>,
    pub(crate) letters: Vec<NewFile>,
    /// By position of the input, in its order.
    pub(crate) reached: Vec<(usize, Reached)>,
    pub(crate) counts: BTreeMap<usize, Counts>,
}

/// Decodes, checks and writes the next `rows_max` records; none at the end of the feed. Where it fails, its files are
/// removed.
///
/// # Errors
/// [`crate::EngineError::Input`] for a damaged file, of which nothing in this chunk is kept; as
/// [`crate::lake::FileWriter`].
pub(crate) fn next_chunk(feed: &mut Feed, plan: &Plan, rows_max: u64, lanes: usize) -> Result<Option<Chunk>> {
    let chunk = fill(feed, plan, rows_max, lanes);
    match chunk {
        Ok(_) => plan.target.made.forget(),
        Err(_) => plan.target.made.remove(),
    }
    chunk
}

fn fill(feed: &mut Feed, plan: &Plan, rows_max: u64, lanes: usize) -> Result<Option<Chunk>> {
    let Some(first) = feed.next_unit(rows_max)? else { return Ok(None) };
    let shares = share(plan, lanes, |senders| deal(feed, first, rows_max, senders))?;
    let mut chunk = Chunk { reached: feed.take_reached()?, ..Chunk::default() };
    for share in shares {
        chunk.files.extend(share.files);
        chunk.letters.extend(share.letters);
        for (input, counts) in share.counts {
            chunk.counts.entry(input).or_default().add(&counts);
        }
    }
    Ok(Some(chunk))
}

/// Starts the lanes, has units dealt to them, and returns what they made.
///
/// # Errors
/// As [`next_chunk`].
pub(crate) fn share(
    plan: &Plan,
    lanes: usize,
    deal: impl FnOnce(&[SyncSender<Unit>]) -> Result<()>,
) -> Result<Vec<Share>> {
    thread::scope(|scope| {
        let mut senders: Vec<SyncSender<Unit>> = Vec::with_capacity(lanes);
        let mut threads = Vec::with_capacity(lanes);
        for lane in 0..lanes.max(1) {
            let (sender, receiver) = sync_channel(UNITS_WAITING);
            senders.push(sender);
            threads.push(scope.spawn(move || run_lane(plan, lane, &receiver)));
        }
        let dealt = deal(&senders);
        drop(senders);
        let shares: Vec<Result<Share>> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect();
        let shares: Result<Vec<Share>> = shares.into_iter().collect();
        dealt.and(shares)
    })
}

/// Deals units to the lanes in turn until the chunk is full, the feed ends, or a lane has failed.
fn deal(feed: &mut Feed, first: Unit, rows_max: u64, senders: &[SyncSender<Unit>]) -> Result<()> {
    let mut left = rows_max;
    let mut next = Some(first);
    for sender in senders.iter().cycle() {
        let Some(unit) = next else { break };
        left = left.saturating_sub(unit.work.records());
        // A lane that is gone has failed, and says why when it is joined.
        if sender.send(unit).is_err() {
            break;
        }
        next = if left == 0 { None } else { feed.next_unit(left)? };
    }
    Ok(())
}

fn run_lane(plan: &Plan, lane: usize, units: &Receiver<Unit>) -> Result<Share> {
    let Ok(first) = units.recv() else { return Ok(Share::default()) };
    let mut running = Lane::new(plan, lane, &first)?;
    running.take(first)?;
    for unit in units {
        running.take(unit)?;
    }
    running.finish()
}
