//! Tests of the SQL that analysts get, at the boundary of a session.

mod differential;
mod metrics;
