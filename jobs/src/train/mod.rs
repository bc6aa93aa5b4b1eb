//! Training: rows of the lake in, a judged model out.
//!
//! ```text
//! rows in the order of their days
//! ├── fitted on ───────┤── 30 days: outcomes not known yet ──┤── judged on ──┤
//!                                                             first judged day
//! ```
//!
//! What is judged is fitted on rows whose outcome was known on the first judged day. What comes into use is then fitted
//! in the same way on all rows.

mod half_life;
mod judge;
mod lead;

pub(crate) use judge::Score;
pub(crate) use lead::{Trained, train_leads};
