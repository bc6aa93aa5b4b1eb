//! Backtests: forecasts made again at past origins, beside what came and beside what simple rules would have said.
//!
//! [`quota_backtest`] walks over the last periods of a table; each period's quotas are made of what was known before it.
//! [`QuotaScores`] measures them.

mod baseline;
mod period;
mod run;
mod score;

pub use baseline::Baselines;
pub use period::{Period, PeriodKind, last_periods};
pub use run::{QuotaBacktest, RepPeriod, quota_backtest};
pub use score::{ATTAINMENT_MAX, Group, Method, MethodScores, QuotaScores, RegionPeriod, TENURE_BANDS};
