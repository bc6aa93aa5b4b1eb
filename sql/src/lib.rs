//! Every metric as SQL text, and the session that analysts get.
//!
//! [`session()`] offers a lake's tables under the names that analysts type, [`statements`] and [`plan`] take their
//! queries, and [`Writer`] puts the answer into the form they asked for.

pub mod metrics;

mod error;
mod format;
mod query;
mod session;

pub use error::SqlError;
pub use format::{Format, Style, Writer, Written, width};
pub use query::{plan, statements};
pub use session::{columns, published, session, session_over};
