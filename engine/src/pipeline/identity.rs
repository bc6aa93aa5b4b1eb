//! A run's identity: the hash of everything it is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::source::Sources;
use crate::adjust;
use crate::catalogue::Catalogue;
use crate::quota::{Predictor, Span};
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
    /// What the hashes stand for.
    pub(super) texts: [Text; 2],
}

/// What a hash stands for, kept so that a run can be made again.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) kind: &'static str,
    pub(super) hash: String,
    pub(super) content: String,
}

/// Settings and rules of a run, as `ops.text` keeps them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    pub(super) settings: Settings,
    /// The text of the rules; empty without one.
    pub(super) rules: String,
}

impl Configuration {
    /// What `ops.text` calls it, and an event catalogue.
    pub(super) const KIND: &'static str = "configuration";
    pub(super) const CATALOGUE: &'static str = "catalogue";
}

/// The hash of settings and rules.
pub(super) fn config_hash(settings: &Settings, rules: &Book) -> String {
    joined(settings.hash(), rules)
}

/// The hash of settings with that of rules, where there are any.
pub(super) fn joined(settings: String, rules: &Book) -> String {
    match rules.hash() {
        Some(rules) => blake3::hash(format!("{settings} {rules}").as_bytes()).to_hex()[..32].to_owned(),
        None => settings,
    }
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
    let inputs = sources.inputs();
    let config_hash = config_hash(settings, rules);
    let catalogue_hash = catalogue.hash().to_owned();
    let program = program(predictor, models);
    let mut hasher = blake3::Hasher::new();
    for (_, _, run) in sources.openings(as_of, settings.quota.period) {
        hasher.update(run.run_id.as_bytes());
    }
    let period = Span::of(as_of, settings.quota.period);
    if let Some(run) = sources.opening(as_of, &period) {
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
    // A run without adjustments is what it was before there were any.
    if let Some(adjustments) = adjust::hash(&sources.adjustments(as_of, settings)) {
        hasher.update(format!("ops.adjustment={adjustments}\n").as_bytes());
    }
    let run_id = hasher.finalize().to_hex()[..16].to_owned();
    let configuration = Configuration { settings: settings.clone(), rules: rules.source.clone() };
    let texts = [
        Text {
            kind: Configuration::KIND,
            hash: config_hash.clone(),
            content: serde_json::to_string(&configuration).unwrap_or_default(),
        },
        Text {
            kind: Configuration::CATALOGUE,
            hash: catalogue_hash.clone(),
            content: catalogue.text().to_owned(),
        },
    ];
    Identity { run_id, inputs, config_hash, catalogue_hash, program, texts }
}

/// This program with this prediction and these models.
pub(super) fn program(predictor: &dyn Predictor, models: Models<'_>) -> String {
    format!("tideline {} · {}{}", env!("CARGO_PKG_VERSION"), predictor.name(), models.identity())
}
