//! The live core: the quotas of the running day, event by event, by the code that a daily run uses.
//!
//! ```text
//! lake ──open──► windows, measures, months without the running day ┐
//!      └──────── rows of the running day ──┐                       │
//! topic ─ batches of accepted events ──────┴─ apply ─► the day's tile ─► customers, leads, opportunities named
//!                                                  ─► their reps' measures and factors ─► forecasts ─► plans ─► quotas
//! ```
//!
//! What closed days say is loaded once and doesn't change; the running day lies over it. Nothing is computed here: the
//! tile, the measures, the factors, the forecast, the rules and the reconciliation of one rep are the functions that the
//! daily run calls for all of them.
//!
//! Invariant: after any events of the day, in any order and however often, the quotas are to the cent those of a daily
//! run as of the day over the same events. What the running day can't tell waits for a state loaded anew: events of
//! earlier days, versions of CRM entities, market factors, runs published meanwhile, the next day.

mod alert;
mod company;
mod facts;
mod marks;
mod said;
mod state;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;

pub use alert::{AlertChange, LiveAlert};

use crate::catalogue::Catalogue;
use crate::error::{EngineError, Result};
use crate::lake::{Lake, Log};
use crate::quota::Predictor;
use crate::rule::Book;
use crate::score::KeptModels;
use crate::settings::Settings;
use crate::time::{Day, date};
use company::Company;
use state::State;

/// Loads the models of a lake that its log says are in use for a day.
pub type FindModels = dyn Fn(&Lake, &Log, Day) -> Result<KeptModels> + Send + Sync;

/// What decides the numbers, beside the lake.
#[derive(Clone)]
pub struct Making {
    /// The settings of a daily run.
    pub settings: Arc<Settings>,
    /// The event catalogue.
    pub catalogue: Arc<Catalogue>,
    /// The prediction behind the quotas.
    pub predictor: Arc<dyn Predictor>,
    /// The rules that act on proposals.
    pub rules: Arc<Book>,
    /// Finds the models in use for a day.
    pub models: Arc<FindModels>,
    /// Bytes that the rows of the running day and of days ahead may take.
    pub rows_bytes_max: usize,
}

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making").field("predictor", &self.predictor.name()).finish_non_exhaustive()
    }
}

/// The quotas of a running day.
#[derive(Debug)]
pub struct Live {
    making: Making,
    state: State,
    company: Company,
    /// Rows of days to come.
    ahead: Vec<(Day, RecordBatch)>,
    ahead_bytes: usize,
}

/// What events changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rows (see [`Live::quota`]) of the reps on duty that events named, or whose customers, leads or opportunities they
    /// named, where their quota or what it stands on changed.
    pub named: Vec<usize>,
    /// Of all others.
    pub others: Vec<usize>,
    /// Alerts that were raised, changed or cleared.
    pub alerts: Vec<AlertChange>,
    /// Events of the day that were new.
    pub applied: u64,
    /// Events of earlier days: they count in a state that is loaded once the lake has them.
    pub late: u64,
    /// Events of days to come: they wait.
    pub ahead: u64,
}

/// A quota as it is now. Money in minor units; the columns of `mart.quota`.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveQuota {
    /// The rep.
    pub rep_id: String,
    /// Its region.
    pub region_id: Option<String>,
    /// The period's name.
    pub period: String,
    /// Signed in the period so far.
    pub attained: i64,
    /// The mean of what it can achieve.
    pub expected: i64,
    /// The 80 % interval of that.
    pub low: i64,
    /// The upper end.
    pub high: i64,
    /// After the rules, before the plan.
    pub proposal: i64,
    /// The quota.
    pub quota: i64,
    /// What was published for an earlier day of the period.
    pub previous_quota: Option<i64>,
    /// The chance of reaching it.
    pub p_attain: f64,
    /// What holds it: `none`, `floor`, `ceiling`, `daily_cap` or `frozen`.
    pub bound: &'static str,
}

impl Live {
    /// Loads the state as of `as_of` from the lake, the day's own events that it has included.
    ///
    /// Freshens tiles of earlier days where they are stale, as a daily run would, and holds the lake's lock meanwhile.
    ///
    /// # Errors
    /// [`EngineError::Busy`] while a day is run; [`EngineError::Input`] where the day's rows exceed
    /// [`Making::rows_bytes_max`]; others where the lake can't be read or written.
    pub async fn open(lake: &Lake, making: Making, as_of: Day) -> Result<Self> {
        let (state, rows) = State::load(lake, &making, as_of).await?;
        let company = Company::new(&state, &making)?;
        let mut live = Self { making, state, company, ahead: Vec::new(), ahead_bytes: 0 };
        live.apply(&rows.into_iter().map(|batch| (as_of, batch)).collect::<Vec<_>>())?;
        Ok(live)
    }

    /// Takes over what an older state was told and the lake may not have yet.
    ///
    /// # Errors
    /// As [`Live::apply`].
    pub fn take_over(&mut self, older: &Self) -> Result<Changes> {
        let day = older.as_of();
        let known = older.state.running.batches().iter().map(|batch| (day, batch.clone()));
        let batches: Vec<(Day, RecordBatch)> = known.chain(older.ahead.iter().cloned()).collect();
        self.apply(&batches)
    }

    /// Takes events that the contract accepted, by business day, with the columns of `raw.behaviour`.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the rows held exceed [`Making::rows_bytes_max`]; [`EngineError::Arrow`] for other
    /// columns, and what a model refuses. The state is not to be used afterwards.
    pub fn apply(&mut self, batches: &[(Day, RecordBatch)]) -> Result<Changes> {
        let mut changes = Changes::default();
        let mut touched = state::Dirty::default();
        let as_of = self.as_of();
        for (day, batch) in batches {
            let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            match day.cmp(&as_of) {
                Ordering::Less => changes.late += rows,
                Ordering::Equal => changes.applied += self.state.add(batch, &self.making, &mut touched)?,
                Ordering::Greater => {
                    changes.ahead += rows;
                    self.ahead_bytes += batch.get_array_memory_size();
                    self.ahead.push((*day, batch.clone()));
                }
            }
        }
        let bytes = self.state.running.bytes() + self.ahead_bytes;
        if bytes > self.making.rows_bytes_max {
            return Err(EngineError::Input(format!(
                "the events of {} take {} MiB of memory, more than live.memory_mib allows; raise it",
                date(as_of),
                bytes >> 20
            )));
        }
        if touched.is_empty() {
            return Ok(changes);
        }
        let reps = self.state.measure(touched, &self.making)?;
        let (rows, alerts) = self.company.update(&self.state, &self.making, &reps)?;
        changes.alerts = alerts;
        let named = |row: &usize| reps.binary_search(&self.state.basis.reps[*row]).is_ok();
        (changes.named, changes.others) = rows.into_iter().partition(named);
        Ok(changes)
    }

    /// The running day.
    pub fn as_of(&self) -> Day {
        self.state.as_of
    }

    /// How many reps are on duty: rows of [`Live::quota`].
    pub fn rows(&self) -> usize {
        self.state.basis.reps.len()
    }

    /// The quota of a rep on duty; none for a row that isn't there.
    pub fn quota(&self, row: usize) -> Option<LiveQuota> {
        self.company.quota(&self.state, row)
    }

    /// The row of a rep on duty.
    pub fn row(&self, rep_id: &str) -> Option<usize> {
        self.company.row_of(self.state.windows.crm.rep(rep_id)?)
    }

    /// All alerts that stand.
    pub fn alerts(&self) -> impl Iterator<Item = &LiveAlert> {
        self.company.alerts()
    }

    /// The id of the run whose quotas these follow, where one of the same period was published.
    pub fn run_id(&self) -> Option<&str> {
        self.state.run_id.as_deref()
    }

    /// How far the lake had taken in each input of `raw.behaviour` when the state was loaded, by application id.
    pub fn positions(&self) -> &BTreeMap<String, i64> {
        &self.state.positions
    }

    /// The versions of the tables, other than that of events, that the state was loaded from.
    pub fn versions(&self) -> &BTreeMap<&'static str, i64> {
        &self.state.versions
    }

    /// Bytes that rows of the running day and of days ahead take.
    pub fn rows_bytes(&self) -> usize {
        self.state.running.bytes() + self.ahead_bytes
    }
}

/// The versions now of the tables whose changes only a state loaded anew shows: compare with [`Live::versions`].
///
/// # Errors
/// Where a table can't be opened.
pub async fn versions(lake: &Lake) -> Result<BTreeMap<&'static str, i64>> {
    let tables = lake.open_tables(&state::OTHERS).await?;
    Ok(tables.iter().map(|table| (table.spec().name, table.version())).collect())
}
