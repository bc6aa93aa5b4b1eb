//! Every metric as SQL text, and the session that analysts get.

pub mod metrics;
