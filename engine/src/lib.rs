//! The columnar core: from records of the contract to published quotas.
//!
//! Start at [`pipeline::run`]: the stages of a daily run, in order, on one screen. A record's way here:
//! `ingest` (decode, check) → `lake` → `tile` → `window` → `measure` → `factor` → `quota` → marts.
//! No network server, no command line and no model fitting live in this crate.

pub mod contract;
pub mod error;
pub mod settings;
pub mod time;

pub mod adjust;
pub mod catalogue;
pub mod derive;
pub mod entity;
pub mod factor;
pub mod ingest;
pub mod kafka;
pub mod lake;
pub mod mart;
pub mod measure;
pub mod pipeline;
pub mod quota;
pub mod route;
pub mod rule;
pub mod score;
pub mod suggest;
pub mod tile;
pub mod window;

pub use error::{EngineError, Result};
pub use pipeline::live;
