//! Quotas from a plain table: who sold what, when and where, and factors if there are any.
//!
//! [`forecast`] is the one door. What a rep will sell is
//!
//! ```text
//! amount(rep, bucket) = level(rep) · ramp(tenure) · others(bucket) · (1 + region(bucket) + own(bucket)) + noise
//! ```
//!
//! 1. Days become buckets (`window`): weeks counted back from the period's start, or months. Weeks 52 apart share a place in
//!    the year, so that holidays of a weekday meet themselves.
//! 2. `others` is the market of everybody but the rep itself (`market`): a Poisson two-way fit, so that hiring isn't growth,
//!    then a Gaussian process of its logarithm with a wandering level, growth that fades, passing deviations, smooth seasons
//!    and single weeks of the year (`kernel`), its noise robust. A rep's own sales never enter its market.
//! 3. `region` is learnt from the rep's peers there, `own` from itself, each a process on the same kernel with standard
//!    deviations of its own (`deviation`). All of them are chosen by empirical Bayes (`process`), so that company, region and
//!    rep are pooled as far as the history shows they agree: a rep of two months leans on its region.
//! 4. New reps climb a ramp that earlier new reps showed (`ramp`).
//! 5. The same forecast made at earlier origins calibrates interval and quota (`calibrate`).
//! 6. Factors known before the period move it by what their changes told of earlier errors (`factors`).
//! 7. The quota is the (1 − τ) quantile of a forecast in which the rep's own sales of the last period count no more than
//!    `ratchet_max` (`forecast`): selling more now must not cost a rep its next quota. The expected amount and the interval
//!    use everything.
//!
//! Works with whatever there is; [`LeansOn`] says what a forecast rests on. Sources: Rasmussen & Williams, Gaussian Processes
//! for Machine Learning (2006), chapters 2 and 5; Romano, Patterson & Candès, Conformalized Quantile Regression (2019).

mod beside;
mod calendar;
mod calibrate;
mod deviation;
mod factors;
mod forecast;
mod input;
mod kernel;
mod learnt;
pub(crate) mod linalg;
mod market;
mod peers;
mod pipeline;
mod pool;
mod process;
mod progress;
mod quota;
mod ramp;
mod standing;
#[cfg(test)]
mod tests;
mod usual;
mod weight;
mod window;

pub use calendar::Cadence;
pub use forecast::LeansOn;
pub use input::{Panel, PanelRows, Staff, Workdays};
pub use learnt::{Learnt, PeriodDay, learn};
pub use pipeline::{OpenDeal, PastLooks, WonDeal};
pub use progress::Progress;

pub use quota::{PanelQuota, QuotaForecast, QuotaParams, forecast};
pub use standing::{Pipeline, Standing, Wins};

pub(crate) use calendar::{month_index, month_start, weekday};
