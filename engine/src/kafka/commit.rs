//! Commits of hauls: dead letters first, then rows, each with the offsets reached.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::haul::{Catch, Haul};
use super::options::KafkaOptions;
use super::position::Place;
use super::registry::Registry;
use super::status::Committed;
use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::error::{EngineError, Result};
use crate::ingest::avro::Schemas;
use crate::ingest::dead_letter::TABLE as LETTERS;
use crate::ingest::messages::{Part, Taken, Taking, take};
use crate::ingest::{COMMITS_PER_HANDLE, Counts};
use crate::lake::{Lake, Table};
use crate::time::Micros;

/// Bytes of messages that are worth a thread.
const LANE_BYTES: u64 = 8 << 20;
/// Records of a commit from which on their share of refused ones says something.
const SHARE_ROWS: u64 = 100;

/// Commits hauls, one at a time.
#[derive(Debug)]
pub(super) struct Writer {
    lake: Lake,
    rules: Arc<Catalogue>,
    options: Arc<KafkaOptions>,
    registry: Option<Registry>,
    tables: BTreeMap<&'static str, Table>,
    handle_commits: u32,
    hauls: u64,
    /// What the tables say of each partition held.
    known: BTreeMap<Place, Known>,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    stream: Stream,
    rows: Option<i64>,
    letters: Option<i64>,
}

/// A haul that is in the lake.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) committed: Committed,
    /// The offset reached, by partition.
    pub(super) reached: Vec<(Place, i64)>,
}

/// What the messages of a stream became.
#[derive(Debug)]
struct Landed {
    stream: Stream,
    places: Vec<(Place, i64)>,
    taken: Taken,
}

impl Writer {
    /// A writer that holds no partition.
    ///
    /// # Errors
    /// As [`Registry::new`].
    pub(super) fn new(lake: Lake, rules: Arc<Catalogue>, options: Arc<KafkaOptions>) -> Result<Self> {
        let (tables, known) = (BTreeMap::new(), BTreeMap::new());
        let registry = Registry::of(&options)?;
        Ok(Self { lake, rules, options, registry, tables, handle_commits: 0, hauls: 0, known })
    }

    /// Begins with partitions: the offsets that the lake has for them now.
    ///
    /// # Errors
    /// As [`Lake::table`].
    pub(super) async fn begin(&mut self, places: &[(Place, Stream)]) -> Result<Vec<Option<i64>>> {
        // Another ingester may have committed to them until just now.
        self.tables.clear();
        let mut begun = Vec::with_capacity(places.len());
        for (place, stream) in places {
            let rows = self.table(stream.table()).await?.position(&place.id()).await?;
            let letters = self.table(LETTERS).await?.position(&place.letters_id(*stream)).await?;
            self.known.insert(place.clone(), Known { stream: *stream, rows, letters });
            begun.push(rows);
        }
        Ok(begun)
    }

    /// Gives partitions up.
    pub(super) fn end(&mut self, places: &[Place]) {
        self.known.retain(|place, _| !places.contains(place));
    }

    async fn table(&mut self, name: &'static str) -> Result<&mut Table> {
        if !self.tables.contains_key(name) {
            self.tables.insert(name, self.lake.table(name).await?);
        }
        self.tables.get_mut(name).ok_or_else(|| EngineError::Lake(format!("{name} is not open")))
    }

    /// Decodes, checks and commits a haul.
    ///
    /// # Errors
    /// [`EngineError::Conflict`] where somebody else took one of the partitions in meanwhile; [`EngineError::Input`]
    /// where more was refused than may be; as [`Table::commit`].
    pub(super) async fn commit(&mut self, haul: Haul) -> Result<Done> {
        let started = Instant::now();
        // A handle slows with every commit.
        if self.handle_commits >= COMMITS_PER_HANDLE {
            self.tables.clear();
            self.handle_commits = 0;
        }
        self.handle_commits += 1;
        self.hauls += 1;
        let reached = haul.catches.iter().map(|catch| (catch.place.clone(), catch.reached)).collect();
        let bytes = haul.catches.iter().map(|catch| catch.bytes).sum();
        let partitions = haul.catches.len();
        let landed = self.land(haul).await?;
        let mut streams: BTreeMap<&'static str, Counts> = BTreeMap::new();
        for part in &landed {
            let total = streams.entry(part.stream.name()).or_default();
            part.taken.counts.values().for_each(|counts| total.add(counts));
        }
        if let Err(error) = self.judge(&streams) {
            for part in &landed {
                part.taken.remove();
            }
            return Err(error);
        }
        self.commit_letters(&landed).await?;
        for part in landed {
            self.commit_rows(part).await?;
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(Done { committed: Committed { streams, bytes, partitions, seconds }, reached })
    }

    /// Writes the files of a haul, stream by stream.
    async fn land(&mut self, haul: Haul) -> Result<Vec<Landed>> {
        let now = (self.options.clock)();
        let schemas = match &mut self.registry {
            Some(registry) => registry.learn(haul.schema_ids()).await?,
            None => Schemas::default(),
        };
        let mut by_stream: BTreeMap<usize, Vec<Catch>> = BTreeMap::new();
        for catch in haul.catches {
            let order = Stream::ALL.iter().position(|stream| *stream == catch.stream).unwrap_or(0);
            by_stream.entry(order).or_default().push(catch);
        }
        let mut landed = Vec::with_capacity(by_stream.len());
        for catches in by_stream.into_values() {
            let Some(stream) = catches.first().map(|catch| catch.stream) else { continue };
            landed.push(self.land_stream(stream, catches, schemas.clone(), now).await?);
        }
        Ok(landed)
    }

    async fn land_stream(
        &mut self,
        stream: Stream,
        catches: Vec<Catch>,
        schemas: Schemas,
        now: Micros,
    ) -> Result<Landed> {
        let version = self.table(stream.table()).await?.version();
        let seed = format!("{}|{}|{version}|{}|{now}", self.options.nonce, stream.name(), self.hauls);
        let bytes: u64 = catches.iter().map(|catch| catch.bytes).sum();
        let lanes = usize::try_from(bytes / LANE_BYTES + 1).unwrap_or(usize::MAX).min(self.options.threads);
        let places = catches.iter().map(|catch| (catch.place.clone(), catch.reached)).collect();
        let parts = catches
            .into_iter()
            .map(|catch| Part {
                name: catch.place.id(),
                letters: self.known.get(&catch.place).and_then(|known| known.letters),
                blocks: catch.blocks,
            })
            .collect();
        let (lake, rules) = (self.lake.clone(), Arc::clone(&self.rules));
        let taking = tokio::task::spawn_blocking(move || {
            take(&Taking { lake: &lake, rules: &rules, stream, now, seed, lanes, schemas }, parts)
        });
        let taken = taking.await.map_err(crate::ingest::stopped_thread)??;
        Ok(Landed { stream, places, taken })
    }

    /// Warns of many refused records; refuses to commit where they are too many.
    fn judge(&self, streams: &BTreeMap<&'static str, Counts>) -> Result<()> {
        for (stream, counts) in streams {
            let (seen, rejected) = (counts.seen(), counts.rejected());
            if seen < SHARE_ROWS {
                continue;
            }
            let over = |share: f64| as_f64(rejected) > share * as_f64(seen);
            let Some(((field, reason), most)) = counts.rejected.iter().max_by_key(|(_, count)| **count)
            else {
                continue;
            };
            if over(self.options.rejected_share_stop) {
                return Err(EngineError::Input(format!(
                    "{rejected} of the next {seen} messages of {stream} would be refused, most ({most}) because: \
                     {field} {reason}; nothing of them was committed. Mend the producer, or raise \
                     kafka.rejected_share_stop to have them as dead letters"
                )));
            }
            if over(self.options.rejected_share_warning) {
                tracing::warn!(stream, seen, rejected, field, reason, most, "many messages were rejected");
            }
        }
        Ok(())
    }

    async fn commit_letters(&mut self, landed: &[Landed]) -> Result<()> {
        let (mut files, mut positions, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        for part in landed {
            files.extend(part.taken.letters.iter().cloned());
            for (at, counts) in &part.taken.counts {
                let Some((place, reached)) = part.places.get(*at).filter(|_| counts.rejected() > 0) else {
                    continue;
                };
                let known = self.known.get(place).and_then(|known| known.letters);
                // Letters of an earlier attempt are there already, and its position is ahead of ours.
                if known.is_none_or(|known| known < *reached) {
                    positions.push((place.letters_id(part.stream), *reached));
                    moved.push((place.clone(), known, *reached));
                }
            }
        }
        if positions.is_empty() {
            return Ok(());
        }
        let table = self.table(LETTERS).await?;
        for ((id, _), (_, known, _)) in positions.iter().zip(&moved) {
            check(table, id, *known).await?;
        }
        table.commit(files, &[], &positions).await?;
        for (place, _, reached) in moved {
            if let Some(known) = self.known.get_mut(&place) {
                known.letters = Some(reached);
            }
        }
        Ok(())
    }

    async fn commit_rows(&mut self, landed: Landed) -> Result<()> {
        let known: Vec<Option<i64>> = landed
            .places
            .iter()
            .map(|(place, _)| self.known.get(place).filter(|known| known.stream == landed.stream))
            .map(|known| known.and_then(|known| known.rows))
            .collect();
        let positions: Vec<(String, i64)> =
            landed.places.iter().map(|(place, reached)| (place.id(), *reached)).collect();
        let table = self.table(landed.stream.table()).await?;
        for ((id, _), known) in positions.iter().zip(known) {
            check(table, id, known).await?;
        }
        table.commit(landed.taken.files, &[], &positions).await?;
        for (place, reached) in landed.places {
            if let Some(known) = self.known.get_mut(&place) {
                known.rows = Some(reached);
            }
        }
        Ok(())
    }
}

/// The very snapshot that is committed from must still stand where we believe it does: a table would accept the same
/// or a lower position again.
async fn check(table: &Table, id: &str, known: Option<i64>) -> Result<()> {
    if table.position(id).await? == known {
        Ok(())
    } else {
        Err(EngineError::Conflict { table: table.spec().name.to_owned() })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one commit, far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
