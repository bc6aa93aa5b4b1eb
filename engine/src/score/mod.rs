//! Scores: what fitted models say of open leads and opportunities, of customers and of the process-health index, and the
//! rows that models learn from.
//!
//! ```text
//! facts ─ cases of a day ─┬─ today ──────────── model in use ── mart.lead_score, mart.opportunity
//!                         └─ past days, labels ─ fitting (in `jobs`, with `models`)
//! ```
//!
//! One kernel makes the cases of both: what a model was fitted on is what it is asked.

mod attribute;
mod cases;
pub(crate) mod customer;
pub(crate) mod deal;
mod decay;
pub(crate) mod index;
pub(crate) mod lead;
pub(crate) mod rep;
mod training;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use cases::Growing;
pub use cases::{Cases, Cells, MISSING};
pub use customer::CustomerRows;
pub use deal::{DealLook, DealRows, Stay, StayEnd, Workdays};
pub use index::{INDEX_DAYS, IndexForecast, IndexRows};
pub use training::{LeadRows, Training, TrainingRequest, training};

/// Days within which a conversion counts.
pub const HORIZON_DAYS: crate::time::Day = 30;
/// Half-lives that a kind of event may have, in days.
pub const HALF_LIVES: [f64; 5] = [1.0, 3.0, 7.0, 14.0, 30.0];

/// Which columns a lead's case has beside those that every lead has.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeadFeatures {
    /// Attributes of its creation.
    pub attributes: Vec<Attribute>,
    /// Kinds of events, counted with decay.
    pub decays: Vec<Decay>,
}

impl LeadFeatures {
    /// The same columns and those of others that are not among them.
    #[must_use]
    pub(crate) fn and(&self, others: Option<&Self>) -> Self {
        let mut all = self.clone();
        if let Some(others) = others {
            all.attributes
                .extend(others.attributes.iter().filter(|one| !self.attributes.contains(one)).cloned());
            all.decays.extend(others.decays.iter().filter(|one| !self.decays.contains(one)).cloned());
        }
        all
    }
}

/// An attribute of `lead.created`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// As what it is read.
    pub form: Form,
}

impl Attribute {
    /// The name of its column.
    pub fn column(&self) -> String {
        match self.form {
            Form::Number => format!("attribute {} (number)", self.name),
            Form::Category => format!("attribute {}", self.name),
            Form::Presence => format!("attribute {} (given)", self.name),
        }
    }
}

/// As what an attribute is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// A number.
    Number,
    /// One of some texts.
    Category,
    /// Whether it is there: hardly two leads share a value.
    Presence,
}

/// A kind of event of the last 30 days, each counting 0.5^(age / half-life).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    /// Its code in the catalogue.
    pub event_type: String,
    /// Days after which it counts half.
    pub half_life_days: f64,
}

impl Decay {
    /// The name of its column.
    pub fn column(&self) -> String {
        format!("{} (half-life {} d)", self.event_type, self.half_life_days)
    }
}

/// A model of leads; `jobs` wires one from `models`.
pub trait LeadScorer: Send + Sync {
    /// The hash of its content, part of a run's identity.
    fn id(&self) -> &str;

    /// The columns it reads beside those that every lead has.
    fn features(&self) -> &LeadFeatures;

    /// Scores each case.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the cases.
    fn score(&self, cases: &Cases) -> Result<LeadScores, String>;

    /// The probabilities of [`LeadScorer::score`] alone, to the bit, whatever other cases are asked with them.
    ///
    /// # Errors
    /// As [`LeadScorer::score`].
    fn chances(&self, cases: &Cases) -> Result<Vec<[f64; 3]>, String>;
}

/// What a model says of leads, one entry per case.
#[derive(Debug, Clone, Default)]
pub struct LeadScores {
    /// Probability of conversion within [`HORIZON_DAYS`] with its interval: stated, lower end, upper end.
    pub p_convert: Vec<[f64; 3]>,
    /// The log-odds that all cases begin with.
    pub intercept: f64,
    /// Terms in log-odds that add up, with the intercept, to those of the probability: name of the column, if it is one
    /// of the cases', and the term; the largest first.
    pub reasons: Vec<Vec<(String, f64)>>,
}

/// A model of wins; `jobs` wires one from `models`. Stages are numbers: the rank, or one more for stages not configured.
pub trait WinScorer: Send + Sync {
    /// The hash of its content, part of a run's identity.
    fn id(&self) -> &str;

    /// The configured stages that it was fitted with.
    fn stages(&self) -> &[Vec<String>];

    /// The chance of a win within `days` working days, for an opportunity that has been in a stage for `age` of them.
    fn p_win(&self, stage: usize, age: usize, days: usize) -> f64;

    /// The 90 % interval of that chance; none where the model knows no intervals.
    fn interval(&self, stage: usize, age: usize, days: usize) -> Option<[f64; 2]>;

    /// Working days until it is over, won or lost, with a chance of one half; none where that is too far ahead to tell.
    fn median_days(&self, stage: usize, age: usize) -> Option<usize>;
}

/// A model of customers; `jobs` wires one from `models`.
pub trait CustomerScorer: Send + Sync {
    /// The hash of its content, part of a run's identity.
    fn id(&self) -> &str;

    /// Of each case the chance of an order within [`HORIZON_DAYS`], and the orders expected in three years.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the cases.
    fn score(&self, cases: &Cases) -> Result<Vec<(f64, f64)>, String>;
}

/// A model of the process-health index; `jobs` wires one from `models`.
pub trait IndexScorer: Send + Sync {
    /// The hash of its content, part of a run's identity.
    fn id(&self) -> &str;

    /// Of each case the index in [`INDEX_DAYS`] days, where it is red below `red_below` points; none for kinds of scopes
    /// that the model has not seen enough of.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the cases.
    fn forecast(&self, cases: &Cases, red_below: f64) -> Result<Vec<Option<IndexForecast>>, String>;
}

/// The models that a run uses.
#[derive(Clone, Copy, Default)]
pub struct Models<'a> {
    /// Of leads.
    pub lead: Option<&'a dyn LeadScorer>,
    /// Of wins.
    pub win: Option<&'a dyn WinScorer>,
    /// Of customers.
    pub customer: Option<&'a dyn CustomerScorer>,
    /// Of the process-health index.
    pub index: Option<&'a dyn IndexScorer>,
}

/// Models that are kept and asked again and again: those that have a say in quotas.
#[derive(Clone, Default)]
pub struct KeptModels {
    /// Of leads.
    pub lead: Option<Arc<dyn LeadScorer>>,
    /// Of wins.
    pub win: Option<Arc<dyn WinScorer>>,
}

impl KeptModels {
    /// As a run asks them.
    pub fn models(&self) -> Models<'_> {
        Models { lead: self.lead.as_deref(), win: self.win.as_deref(), customer: None, index: None }
    }
}

impl std::fmt::Debug for KeptModels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.models().fmt(f)
    }
}

impl Models<'_> {
    /// Names and ids, as part of a run's identity; empty where there is none.
    pub(crate) fn identity(&self) -> String {
        let lead = self.lead.map(|model| format!(" · lead {}", model.id()));
        let win = self.win.map(|model| format!(" · win {}", model.id()));
        let customer = self.customer.map(|model| format!(" · customer {}", model.id()));
        let index = self.index.map(|model| format!(" · index {}", model.id()));
        lead.into_iter().chain(win).chain(customer).chain(index).collect()
    }
}

/// Name and id of each model that a run used, from what `ops.run` calls its program.
pub fn models_of(program: &str) -> impl Iterator<Item = (&str, &str)> {
    // First come the program and its prediction.
    program.split(" · ").skip(2).filter_map(|model| model.split_once(' '))
}

impl std::fmt::Debug for Models<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models")
            .field("lead", &self.lead.map(LeadScorer::id))
            .field("win", &self.win.map(WinScorer::id))
            .field("customer", &self.customer.map(CustomerScorer::id))
            .field("index", &self.index.map(IndexScorer::id))
            .finish()
    }
}
