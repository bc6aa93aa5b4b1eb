//! Derived events: recognises, in the events of all entities, the sequences that the catalogue's derived models define.
//! Sits between check and tile: what it yields is stored beside what was sent.
//!
//! ```text
//! quote.sent 09:00 ──── nothing of the customer's answers for 72 h ────► derived.quote_unanswered_72h 09:00, three days on
//! ```
//!
//! Everything here is a pure function of events in order. A definition moves once over the events it watches, with one
//! small state per entity, so that the cost is linear in events.

mod event;
mod machine;
#[cfg(test)]
mod properties;
mod recognise;
mod reduce;
#[cfg(test)]
mod tests;

pub use event::{DerivedEvent, SequenceEvent};
pub use recognise::{Known, recognise, still_needed};
pub use reduce::reduce;
pub(crate) use reduce::wants_ends;
