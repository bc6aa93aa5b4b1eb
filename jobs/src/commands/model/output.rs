//! Tables of predictions, in the format that a file's ending says.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use sql::{Format, Style, Writer};

use crate::import::BadInput;
use crate::output::AtomicFile;

/// The format of a file to write.
pub(super) fn format(to: &Path) -> Result<Format, BadInput> {
    let ending = to.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    Format::of_ending(ending).ok_or_else(|| {
        let name = to.display();
        BadInput::new(format!(
            "the ending of {name} says no format; write to a .csv, .parquet, .arrow or .ndjson file"
        ))
    })
}

/// Writes columns of equal length to a file that is there whole or not at all.
pub(in crate::commands) fn write(to: &Path, columns: Vec<(String, ArrayRef)>) -> anyhow::Result<()> {
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = Writer::new(AtomicFile::create(to)?, &batch.schema(), format(to)?, Style::default())?;
    writer.write(&batch)?;
    let (file, _) = writer.finish()?;
    file.publish()
}

/// A column.
pub(in crate::commands) fn column(
    name: &str,
    array: impl arrow::array::Array + 'static,
) -> (String, ArrayRef) {
    (name.to_owned(), Arc::new(array))
}
