//! Decode: from the bytes of a block of records to fields, format by format.

pub(crate) mod columns;
pub(crate) mod convert;
pub(crate) mod csv;
pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod parquet;
pub(crate) mod record;
pub(crate) mod nested;
pub(crate) mod scan;
pub(crate) mod types;
#[cfg(test)]
mod tests;
