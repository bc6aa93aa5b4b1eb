//! The event catalogue: what every event type is and what it counts as. Read once at start, used by check (which
//! events are good), by tile (what they count as) and by derive (which sequences are recognised).
//!
//! The catalogue is data: `engine/catalogue/catalogue.toml`, compiled in, or a team's own file of the same form.

mod contract;
mod definition;
mod error;
mod model;
mod read;
#[cfg(test)]
mod refusals;
mod table;
#[cfg(test)]
mod tests;
mod toml_rows;

use rustc_hash::FxHashMap;

pub use definition::{Definition, Duration, Sequence};
pub use error::{CatalogueError, Place};
pub use model::{Channel, Entity, EntitySet, EventCode, Flags, Model};

/// The catalogue that comes with the program.
const BUILTIN: &str = include_str!("../../catalogue/catalogue.toml");

/// All behaviour models and derived models, in the order of their codes (by bytes).
#[derive(Debug, Clone)]
pub struct Catalogue {
    models: Vec<Model>,
    index: FxHashMap<String, EventCode>,
    definitions: Vec<Definition>,
    hash: String,
    text: String,
}

impl Catalogue {
    /// The catalogue compiled into the program.
    ///
    /// # Errors
    /// As [`Catalogue::from_toml`]; a test holds the built-in file to be good, so none occurs in a tested build.
    pub fn builtin() -> Result<Self, CatalogueError> {
        Self::from_toml(BUILTIN, "catalogue.toml")
    }

    /// Reads a catalogue in the form that the head of the built-in file describes. `file_name` is for messages only.
    ///
    /// # Errors
    /// The first thing wrong in the file, with its line, its field and what would be right.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, CatalogueError> {
        let (models, definitions) = read::read(text, file_name)?;
        let index =
            models.iter().zip(EventCode::all()).map(|(model, code)| (model.code.clone(), code)).collect();
        let hash = hash_of(&models, &definitions);
        Ok(Self { models, index, definitions, hash, text: text.to_owned() })
    }

    /// The dense code and the model of an `event_type`; none where the catalogue doesn't know it.
    pub fn get(&self, code: &str) -> Option<(EventCode, &Model)> {
        let &dense = self.index.get(code)?;
        Some((dense, self.models.get(dense.index())?))
    }

    /// The model behind a dense code of this catalogue; none for a code of a larger one.
    pub fn model(&self, code: EventCode) -> Option<&Model> {
        self.models.get(code.index())
    }

    /// All models in the order of their codes: the position of a model is its [`EventCode::index`].
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The derived models' sequences, in the order of their codes.
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The text that it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// BLAKE3 of the content, 64 hex digits. Order of lines, spacing and comments don't change it.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// Hashes every field of every model, each with its length before it, so that no two catalogues read the same.
fn hash_of(models: &[Model], definitions: &[Definition]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut field = |text: &str| {
        hasher.update(format!("{}:{text}", text.len()).as_bytes());
    };
    for model in models {
        field(&model.code);
        field(&model.name_en);
        field(&model.name_zh);
        field(model.channel.as_str());
        field(&model.required.to_string());
        field(if model.amount_required { "amount" } else { "" });
        field(&model.flags.to_string());
        field(&model.attributes.join(","));
    }
    for definition in definitions {
        field(&definition.name);
        field(definition.entity.as_str());
        field(&definition.rule(models));
    }
    hasher.finalize().to_hex().to_string()
}
