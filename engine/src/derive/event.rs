//! What goes into the recogniser and what comes out.

use crate::catalogue::{Definition, Entity, EventCode};

/// An event as far as sequences care: when, what, of whom. Borrows its texts from the caller's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceEvent<'a> {
    /// `event_time`, µs since the epoch, UTC.
    pub time_us: i64,
    /// `event_id`; orders events of one instant, by bytes.
    pub event_id: &'a str,
    /// The event type, as the catalogue of the definitions numbers it.
    pub code: EventCode,
    /// `rep_id`.
    pub rep: Option<&'a str>,
    /// `customer_id`.
    pub customer: Option<&'a str>,
    /// `lead_id`.
    pub lead: Option<&'a str>,
    /// `opportunity_id`.
    pub opportunity: Option<&'a str>,
    /// None for an event as it was read. A fact that [`super::still_needed`] carries over belongs to the one derived
    /// model named here; the others don't see it, because they may have dropped what came between.
    pub only_for: Option<EventCode>,
}

impl<'a> SequenceEvent<'a> {
    /// The id of that entity.
    pub fn id(&self, entity: Entity) -> Option<&'a str> {
        match entity {
            Entity::Rep => self.rep,
            Entity::Customer => self.customer,
            Entity::Lead => self.lead,
            Entity::Opportunity => self.opportunity,
        }
    }
}

/// An event recognised from a sequence. It carries the ids of the event that set it off: the last of a streak, the
/// trigger of a silence, the last sign of life of an idle entity.
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
    /// The event that set it off; its ids are this event's.
    pub trigger: SequenceEvent<'a>,
}

impl<'a> DerivedEvent<'a> {
    pub(super) fn new(
        definition: &Definition,
        entity_id: &'a str,
        time_us: i64,
        trigger: SequenceEvent<'a>,
    ) -> Self {
        Self {
            time_us,
            event_id: id_of(&definition.name, entity_id, time_us),
            code: definition.code,
            entity: definition.entity,
            entity_id,
            trigger: SequenceEvent { only_for: None, ..trigger },
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
