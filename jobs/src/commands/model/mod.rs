//! `tideline model`: the models of a lake, and models of a table of one's own.

pub(super) mod fit;
pub(super) mod lake;
pub(super) mod output;
pub(super) mod score;

use std::path::Path;

use anyhow::Context as _;
use models::tabular::{Model, TabularError};
use serde::{Deserialize, Serialize};

use crate::import::BadInput;

/// The version of the form below.
const FORMAT: u32 = 1;
const MODEL_FILE: &str = "model.json";
const REPORT_FILE: &str = "report.json";

/// A model on disk, with what the command needs to know beside it.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    /// The version of this form.
    format: u32,
    /// The column learnt, and its value whose probability is meant.
    label: String,
    positive: String,
    /// The column that names rows.
    id: Option<String>,
    model: Model,
}

impl Saved {
    /// Reads the model in a folder.
    fn load(dir: &Path) -> anyhow::Result<Self> {
        /// What is looked at first.
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let path = dir.join(MODEL_FILE);
        let name = path.display();
        let text = std::fs::read_to_string(&path).map_err(|error| {
            BadInput::new(format!("{name}: {error}; `tideline model fit --out DIR` writes a model"))
        })?;
        let wrong = |error| BadInput::new(format!("{name} is not a model: {error}"));
        let Version { format } = serde_json::from_str(&text).map_err(wrong)?;
        if format != FORMAT {
            let message =
                format!("{name} has format {format}, this program reads {FORMAT}; fit the model again");
            return Err(BadInput::new(message).into());
        }
        let saved: Self = serde_json::from_str(&text).map_err(wrong)?;
        if !saved.model.is_sound() {
            let message = format!("{name} is damaged: its parts don't fit each other; fit the model again");
            return Err(BadInput::new(message).into());
        }
        Ok(saved)
    }
}

/// A table that a model refuses is wrong input.
fn refused(path: &Path, error: &TabularError) -> anyhow::Error {
    match error {
        TabularError::Solver { .. } => anyhow::anyhow!("{}: {error}", path.display()),
        _ => BadInput::new(format!("{}: {error}", path.display())).into(),
    }
}

/// Writes a text whole or not at all.
fn write_json(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let mut file = crate::output::AtomicFile::create(path)?;
    serde_json::to_writer_pretty(&mut file, value).with_context(|| format!("writing {}", path.display()))?;
    file.publish()
}
