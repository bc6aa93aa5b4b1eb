//! Adapter: the engine's scoring of leads over a tabular model, and the file that such a model is kept in.

use std::borrow::Cow;

use engine::EngineError;
use engine::lake::{Entry, Lake};
use engine::score::{Cases, Cells, LeadFeatures, LeadScorer, LeadScores};
use models::tabular::{Column, Frame, Model, TabularError, Values};
use serde::{Deserialize, Serialize};

use crate::model_file::{FORMAT, load, model_id, parse};

/// What it is a model of, in `ops.model`.
pub const LEAD: &str = "lead";
/// Contributions smaller than this say nothing.
const TERM_MIN: f64 = 1e-12;

/// A model of leads with what it needs to be asked.
#[derive(Debug)]
pub struct LeadModel {
    id: String,
    file: LeadFile,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeadFile {
    format: u32,
    name: Cow<'static, str>,
    as_of: String,
    features: LeadFeatures,
    model: Model,
}

impl LeadModel {
    /// The bytes of the file of a fitted model.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn to_bytes(features: LeadFeatures, model: Model, as_of: String) -> anyhow::Result<Vec<u8>> {
        let file = LeadFile { format: FORMAT, name: LEAD.into(), as_of, features, model };
        Ok(serde_json::to_vec(&file)?)
    }

    /// The model in a file; its id is the hash of the bytes.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let file: LeadFile = parse(bytes, LEAD)?;
        if !file.model.is_sound() {
            return Err("its parts don't fit each other".to_owned());
        }
        Ok(Self { id: model_id(bytes), file })
    }

    /// The model that an entry of `ops.model` names.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where its file is missing or damaged.
    pub fn load(lake: &Lake, entry: &Entry) -> Result<Self, EngineError> {
        load(lake, entry, Self::from_bytes)
    }

    /// What it was fitted on.
    pub fn model(&self) -> &Model {
        &self.file.model
    }

    /// The columns that it reads.
    fn read(&self, cases: &Cases) -> Result<Frame, String> {
        let read = |name: &str| self.file.model.columns().iter().any(|column| column.name == name);
        frame(cases, read).map_err(|error| error.to_string())
    }

    fn chances_of(&self, frame: &Frame) -> Result<Vec<[f64; 3]>, String> {
        let scored = self.file.model.score(frame).map_err(|error| error.to_string())?;
        Ok(scored.iter().map(|scored| [scored.probability, scored.low, scored.high]).collect())
    }
}

/// The columns whose names are wanted, as a frame.
///
/// # Errors
/// [`TabularError::Twice`] where two columns share a name.
pub fn frame(cases: &Cases, wanted: impl Fn(&str) -> bool) -> Result<Frame, TabularError> {
    let columns = cases.columns().filter(|(name, _)| wanted(name)).map(|(name, cells)| Column {
        name: name.to_owned(),
        values: match cells {
            Cells::Number(values) => Values::Number(values.clone()),
            Cells::Text { codes, levels } => Values::Text { codes: codes.clone(), levels: levels.clone() },
        },
    });
    Frame::new(columns.collect(), cases.rows())
}

impl LeadScorer for LeadModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn features(&self) -> &LeadFeatures {
        &self.file.features
    }

    fn score(&self, cases: &Cases) -> Result<LeadScores, String> {
        if cases.rows() == 0 {
            return Ok(LeadScores::default());
        }
        let (model, frame) = (&self.file.model, self.read(cases)?);
        let p_convert = self.chances_of(&frame)?;
        let explained = model.explain(&frame).map_err(|error| error.to_string())?;
        let names: Vec<&str> = model.columns().iter().map(|column| column.name.as_str()).collect();
        let terms = explained.contributions.rows().into_iter().zip(&explained.calibration);
        let reasons = terms.map(|(terms, &calibration)| {
            let own = names.iter().copied().zip(terms.iter().copied());
            let mut terms: Vec<(String, f64)> = own
                .chain([("calibration", calibration)])
                .filter(|(_, term)| term.abs() > TERM_MIN)
                .map(|(name, term)| (name.to_owned(), term))
                .collect();
            terms.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then_with(|| a.0.cmp(&b.0)));
            terms
        });
        Ok(LeadScores { p_convert, intercept: explained.intercept, reasons: reasons.collect() })
    }

    fn chances(&self, cases: &Cases) -> Result<Vec<[f64; 3]>, String> {
        if cases.rows() == 0 { Ok(Vec::new()) } else { self.chances_of(&self.read(cases)?) }
    }
}
