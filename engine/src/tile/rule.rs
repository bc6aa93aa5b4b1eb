//! What each event code means to the tile kernel.

use rustc_hash::FxHashMap;

use crate::catalogue::{Catalogue, Definition, Entity, EventCode};
use crate::derive::wants_ends;

/// What an event code means to the tile kernel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rule {
    pub(crate) flags: u16,
    /// Whether it tells of the life of a lead or opportunity.
    pub(crate) life: bool,
    /// By kind of entity, whether sequences of its events want this one.
    pub(crate) watched: [bool; Entity::ALL.len()],
    /// The definitions, as bits, that want no more of a rep's day than its first and last.
    pub(crate) ends: u32,
    pub(crate) kind: Kind,
}

/// Codes that the kernel counts by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any other.
    #[default]
    Other,
    /// `order.placed`
    Order,
    /// `deal.signed`
    Deal,
    /// `quote.sent`
    QuoteSent,
    /// `quote.accepted`
    QuoteAccepted,
    /// `quote.rejected`
    QuoteRejected,
}

/// The meaning of every code of a catalogue, by code.
#[derive(Debug)]
pub(crate) struct Rules {
    by_code: FxHashMap<String, (EventCode, Rule)>,
    /// The derived models.
    pub(super) definitions: Vec<Definition>,
}

impl Rules {
    pub(crate) fn new(catalogue: &Catalogue) -> Self {
        let mut by_code: FxHashMap<String, (EventCode, Rule)> = FxHashMap::default();
        for model in catalogue.models() {
            let Some((code, _)) = catalogue.get(&model.code) else { continue };
            let name = model.code.as_str();
            let kind = match name {
                "order.placed" => Kind::Order,
                "deal.signed" => Kind::Deal,
                "quote.sent" => Kind::QuoteSent,
                "quote.accepted" => Kind::QuoteAccepted,
                "quote.rejected" => Kind::QuoteRejected,
                _ => Kind::Other,
            };
            let life = name.starts_with("lead.") || name.starts_with("opportunity.");
            by_code.insert(
                name.to_owned(),
                (code, Rule { flags: model.flags.bits(), life, kind, ..Rule::default() }),
            );
        }
        let mut bits = (0..u32::BITS).map(|bit| 1 << bit);
        for definition in catalogue.definitions() {
            let bit = if wants_ends(definition) { bits.next() } else { None };
            let (counts, undoes) = definition.sequence.codes();
            let codes = counts.iter().map(|code| (code, bit)).chain(undoes.iter().map(|code| (code, None)));
            for (code, bit) in codes {
                let name = catalogue.model(*code).map_or("", |model| model.code.as_str());
                let Some((_, rule)) = by_code.get_mut(name) else { continue };
                match bit {
                    Some(bit) => rule.ends |= bit,
                    None => rule.watched[definition.entity.index()] = true,
                }
            }
        }
        Self { by_code, definitions: catalogue.definitions().to_vec() }
    }

    pub(crate) fn get(&self, code: &str) -> Option<Rule> {
        self.by_code.get(code).map(|(_, rule)| *rule)
    }

    /// An event type as the catalogue numbers it, and its meaning.
    pub(super) fn find(&self, code: &str) -> Option<(EventCode, Rule)> {
        self.by_code.get(code).copied()
    }
}
