//! What the event catalogue says of each event type, flattened for checking rows.

use rustc_hash::FxHashMap;

use super::layout::behaviour::{AMOUNT, FIRST_ENTITY};
use super::reason::{self, Fault};
use crate::catalogue::{Catalogue, Channel, Entity};

/// What an event of one type must carry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    /// Position in [`Channel::ALL`].
    pub(crate) channel: u8,
    /// Bit k: the k-th of [`Entity::ALL`] must be there.
    pub(crate) entities: u8,
    pub(crate) amount: bool,
    pub(crate) derived: bool,
}

impl Rule {
    /// Whether ids (bit k: the k-th entity is there) and amount satisfy the rule.
    pub(crate) fn check(self, entities: u8, amount: bool) -> Result<(), Fault> {
        if entities == 0 {
            return Err(Fault::record(reason::NO_ENTITY));
        }
        let lacking = self.entities & !entities;
        if lacking != 0 {
            let entity = usize::try_from(lacking.trailing_zeros()).unwrap_or_default();
            return Err(Fault::column(FIRST_ENTITY + entity, reason::REQUIRED));
        }
        if self.amount && !amount {
            return Err(Fault::column(AMOUNT, reason::REQUIRED));
        }
        Ok(())
    }
}

/// The rules of a catalogue, by event type.
#[derive(Debug)]
pub(crate) struct Rules {
    by_code: FxHashMap<String, Rule>,
}

impl Rules {
    /// Flattens a catalogue.
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let rule = |model: &crate::catalogue::Model| {
            let entities = Entity::ALL
                .into_iter()
                .enumerate()
                .filter(|(_, entity)| model.required.contains(*entity))
                .fold(0_u8, |bits, (position, _)| bits | 1 << position);
            Rule {
                channel: channel_position(model.channel),
                entities,
                amount: model.amount_required,
                derived: model.derived,
            }
        };
        let by_code = catalogue.models().iter().map(|model| (model.code.clone(), rule(model))).collect();
        Self { by_code }
    }

    /// The rule of an event type that may be sent.
    pub(crate) fn of(&self, code: &str) -> Result<Rule, &'static str> {
        match self.by_code.get(code) {
            None => Err(reason::UNKNOWN_EVENT),
            Some(rule) if rule.derived => Err(reason::DERIVED_EVENT),
            Some(rule) => Ok(*rule),
        }
    }
}

/// The position of a channel in [`Channel::ALL`].
pub(crate) fn channel_position(channel: Channel) -> u8 {
    Channel::ALL
        .into_iter()
        .position(|other| other == channel)
        .and_then(|position| u8::try_from(position).ok())
        .unwrap_or_default()
}

/// The word of the channel at a position of [`Channel::ALL`].
pub(crate) fn channel_word(position: u8) -> &'static str {
    Channel::ALL.get(usize::from(position)).map_or("", |channel| channel.as_str())
}
