//! Tests of the rule language through its public API.

mod accepted;
mod generated;
mod refused;
