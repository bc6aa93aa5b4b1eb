//! The columnar core of Tideline: from records to published quotas. Modules in the order of the data path.

pub mod catalogue;
pub mod derive;
