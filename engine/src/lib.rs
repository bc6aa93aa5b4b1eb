//! The columnar core: from records to published quotas.

pub mod quota;
