//! Decode: from the bytes of a block of records to fields, format by format.

pub(crate) mod avro;
pub(crate) mod columns;
pub(crate) mod convert;
pub(crate) mod csv;
pub(crate) mod escape;
pub(crate) mod events;
pub(crate) mod ipc;
pub(crate) mod json;
mod keys;
pub(crate) mod nested;
pub(crate) mod parquet;
pub(crate) mod record;
pub(crate) mod scan;
#[cfg(test)]
mod tests;
pub(crate) mod types;
