//! A run's identity: the hash of everything it is made of.

use std::collections::BTreeMap;

use super::source::Sources;
use crate::catalogue::Catalogue;
use crate::quota::Predictor;
use crate::rule::Book;
use crate::score::Models;
use crate::settings::Settings;
use crate::tile::content_id;
use crate::time::{Day, date};

/// What a run is made of, and the hash of it.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) run_id: String,
    /// Table → version read.
    pub(super) inputs: BTreeMap<&'static str, i64>,
    pub(super) config_hash: String,
    pub(super) catalogue_hash: String,
    pub(super) program: String,
}

pub(super) fn of(
    sources: &Sources,
    settings: &Settings,
    catalogue: &Catalogue,
    predictor: &dyn Predictor,
    rules: &Book,
    models: Models<'_>,
    as_of: Day,
) -> Identity {
    let inputs: BTreeMap<&'static str, i64> =
        sources.tables().map(|table| (table.spec().name, table.version())).collect();
    let config_hash = match rules.hash() {
        Some(rules) => {
            blake3::hash(format!("{} {rules}", settings.hash()).as_bytes()).to_hex()[..32].to_owned()
        }
        None => settings.hash(),
    };
    let catalogue_hash = catalogue.hash().to_owned();
    let program =
        format!("tideline {} · {}{}", env!("CARGO_PKG_VERSION"), predictor.name(), models.identity());
    let mut hasher = blake3::Hasher::new();
    for (_, _, run) in sources.openings(as_of, settings.quota.period) {
        hasher.update(run.run_id.as_bytes());
    }
    let previous = sources.previous(as_of).map(|run| run.run_id.clone()).unwrap_or_default();
    let day = date(as_of).to_string();
    let parts = [day.as_str(), &config_hash, &catalogue_hash, &program, &previous];
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    // By content, not by version: folding a table's files leaves a run what it is.
    for table in sources.tables() {
        let content = table.files().iter().fold(0, |sum: u64, file| sum.wrapping_add(content_id(file)));
        hasher.update(format!("{}={content:016x}\n", table.spec().name).as_bytes());
    }
    let run_id = hasher.finalize().to_hex()[..16].to_owned();
    Identity { run_id, inputs, config_hash, catalogue_hash, program }
}
