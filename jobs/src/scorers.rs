//! The models that a run asks, loaded from the lake.

use std::sync::Arc;

use engine::EngineError;
use engine::lake::{Entry, Lake, Log, Run};
use engine::score::{CustomerScorer, IndexScorer, KeptModels, LeadScorer, Models, WinScorer, models_of};
use engine::time::{Day, date};

use crate::customer_model::{CUSTOMER, CustomerModel};
use crate::index_model::{INDEX, IndexModel};
use crate::lead_model::{LEAD, LeadModel};
use crate::win_model::{WIN, WinModel};

/// Models of leads, wins, customers and indices, where there are any.
#[derive(Debug, Default)]
pub(crate) struct Scorers {
    lead: Option<LeadModel>,
    win: Option<WinModel>,
    customer: Option<CustomerModel>,
    index: Option<IndexModel>,
}

impl Scorers {
    /// Those in use for a day.
    ///
    /// # Errors
    /// [`EngineError::Lake`] where the file of one is missing or damaged.
    pub(crate) async fn in_use(lake: &Lake, day: Day) -> Result<Self, EngineError> {
        Self::of_log(lake, &Log::load(lake).await?, day)
    }

    /// Those that a log says are in use for a day.
    ///
    /// # Errors
    /// As [`Scorers::in_use`].
    pub(crate) fn of_log(lake: &Lake, log: &Log, day: Day) -> Result<Self, EngineError> {
        let mut scorers = Self::default();
        for entry in [LEAD, WIN, CUSTOMER, INDEX].into_iter().filter_map(|name| log.for_day(name, day)) {
            scorers.load(lake, entry)?;
        }
        Ok(scorers)
    }

    /// Those that a run used; or which of them is no longer in use for its day, or has no sound file.
    ///
    /// # Errors
    /// Where the lake can't be read.
    pub(crate) async fn of_run(lake: &Lake, run: &Run) -> Result<Result<Self, Vec<String>>, EngineError> {
        let log = Log::load(lake).await?;
        let mut scorers = Self::default();
        let mut missing = Vec::new();
        for (name, id) in models_of(&run.program) {
            let now = match log.for_day(name, run.as_of) {
                Some(entry) if entry.model_id == id => {
                    missing.extend(scorers.load(lake, entry).err().map(|error| error.to_string()));
                    continue;
                }
                Some(entry) => format!("{} is", entry.model_id),
                None => "none is".to_owned(),
            };
            missing.push(format!(
                "the run used the {name} model {id}, and {now} in use for {} now; `tideline model promote {id}` brings \
                 it back into use",
                date(run.as_of)
            ));
        }
        Ok(if missing.is_empty() { Ok(scorers) } else { Err(missing) })
    }

    fn load(&mut self, lake: &Lake, entry: &Entry) -> Result<(), EngineError> {
        match entry.name.as_str() {
            LEAD => self.lead = Some(LeadModel::load(lake, entry)?),
            WIN => self.win = Some(WinModel::load(lake, entry)?),
            CUSTOMER => self.customer = Some(CustomerModel::load(lake, entry)?),
            INDEX => self.index = Some(IndexModel::load(lake, entry)?),
            other => {
                return Err(EngineError::Lake(format!("this program knows no models of {other}")));
            }
        }
        Ok(())
    }

    /// To be kept and asked again and again.
    pub(crate) fn kept(self) -> KeptModels {
        KeptModels {
            lead: self.lead.map(|model| Arc::new(model) as Arc<dyn LeadScorer>),
            win: self.win.map(|model| Arc::new(model) as Arc<dyn WinScorer>),
        }
    }

    /// As a run asks them.
    pub(crate) fn models(&self) -> Models<'_> {
        Models {
            lead: self.lead.as_ref().map(|model| model as &dyn LeadScorer),
            win: self.win.as_ref().map(|model| model as &dyn WinScorer),
            customer: self.customer.as_ref().map(|model| model as &dyn CustomerScorer),
            index: self.index.as_ref().map(|model| model as &dyn IndexScorer),
        }
    }
}
