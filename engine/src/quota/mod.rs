//! The last stage of the data path: proposals in, reconciled and explained quotas out.
//!
//! Pure kernels over slices: no lake, no clock, no threads. Money is `i64` minor units throughout.
//!
//! | question | answered in |
//! |---|---|
//! | What may a quota be, and which limit gives way first? | [`Limits`], [`RelaxOrder`] |
//! | How do the quotas of one region add up to its plan? | [`reconcile`], [`reconcile_limited`] |
//! | And those of regions inside regions? | [`reconcile_tree`] |
//! | Why is a quota what it is, and why did it change? | [`Explainer`] |
//! | Is it as hard for one group as for another? | `fairness` |

mod error;
mod explain;
mod fairness;
mod frame;
mod limits;
mod period;
mod predict;
mod reconcile;
mod region;
mod region_claim;
mod region_order;
mod relax;
mod round;
mod scale;
mod terms;

pub use error::QuotaError;
pub use explain::{Explainer, add_up, log_mean, log_ratio, split_driver, step_ratio};
pub(crate) use fairness::{GroupFairness, Interval, Standing, fairness};
pub(crate) use frame::{
    QuotaInputs, QuotaRun, Settled, base, bases, before, limits, minor, place, proposal, proposals, quotas,
    settle, solve,
};
pub use limits::{Bound, Layer, Limits, RelaxOrder, Side};
pub use period::{Span, month, months_before};
pub use predict::{
    Effects, Forecast, Learnt, Member, OpenDeal, Pipeline, PredictInput, Predictor, Sold, WonDeal,
};
pub use reconcile::{Cause, Reconciled, Relaxation, reconcile, reconcile_limited};
pub use region::{Finding, Region, RegionOutcome, TreeReconciled, reconcile_tree};
pub(crate) use terms::Previous;
