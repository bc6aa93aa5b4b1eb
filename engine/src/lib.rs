//! The columnar core: from records of the contract to published quotas.
//!
//! Start at `pipeline::run`: the stages of a daily run, in order, on one screen. A record's way here:
//! `ingest` (decode, check) → `lake` → `tile` → `window` → `measure` → `factor` → `quota` → marts.
//! No network server, no command line and no model fitting live in this crate.

pub mod contract;
pub mod error;
pub mod settings;
pub mod time;

pub mod catalogue;
pub mod derive;
pub mod ingest;
pub mod lake;
pub mod measure;
pub mod tile;

pub use error::{EngineError, Result};
