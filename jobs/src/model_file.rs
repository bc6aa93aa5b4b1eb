//! The files that models of a lake are kept in: JSON, named after its content.

use engine::EngineError;
use engine::lake::{Entry, Lake};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::customer_model::{CUSTOMER, CustomerModel};
use crate::index_model::{INDEX, IndexModel};
use crate::lead_model::{LEAD, LeadModel};
use crate::win_model::{WIN, WinModel};

/// The version of their form.
pub(crate) const FORMAT: u32 = 1;

/// What every file begins with.
#[derive(Deserialize)]
struct Head {
    format: u32,
    name: String,
}

/// The id of a model: the hash of its file.
pub(crate) fn model_id(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..16].to_owned()
}

/// Reads a file of the model of `name`.
///
/// # Errors
/// A sentence that says what is wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, String> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if head.format != FORMAT {
        return Err(format!("it has format {}, this program reads {FORMAT}", head.format));
    }
    if head.name != name {
        return Err(format!("it is a model of {}, not of {name}", head.name));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

/// Reads the model that an entry of `ops.model` names.
///
/// # Errors
/// [`EngineError::Lake`] where its file is missing or damaged.
pub(crate) fn load<T>(
    lake: &Lake,
    entry: &Entry,
    read: impl Fn(&[u8]) -> Result<T, String>,
) -> Result<T, EngineError> {
    let path = lake.model_path(&entry.model_id);
    let bytes = std::fs::read(&path).map_err(|error| error.to_string());
    let unchanged = bytes.and_then(|bytes| {
        let same = model_id(&bytes) == entry.model_id;
        if same { Ok(bytes) } else { Err("its content has changed".to_owned()) }
    });
    unchanged.and_then(|bytes| read(&bytes)).map_err(|why| {
        EngineError::Lake(format!(
            "the model {} can't be used: {}: {why}; `tideline model rollback --of {}` takes it back",
            entry.model_id,
            path.display(),
            entry.name
        ))
    })
}

/// Whether the model of an entry can be used.
///
/// # Errors
/// As [`load`].
pub(crate) fn check(lake: &Lake, entry: &Entry) -> Result<(), EngineError> {
    match entry.name.as_str() {
        LEAD => LeadModel::load(lake, entry).map(drop),
        WIN => WinModel::load(lake, entry).map(drop),
        INDEX => IndexModel::load(lake, entry).map(drop),
        CUSTOMER => CustomerModel::load(lake, entry).map(drop),
        other => Err(EngineError::Lake(format!("this program knows no models of {other}"))),
    }
}
