//! Dense customer keys: every customer id is given a number once and keeps it; accumulators are arrays indexed by it.
//!
//! The numbers depend on the order in which ids were met, so they never leave the tiles: marts carry ids.

use std::hash::Hasher;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch, StringArray};
use rayon::prelude::*;
use rustc_hash::FxHasher;

use crate::error::{EngineError, Result};
use crate::lake::{Encoding, NewFile, Table, read};

/// No key: the id is null or unknown.
pub const NO_KEY: u32 = u32::MAX;

/// Ids looked up together.
const BLOCK: usize = 64;
/// Ids of a column looked up by one thread.
const CHUNK_ROWS: usize = 8_192;

/// The dictionary of customer ids. Key `k` is the `k`-th id ever met.
#[derive(Debug, Default)]
pub struct Keys {
    text: String,
    ends: Vec<usize>,
    /// Open addressing: of a slot, its key and what the key's id hashes to.
    slots: Vec<Slot>,
    /// Keys that the lake already holds.
    stored: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: u32,
    tag: u32,
}

const EMPTY: Slot = Slot { key: NO_KEY, tag: 0 };

/// What an id hashes to: a slot, once masked, and the tag by which another id is seldom taken for it.
#[derive(Debug, Clone, Copy, Default)]
struct Hash {
    slot: usize,
    tag: u32,
}

impl Hash {
    fn of(id: &str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write(id.as_bytes());
        let hash = hasher.finish();
        let [low, high] = [hash ^ (hash >> 32), hash >> 32].map(|half| half & 0xffff_ffff);
        Self { slot: usize::try_from(low).unwrap_or(0), tag: u32::try_from(high).unwrap_or(0) }
    }
}

impl Keys {
    /// Reads the dictionary of `tile.customer_key`.
    ///
    /// # Errors
    /// Where a file is damaged, or the keys are not 0, 1, 2 ….
    pub fn load(table: &Table) -> Result<Self> {
        let mut pairs: Vec<(i32, RecordBatch, usize)> = Vec::new();
        for file in table.files() {
            for batch in read(&table.dir().join(&file.path), &[])? {
                let first = column::<Int32Array>(&batch, 0)?.values().first().copied().unwrap_or(0);
                pairs.push((first, batch, 0));
            }
        }
        pairs.sort_by_key(|(first, ..)| *first);
        let rows: usize = pairs.iter().map(|(_, batch, _)| batch.num_rows()).sum();
        let mut keys = Self::default();
        keys.reserve(rows);
        for (_, batch, _) in &pairs {
            let (numbers, ids) = (column::<Int32Array>(batch, 0)?, column::<StringArray>(batch, 1)?);
            for (number, id) in numbers.values().iter().zip(ids.iter()) {
                let next = keys.len();
                // Written once each, so that nothing has to be looked up.
                keys.append(id.unwrap_or_default());
                if usize::try_from(*number).ok() != Some(next) {
                    return Err(EngineError::Lake(format!(
                        "tile.customer_key holds key {number} where {next} was due; remove the folder tile and run \
                         `tideline daily` again: tiles are rebuilt from raw events"
                    )));
                }
            }
        }
        keys.stored = keys.len();
        Ok(keys)
    }

    /// How many ids have a key.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no id has a key.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of a key; empty for a key never given.
    pub fn id(&self, key: usize) -> &str {
        self.text.get(self.place_of(key)).unwrap_or_default()
    }

    fn place_of(&self, key: usize) -> Range<usize> {
        let start = if key == 0 { 0 } else { self.ends.get(key - 1).copied().unwrap_or(0) };
        start..self.ends.get(key).copied().unwrap_or(start)
    }

    /// Sorts keys by their ids.
    pub fn sort_by_id(&self, keys: &mut Vec<u32>) {
        // The first bytes of most ids decide; only level ones are compared whole.
        let head = |key: u32| {
            let mut bytes = [0; 16];
            let id = self.id(index(key)).as_bytes();
            let length = id.len().min(bytes.len());
            bytes[..length].copy_from_slice(&id[..length]);
            u128::from_be_bytes(bytes)
        };
        let mut heads: Vec<(u128, u32)> = keys.par_iter().map(|&key| (head(key), key)).collect();
        let whole = |key: u32| self.id(index(key));
        heads.par_sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| whole(a.1).cmp(whole(b.1))));
        *keys = heads.into_iter().map(|(_, key)| key).collect();
    }

    /// The key of an id, or [`NO_KEY`].
    pub fn get(&self, id: &str) -> u32 {
        let hash = Hash::of(id);
        let mut slot = hash.slot;
        loop {
            let (place, key) = self.probe(slot, hash.tag);
            if key == NO_KEY || self.id(index(key)) == id {
                return key;
            }
            slot = place + 1;
        }
    }

    /// The keys of ids, as [`Keys::get`] gives them. Whoever asks for many waits for memory, not for the processor: of a
    /// block, every answer is under way before the first is needed.
    pub fn get_all<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<u32> {
        let mut ids = ids.into_iter();
        let mut found = Vec::with_capacity(ids.size_hint().0);
        let mut block = Vec::with_capacity(BLOCK);
        let (mut hashes, mut keys) = ([Hash::default(); BLOCK], [NO_KEY; BLOCK]);
        let mut places = [const { 0..0 }; BLOCK];
        loop {
            block.clear();
            block.extend(ids.by_ref().take(BLOCK));
            if block.is_empty() {
                return found;
            }
            for (hash, id) in hashes.iter_mut().zip(&block) {
                *hash = Hash::of(id);
            }
            for (key, hash) in keys.iter_mut().zip(&hashes[..block.len()]) {
                *key = self.probe(hash.slot, hash.tag).1;
            }
            for (place, key) in places.iter_mut().zip(&keys[..block.len()]) {
                *place = self.place_of(index(*key));
            }
            for ((id, key), place) in block.iter().zip(&keys).zip(&places) {
                let same = *key == NO_KEY || self.text.get(place.clone()) == Some(*id);
                found.push(if same { *key } else { self.get(id) });
            }
        }
    }

    /// The keys of a column's ids; of nulls, any.
    pub fn get_column(&self, ids: &StringArray) -> Vec<u32> {
        let chunks = (0..ids.len()).into_par_iter().step_by(CHUNK_ROWS);
        let of = |start: usize| {
            let rows = start..ids.len().min(start + CHUNK_ROWS);
            self.get_all(rows.map(|row| ids.value(row)))
        };
        chunks.flat_map_iter(of).collect()
    }

    /// The first slot from one on that is empty or has the tag, and its key.
    fn probe(&self, slot: usize, tag: u32) -> (usize, u32) {
        if self.slots.is_empty() {
            return (slot, NO_KEY);
        }
        let mask = self.slots.len() - 1;
        let mut place = slot & mask;
        loop {
            let found = self.slots[place];
            if found.key == NO_KEY || found.tag == tag {
                return (place, found.key);
            }
            place = (place + 1) & mask;
        }
    }

    /// The key of an id, giving it the next one if it has none.
    pub fn insert(&mut self, id: &str) -> u32 {
        let known = self.get(id);
        if known != NO_KEY {
            return known;
        }
        self.reserve(1);
        self.append(id)
    }

    /// Gives an id that has no key the next one; there must be room (see [`Keys::reserve`]).
    pub(crate) fn append(&mut self, id: &str) -> u32 {
        let key = u32::try_from(self.ends.len()).unwrap_or(NO_KEY);
        self.text.push_str(id);
        self.ends.push(self.text.len());
        self.place(key);
        key
    }

    fn place(&mut self, key: u32) {
        let hash = Hash::of(self.id(index(key)));
        let mask = self.slots.len() - 1;
        let mut slot = hash.slot & mask;
        while self.slots[slot].key != NO_KEY {
            slot = (slot + 1) & mask;
        }
        self.slots[slot] = Slot { key, tag: hash.tag };
    }

    /// Makes room for so many ids more.
    pub(crate) fn reserve(&mut self, more: usize) {
        let wanted = ((self.len() + more) * 2).next_power_of_two().max(16);
        if wanted > self.slots.len() {
            self.slots = vec![EMPTY; wanted];
            for key in 0..self.len() {
                self.place(u32::try_from(key).unwrap_or(NO_KEY));
            }
        }
    }

    /// Writes the ids that the lake doesn't hold yet into a data file; `None` where there are none.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn write_new(&self, table: &Table) -> Result<Option<NewFile>> {
        if self.stored == self.len() {
            return Ok(None);
        }
        let fresh = self.stored..self.len();
        let numbers = Int32Array::from_iter_values(fresh.clone().filter_map(|key| i32::try_from(key).ok()));
        let ids = StringArray::from_iter_values(fresh.clone().map(|key| self.id(key)));
        let batch = RecordBatch::try_new(table.spec().file_schema(), vec![Arc::new(numbers), Arc::new(ids)])
            .map_err(EngineError::arrow("building the customer keys"))?;
        let path = format!("keys-{:010}-{:010}.parquet", fresh.start, fresh.end);
        crate::lake::write(table.dir(), path, std::collections::BTreeMap::new(), &batch, Encoding::Tile)
            .map(Some)
    }

    /// Marks every id as held by the lake.
    pub fn set_stored(&mut self) {
        self.stored = self.len();
    }
}

/// A key as an array index.
pub fn index(key: u32) -> usize {
    usize::try_from(key).unwrap_or(usize::MAX)
}

/// A column of a batch as its concrete type.
///
/// # Errors
/// [`EngineError::Lake`] where the file holds another type.
pub fn column<T: Array + 'static>(batch: &RecordBatch, position: usize) -> Result<&T> {
    batch.columns().get(position).and_then(|array| array.as_any().downcast_ref::<T>()).ok_or_else(|| {
        EngineError::Lake(format!(
            "a data file has an unexpected type in column {position} of {:?}",
            batch.schema().fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_the_key_it_was_given_first() {
        let mut keys = Keys::default();
        let ids: Vec<String> = (0..1000).map(|n| format!("c{}", n * 7919 % 1000)).collect();
        let given: Vec<u32> = ids.iter().map(|id| keys.insert(id)).collect();
        assert_eq!(given, (0..1000).collect::<Vec<u32>>());
        assert!(ids.iter().zip(&given).all(|(id, key)| keys.get(id) == *key && keys.id(index(*key)) == id));
        assert_eq!(keys.get("never"), NO_KEY);
        let asked = ids.iter().map(String::as_str).chain(["never", "c7"]);
        let found: Vec<u32> = given.iter().copied().chain([NO_KEY, keys.get("c7")]).collect();
        assert_eq!(keys.get_all(asked), found);
        assert_eq!(Keys::default().get_all(["c7"]), [NO_KEY]);
        let column: StringArray = ids.iter().map(Some).chain([None]).collect();
        assert_eq!(keys.get_column(&column)[..1000], given);
    }
}
