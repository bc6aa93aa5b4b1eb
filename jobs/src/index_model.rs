//! Adapter: the engine's forecast of process-health indices over the model of [`models::outlook`], and the file it is kept
//! in.

use std::borrow::Cow;

use engine::EngineError;
use engine::lake::{Entry, Lake};
use engine::measure::COMPONENTS;
use engine::score::{Cases, Cells, IndexForecast, IndexScorer};
use models::outlook::{Looks, Outlook};
use serde::{Deserialize, Serialize};

use crate::model_file::{FORMAT, load, model_id, parse};

/// What it is a model of, in `ops.model`.
pub const INDEX: &str = "index";
/// Kinds of scopes that are fitted apart: reps, and those above them.
pub(crate) const KINDS: [&str; 2] = ["rep", "manager, region and company"];

/// A model of indices with its id.
#[derive(Debug)]
pub struct IndexModel {
    id: String,
    file: IndexFile,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexFile {
    format: u32,
    name: Cow<'static, str>,
    as_of: String,
    outlook: Outlook,
}

impl IndexModel {
    /// The bytes of the file of a fitted model.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn to_bytes(outlook: Outlook, as_of: String) -> anyhow::Result<Vec<u8>> {
        let file = IndexFile { format: FORMAT, name: INDEX.into(), as_of, outlook };
        Ok(serde_json::to_vec(&file)?)
    }

    /// The model in a file; its id is the hash of the bytes.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let file: IndexFile = parse(bytes, INDEX)?;
        if !file.outlook.is_sound(columns().len()) {
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

    /// What was fitted.
    pub(crate) fn outlook(&self) -> &Outlook {
        &self.file.outlook
    }
}

/// The columns of the regression: the index, and by how much other things differ from it.
pub(crate) fn columns() -> Vec<String> {
    let suffixes = ["", "_16d", "_90d"];
    let scores = suffixes.iter().flat_map(|suffix| COMPONENTS.map(|name| format!("{name}{suffix}")));
    let levels = ["index_16d", "index_90d", "region_index", "company_index"].map(str::to_owned);
    let others = ["index", "ln tenure", "working_days_ahead"].map(str::to_owned);
    levels.into_iter().chain(scores).chain(others).collect()
}

/// Cases as the model wants them.
#[derive(Debug)]
pub(crate) struct Asked {
    kinds: Vec<usize>,
    pub(crate) now: Vec<f64>,
    columns: Vec<Vec<f64>>,
}

impl Asked {
    /// # Errors
    /// A sentence that names the column that isn't there.
    pub(crate) fn new(cases: &Cases) -> Result<Self, String> {
        let number = |name: &str| match cases.column(name) {
            Some(Cells::Number(values)) => Ok(values),
            _ => Err(format!("there is no column {name} of numbers")),
        };
        let Some(Cells::Text { codes, levels }) = cases.column("scope") else {
            return Err("there is no column scope of texts".to_owned());
        };
        let is_rep = |code: &u32| usize::try_from(*code).is_ok_and(|code| levels[code] == KINDS[0]);
        let now = number("index")?;
        let columns = columns().into_iter().map(|name| {
            Ok(match name.as_str() {
                "index" | "working_days_ahead" => number(&name)?.clone(),
                // Not yet hired is as new; `clamp` leaves what is missing missing.
                "ln tenure" => {
                    number("tenure_days")?.iter().map(|days| days.clamp(0.0, f64::MAX).ln_1p()).collect()
                }
                _ => number(&name)?.iter().zip(now).map(|(value, now)| value - now).collect(),
            })
        });
        Ok(Self {
            kinds: codes.iter().map(|code| usize::from(!is_rep(code))).collect(),
            now: now.clone(),
            columns: columns.collect::<Result<_, String>>()?,
        })
    }

    /// As looks of these days.
    pub(crate) fn looks<'a>(&'a self, days: &'a [i32]) -> Looks<'a> {
        Looks { days, kinds: &self.kinds, now: &self.now, columns: &self.columns }
    }
}

impl IndexScorer for IndexModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn forecast(&self, cases: &Cases, red_below: f64) -> Result<Vec<Option<IndexForecast>>, String> {
        if cases.rows() == 0 {
            return Ok(Vec::new());
        }
        let asked = Asked::new(cases)?;
        let said = self.file.outlook.ahead(&asked.looks(&[]), red_below);
        let forecast = |said: models::outlook::Expected| IndexForecast {
            expected: said.level,
            low: said.low,
            high: said.high,
            p_red: said.p_under,
        };
        Ok(said.into_iter().map(|said| said.map(forecast)).collect())
    }
}
