//! The library behind the `tideline` command: configuration, subcommands and the wiring of the other crates.

pub mod import;
pub mod predictor;
