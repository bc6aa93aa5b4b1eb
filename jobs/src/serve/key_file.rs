//! The file of keys: names, hashes, and what each key may do and see.

use std::path::Path;

use engine::EngineError;
use serde::{Deserialize, Serialize};

use crate::cli::Scope;
use crate::config::located;

/// What every key begins with.
pub(super) const PREFIX: &str = "tl_";

/// The file of keys.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyFile {
    /// The keys, in the order in which they were made.
    #[serde(default)]
    pub(crate) key: Vec<Key>,
}

/// A key as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) id: String,
    /// BLAKE3 of its secret, in hex.
    pub(crate) hash: String,
    /// What it may do.
    pub(crate) scopes: Vec<Scope>,
    /// It sees this rep only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rep: Option<String>,
    /// It sees this manager's team only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) manager: Option<String>,
    /// Requests a second, where it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) requests_per_second: Option<f64>,
}

impl KeyFile {
    /// Reads the file; none where there is no file yet.
    ///
    /// # Errors
    /// [`EngineError::Input`] that says what is wrong and where.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, EngineError> {
        let wrong = |what: String| EngineError::Input(format!("the keys {}: {what}", path.display()));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error.to_string())),
        };
        let name = path.display().to_string();
        let file: Self = toml::from_str(&text)
            .map_err(|error| EngineError::Input(format!("the keys {}", located(&name, &text, &error))))?;
        let mut seen = std::collections::BTreeSet::new();
        for key in &file.key {
            key.check().map_err(|what| wrong(format!("key {}: {what}", key.id)))?;
            if !seen.insert(&key.id) {
                return Err(wrong(format!("key {} is there twice; remove one", key.id)));
            }
        }
        Ok(Some(file))
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Where it can't be written.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = toml::to_string(self)?;
        Ok(engine::lake::write_atomically(&std::path::absolute(path)?, text.as_bytes())?)
    }
}

impl Key {
    /// Says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 64 || !self.id.chars().all(plain) {
            return Err("a name has 1 to 64 small letters, digits and hyphens".to_owned());
        }
        if blake3::Hash::from_hex(&self.hash).is_err() {
            return Err("hash must be 64 hex digits; `tideline key add` makes keys".to_owned());
        }
        if self.scopes.is_empty() {
            return Err("scopes must name at least one scope".to_owned());
        }
        if self.rep.is_some() && self.manager.is_some() {
            return Err("it has a rep and a manager; it can see a rep or a team".to_owned());
        }
        if self.rep.as_deref() == Some("") || self.manager.as_deref() == Some("") {
            return Err(
                "rep and manager must not be empty; leave them out for a key that sees all".to_owned()
            );
        }
        if self.requests_per_second.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err("requests_per_second must be above 0".to_owned());
        }
        Ok(())
    }
}

/// A new secret, and the hash to keep of it.
///
/// # Errors
/// Where the system gives no randomness.
pub(crate) fn new_secret(id: &str) -> anyhow::Result<(String, String)> {
    let mut bytes = [0_u8; 32];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes)
        .map_err(|_| anyhow::anyhow!("the system gives no random bytes"))?;
    let secret = blake3::Hash::from_bytes(bytes).to_hex();
    Ok((format!("{PREFIX}{id}_{secret}"), hash(&secret)))
}

fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}
