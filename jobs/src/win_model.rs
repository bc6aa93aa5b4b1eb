//! Adapter: the engine's scoring of opportunities over the hazards of [`models::hazard`], and the file they are kept in.

use std::borrow::Cow;

use engine::EngineError;
use engine::lake::{Entry, Lake};
use engine::score::WinScorer;
use models::hazard::{Forecast, Hazards, Spread};
use serde::{Deserialize, Serialize};

use crate::model_file::{FORMAT, load, model_id, parse};

/// What it is a model of, in `ops.model`.
pub const WIN: &str = "win";

/// A model of wins, with all chances worked out.
#[derive(Debug)]
pub struct WinModel {
    id: String,
    file: WinFile,
    forecast: Forecast,
    spread: Option<Spread>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WinFile {
    format: u32,
    name: Cow<'static, str>,
    as_of: String,
    stages: Vec<Vec<String>>,
    hazards: Hazards,
    /// Fitted without a part of the stays each; none in files of before there were intervals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<Hazards>,
}

impl WinModel {
    /// The bytes of the file of fitted hazards.
    ///
    /// # Errors
    /// Where they can't be written as JSON.
    pub fn to_bytes(
        stages: Vec<Vec<String>>,
        hazards: Hazards,
        parts: Vec<Hazards>,
        as_of: String,
    ) -> anyhow::Result<Vec<u8>> {
        let file = WinFile { format: FORMAT, name: WIN.into(), as_of, stages, hazards, parts };
        Ok(serde_json::to_vec(&file)?)
    }

    /// The model in a file; its id is the hash of the bytes.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let file: WinFile = parse(bytes, WIN)?;
        let fits = |hazards: &Hazards| hazards.is_sound() && hazards.stages() == file.stages.len() + 1;
        if !fits(&file.hazards) || !file.parts.iter().all(fits) {
            return Err("its parts don't fit each other".to_owned());
        }
        let (forecast, spread) = (Forecast::new(&file.hazards), Spread::new(&file.parts));
        Ok(Self { id: model_id(bytes), forecast, spread, file })
    }

    /// The model that an entry of `ops.model` names.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where its file is missing or damaged.
    pub fn load(lake: &Lake, entry: &Entry) -> Result<Self, EngineError> {
        load(lake, entry, Self::from_bytes)
    }
}

impl WinScorer for WinModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn stages(&self) -> &[Vec<String>] {
        &self.file.stages
    }

    fn p_win(&self, stage: usize, age: usize, days: usize) -> f64 {
        self.forecast.p_win(stage, age, days)
    }

    fn interval(&self, stage: usize, age: usize, days: usize) -> Option<[f64; 2]> {
        Some(self.spread.as_ref()?.around(self.p_win(stage, age, days), stage, age, days))
    }

    fn median_days(&self, stage: usize, age: usize) -> Option<usize> {
        self.forecast.median_days(stage, age)
    }
}
