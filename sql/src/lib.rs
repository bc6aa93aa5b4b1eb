//! Every metric as SQL text, and the session that analysts get.
//!
//! [`session()`] offers a lake's tables under the names that analysts type, [`statements`] and [`plan`] take their
//! queries, and [`Writer`] puts the answer into the form they asked for.

pub mod metrics;

mod catalog;
mod comment;
mod error;
mod format;
mod function;
mod guard;
mod query;
mod rewrite;
mod session;

pub use error::{Fault, SqlError, fault};
pub use format::{Format, Style, Writer, Written, width};
pub use function::SERVER_VERSION;
pub use query::{plan, plan_for, statements};
pub use rewrite::Caller;
pub use session::{
    CATALOG, DEFAULT_SCHEMA, Limits, Sessions, Snapshot, columns, published, session, session_over,
};
