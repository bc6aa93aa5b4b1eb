//! Negotiation: what somebody asked for a rep's quota, what was said about it, and what of it was approved.
//!
//! ```text
//! request → comment … → counter … → approve | reject        events of ops.adjustment, never changed
//!                                      │ in force: of the run's period, not before its first day nor after its last
//! proposal → rules → approved adjustments → reconciliation → those beyond plan
//! ```
//!
//! An [`Event`] is what happened (`event`, `store`), a [`Request`] what its events come down to (`request`), an
//! [`Adjustment`] what acts on a run's quotas (`acting`).

mod acting;
mod event;
mod request;
mod store;
#[cfg(test)]
mod tests;

pub use acting::{Adjusted, Adjustment};
pub(crate) use acting::{Placed, hash, in_force};
pub(crate) use event::fields;
pub use event::{Ask, Change, Event, EventKind};
pub use request::{Request, Status, requests};
pub use store::{add, load, of_table, request_id};
