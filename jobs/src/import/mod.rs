//! A CRM's own export becomes records of the input contract, through a mapping file.
//!
//! ```text
//! files ──read──► tables ──bind──► columns, lookups, groups ──run──► records, or rejections with their reason
//!                              ▲
//!                     mapping file or preset
//! ```
//!
//! The same input gives the same bytes, and every event id is made of the row's key and the event's name, so
//! importing twice doubles nothing. `data-samples/mappings/README.md` describes the mapping file.

mod bind;
mod contract;
mod cycle;
mod decimal;
mod emit;
pub(crate) mod error;
mod expr;
mod group;
mod load;
mod lookup;
mod mapping;
pub mod preset;
pub(crate) mod read;
mod run;
mod scope;
pub(crate) mod spec;
mod stamp;
mod summary;
mod table;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod value_spec;
mod write;

use std::path::PathBuf;

pub use error::BadInput;
pub use mapping::Mapping;
pub use summary::{EmitSummary, ImportSummary, Origin, Output, Reason, Reject, RejectSummary, TableSummary};
pub use write::{REJECTED_FILE, reject_json, write_dir};

/// Imports `inputs`, files or folders of files, by `mapping`, and hands every record and every rejection to `sink`.
///
/// Records come table by table in the order of the mapping's inputs and groups, row by row, emit by emit. A row that
/// can't be mapped is rejected and counted, and the import goes on.
///
/// # Errors
/// [`BadInput`] where mapping and inputs don't fit (a file, a column or a name is missing, a file is no text), before
/// any record is handed out; I/O errors of the inputs; and whatever `sink` returns, which ends the import.
pub fn import(
    mapping: &Mapping,
    inputs: &[PathBuf],
    sink: &mut dyn FnMut(Output<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<ImportSummary> {
    let mut loaded = load::load(mapping, inputs)?;
    let plan = bind::bind(mapping, &mut loaded)?;
    run::run(&plan, loaded, sink)
}
