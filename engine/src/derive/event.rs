//! What goes into the recogniser and what comes out.

use super::machine::Fired;
use crate::catalogue::{Definition, Entity, EventCode};

/// An event as far as sequences care: when, what, of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceEvent<I = u32> {
    /// `event_time`, µs since the epoch, UTC.
    pub time_us: i64,
    /// Where the caller finds the event again.
    pub place: usize,
    /// The event type, as the catalogue of the definitions numbers it.
    pub code: EventCode,
    /// Of whom, by [`Entity::index`]: numbers from 0 on, without large gaps, or anything else that tells them apart.
    pub ids: [Option<I>; Entity::ALL.len()],
    /// None for an event as it was read. A fact that [`super::still_needed`] carries over belongs to the one derived
    /// model named here; the others don't see it, because they may have dropped what came between.
    pub only_for: Option<EventCode>,
}

impl<I: Copy> SequenceEvent<I> {
    /// Its entity of that kind.
    pub fn id(&self, entity: Entity) -> Option<I> {
        self.ids.get(entity.index()).copied().flatten()
    }
}

/// An event recognised from a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedEvent<'a> {
    /// When it came true: the event's time, or the deadline, µs since the epoch, UTC.
    pub time_us: i64,
    /// 32 hex digits, the same whenever the same thing is recognised again.
    pub event_id: String,
    /// The derived model.
    pub code: EventCode,
    /// Whose sequence it is.
    pub entity: Entity,
    /// That entity's id.
    pub entity_id: &'a str,
    /// The place of the event that set it off, whose ids it takes: the last of a streak, the trigger of a silence, the
    /// last sign of life of an idle entity.
    pub trigger: usize,
}

impl<'a> DerivedEvent<'a> {
    pub(super) fn new(definition: &Definition, entity_id: &'a str, fired: Fired) -> Self {
        Self {
            time_us: fired.time_us,
            event_id: id_of(&definition.name, entity_id, fired.time_us),
            code: definition.code,
            entity: definition.entity,
            entity_id,
            trigger: fired.trigger,
        }
    }
}

/// Half of the BLAKE3 of code, entity and time, each ended so that no two triples read the same. Ids may hold any
/// text, so the entity comes with its length.
fn id_of(code: &str, entity_id: &str, time_us: i64) -> String {
    let text = format!("{code}\n{time_us}\n{}\n{entity_id}", entity_id.len());
    let hex = blake3::hash(text.as_bytes()).to_hex();
    hex.chars().take(32).collect()
}
