//! Check: the contract's rules, from a field's text to its typed value, and from a record to a row or a reason.

mod buffer;
mod cell;
pub(crate) mod evidence;
pub(crate) mod layout;
pub(crate) mod map;
pub(crate) mod reason;
pub(crate) mod rows;
pub(crate) mod rules;
#[cfg(test)]
mod tests;
pub(crate) mod value;
