//! A day's events, cut down to those that can matter to a definition: what lies between others changes nothing.

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
    /// The first trigger since the last answer.
    waiting: Option<usize>,
    /// Whether the last one kept for a streak broke it.
    broken: bool,
}

/// Of one day's events, in order, those that [`super::recognise`] needs to find the same as with all of them.
///
/// | kind | kept, per entity |
/// |---|---|
/// | `first` | the first |
/// | `streak` | what counts, and of what breaks it the first in a row |
/// | `silence_after` | the first and the last answer, and the first trigger after it |
/// | `idle` | the first and the last sign of life, and what ends it |
///
/// Events that one definition keeps are harmless to the others, and a list already reduced stays what it is. Where a
/// deadline can pass within a day, everything is kept.
pub fn reduce(definitions: &[Definition], events: &[SequenceEvent<'_>]) -> Vec<bool> {
    let watchers = watchers(definitions);
    let mut keep = vec![false; events.len()];
    let mut states: FxHashMap<(usize, &str), Seen> = FxHashMap::default();
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
                (Sequence::Streak { .. }, Role::Counts) | (Sequence::Idle { .. }, Role::Undoes) => true,
                (Sequence::Streak { .. }, Role::Undoes) => !seen.broken,
                (Sequence::SilenceAfter { .. }, Role::Counts) => false,
                (Sequence::SilenceAfter { .. }, Role::Undoes) => seen.last_undo.is_none(),
            };
            keep[position] |= matters || !long;
            match role {
                Role::Counts => {
                    seen.last_count = Some(position);
                    seen.waiting = seen.waiting.or(Some(position));
                }
                Role::Undoes => {
                    seen.last_undo = Some(position);
                    seen.waiting = None;
                }
            }
            seen.broken = role == Role::Undoes;
        }
    }
    for ((watcher, _), seen) in states {
        let last = match definitions[watcher].sequence {
            Sequence::First { .. } | Sequence::Streak { .. } => [None, None],
            Sequence::SilenceAfter { .. } => [seen.last_undo, seen.waiting],
            Sequence::Idle { .. } => [seen.last_count, None],
        };
        last.into_iter().flatten().for_each(|position| keep[position] = true);
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
