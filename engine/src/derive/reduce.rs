//! A day's events, cut down to those that can matter to a definition: what lies between others changes nothing, whatever
//! else of the day comes to light later.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::SequenceEvent;
use super::machine::Role;
use super::recognise::watchers;
use crate::catalogue::{Definition, Entity, Sequence};

/// Longer than any day: within a day, no deadline of this length can pass.
const LONGER_THAN_A_DAY_US: i64 = 26 * 3_600 * 1_000_000;

/// What was seen of one definition and entity: positions in the list.
#[derive(Debug, Default)]
struct Seen {
    last_count: Option<usize>,
    last_undo: Option<usize>,
}

/// Of one day's events, in order, those that [`super::recognise`] needs to find the same as with all of them.
///
/// | kind | kept, per entity |
/// |---|---|
/// | `first` | the first |
/// | `streak` | everything |
/// | `silence_after` | the first and the last answer, and every trigger |
/// | `idle` | the first and the last sign of life, and what ends it |
///
/// Events that one definition keeps are harmless to the others, and a list already reduced stays what it is. What is
/// dropped once would be dropped as well if the day had more events: a reduced list and late events, reduced together,
/// are the whole day reduced. Where a deadline can pass within a day, everything is kept.
pub fn reduce<I: Copy + Eq + Hash>(definitions: &[Definition], events: &[SequenceEvent<I>]) -> Vec<bool> {
    let watchers = watchers(definitions);
    let mut keep = vec![false; events.len()];
    let mut states: FxHashMap<(usize, I), Seen> = FxHashMap::default();
    for (position, event) in events.iter().enumerate() {
        for &(watcher, role) in watchers.get(event.code.index()).map_or(&[][..], Vec::as_slice) {
            let definition = &definitions[watcher];
            let Some(id) = event.id(definition.entity) else { continue };
            let seen = states.entry((watcher, id)).or_default();
            let long = match &definition.sequence {
                Sequence::Idle { within, .. } | Sequence::SilenceAfter { within, .. } => {
                    within.as_micros() >= LONGER_THAN_A_DAY_US
                }
                Sequence::First { .. } | Sequence::Streak { .. } => true,
            };
            let matters = match (&definition.sequence, role) {
                (Sequence::First { .. }, _) | (Sequence::Idle { .. }, Role::Counts) => {
                    seen.last_count.is_none()
                }
                (Sequence::Streak { .. }, _)
                | (Sequence::Idle { .. }, Role::Undoes)
                | (Sequence::SilenceAfter { .. }, Role::Counts) => true,
                (Sequence::SilenceAfter { .. }, Role::Undoes) => seen.last_undo.is_none(),
            };
            keep[position] |= matters || !long;
            match role {
                Role::Counts => seen.last_count = Some(position),
                Role::Undoes => seen.last_undo = Some(position),
            }
        }
    }
    for ((watcher, _), seen) in states {
        let last = match definitions[watcher].sequence {
            Sequence::First { .. } | Sequence::Streak { .. } => None,
            Sequence::SilenceAfter { .. } => seen.last_undo,
            Sequence::Idle { .. } => seen.last_count,
        };
        if let Some(position) = last {
            keep[position] = true;
        }
    }
    keep
}

/// Whether a definition wants no more of a rep's day than the first and the last of what counts.
pub(crate) fn wants_ends(definition: &Definition) -> bool {
    let long = match &definition.sequence {
        Sequence::First { .. } => true,
        Sequence::Idle { within, .. } => within.as_micros() >= LONGER_THAN_A_DAY_US,
        Sequence::Streak { .. } | Sequence::SilenceAfter { .. } => false,
    };
    long && definition.entity == Entity::Rep
}
