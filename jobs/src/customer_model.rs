//! Adapter: the engine's scoring of customers over the model of [`models::survival`], and the file it is kept in.

use std::borrow::Cow;

use engine::EngineError;
use engine::lake::{Entry, Lake};
use engine::score::{Cases, Cells, CustomerScorer};
use models::survival::{Customers, Survival};
use serde::{Deserialize, Serialize};

use crate::model_file::{FORMAT, load, model_id, parse};

/// What it is a model of, in `ops.model`.
pub const CUSTOMER: &str = "customer";

/// A model of customers with its id.
#[derive(Debug)]
pub struct CustomerModel {
    id: String,
    file: CustomerFile,
}

/// The file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerFile {
    format: u32,
    name: Cow<'static, str>,
    as_of: String,
    survival: Survival,
}

impl CustomerModel {
    /// The bytes of the file of a fitted model.
    ///
    /// # Errors
    /// Where it can't be written as JSON.
    pub fn to_bytes(survival: Survival, as_of: String) -> anyhow::Result<Vec<u8>> {
        let file = CustomerFile { format: FORMAT, name: CUSTOMER.into(), as_of, survival };
        Ok(serde_json::to_vec(&file)?)
    }

    /// The model in a file; its id is the hash of the bytes.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let file: CustomerFile = parse(bytes, CUSTOMER)?;
        if !file.survival.is_sound() {
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
    pub fn survival(&self) -> &Survival {
        &self.file.survival
    }
}

/// Cases of customers as the model wants them.
///
/// # Errors
/// A sentence that names the column that isn't there.
pub fn customers(cases: &Cases) -> Result<Customers<'_>, String> {
    let number = |name: &str| match cases.column(name) {
        Some(Cells::Number(values)) => Ok(values.as_slice()),
        _ => Err(format!("there is no column {name} of numbers")),
    };
    let Some(Cells::Text { codes, levels }) = cases.column("segment") else {
        return Err("there is no column segment of texts".to_owned());
    };
    Ok(Customers {
        recency_days: number("recency_days")?,
        interval_days: number("interval_days")?,
        orders: number("orders")?,
        tenure_days: number("tenure_days")?,
        segment: codes,
        segments: levels,
    })
}

impl CustomerScorer for CustomerModel {
    fn id(&self) -> &str {
        &self.id
    }

    fn score(&self, cases: &Cases) -> Result<Vec<(f64, f64)>, String> {
        if cases.rows() == 0 {
            return Ok(Vec::new());
        }
        let customers = customers(cases)?;
        let survival = &self.file.survival;
        Ok(survival.p_order(&customers).into_iter().zip(survival.orders_ahead(&customers)).collect())
    }
}
