//! Tests of the rule language through its public API.

mod accepted;
mod acting;
mod generated;
mod refused;
