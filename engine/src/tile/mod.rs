//! Day tiles: per entity and day, integers that merge by addition and maximum.
pub mod rep;
