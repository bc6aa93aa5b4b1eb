//! What happens to leads, opportunities, deals and orders. A life is drawn whole when it begins, and its
//! events wait for their days.

pub(crate) mod deal;
pub(crate) mod hours;
pub(crate) mod lead;
pub(crate) mod opportunity;
pub(crate) mod order;
pub(crate) mod ordinary;
pub(crate) mod pending;
pub(crate) mod profile;
