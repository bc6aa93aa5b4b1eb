//! Which column a field's name means, without hashing or comparing texts byte by byte: a name of up to sixteen bytes is
//! two words.

use rustc_hash::FxHashMap;

use crate::ingest::check::layout::{Layout, Slot};

/// Places of the table: a few for each column.
const PLACES: usize = 64;

/// A name of at most sixteen bytes, whole: its first and its last eight overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Short {
    length: usize,
    head: u64,
    tail: u64,
}

impl Short {
    /// None for a longer name.
    fn of(name: &[u8]) -> Option<Self> {
        let (head, tail) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
            (Some(head), Some(tail)) if name.len() <= 16 => {
                (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
            }
            (Some(_), _) => return None,
            _ => (name.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
        };
        Some(Self { length: name.len(), head, tail })
    }

    fn place(self) -> usize {
        let mixed = (self.head ^ self.tail.rotate_left(29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 58).unwrap_or_default()
    }
}

/// The fields of a stream that are not extra.
#[derive(Debug)]
pub(super) struct Keys {
    /// Open addressing: a name stands at its place or after it.
    short: [Option<(Short, Slot)>; PLACES],
    long: FxHashMap<String, Slot>,
}

impl Keys {
    /// Those of a layout.
    pub(super) fn new(layout: &Layout) -> Self {
        let mut keys = Self { short: [None; PLACES], long: FxHashMap::default() };
        for (name, slot) in layout.slots() {
            match Short::of(name.as_bytes()) {
                Some(short) => {
                    let places = (0..PLACES).map(|step| (short.place() + step) % PLACES);
                    if let Some(place) = places.into_iter().find(|place| keys.short[*place].is_none()) {
                        keys.short[place] = Some((short, slot));
                    }
                }
                None => drop(keys.long.insert(name.to_owned(), slot)),
            }
        }
        keys
    }

    /// Where a field of that name goes.
    pub(super) fn slot(&self, name: &str) -> Slot {
        let Some(short) = Short::of(name.as_bytes()) else {
            return self.long.get(name).copied().unwrap_or(Slot::Extra);
        };
        let mut place = short.place();
        while let Some((known, slot)) = self.short[place] {
            if known == short {
                return slot;
            }
            place = (place + 1) % PLACES;
        }
        Slot::Extra
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Stream;

    #[test]
    fn every_name_goes_where_its_layout_says_and_no_other_goes_there() {
        for stream in Stream::ALL {
            let layout = Layout::of(stream);
            let keys = Keys::new(&layout);
            for (name, slot) in layout.slots() {
                assert_eq!(keys.slot(name), slot, "{name}");
                for other in
                    [format!("{name}_"), format!("_{name}"), name.to_uppercase(), name[1..].to_owned()]
                {
                    assert_eq!(keys.slot(&other), layout.slot(&other), "{other}");
                }
            }
            assert_eq!(keys.slot(""), Slot::Extra);
        }
    }
}
