//! An import into files: `<out>/<stream>.ndjson` per stream, and what was refused beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::mapping::Mapping;
use super::summary::{ImportSummary, Output, Reject};

/// File of the refused rows, one JSON object a line.
pub const REJECTED_FILE: &str = "rejected.ndjson";

/// Imports into the folder `out`, made if missing.
///
/// Every stream of the mapping gets its file, even when empty, and so does [`REJECTED_FILE`], so that a repeated
/// import leaves nothing of an earlier one. Files appear under their names only when the whole import is on disk.
///
/// # Errors
/// Those of [`super::import`], and I/O errors of `out`. On any error the files of an earlier import stand.
pub fn write_dir(mapping: &Mapping, inputs: &[PathBuf], out: &Path) -> anyhow::Result<ImportSummary> {
    fs::create_dir_all(out).with_context(|| format!("cannot make the folder {}", out.display()))?;
    let mut parts = Parts::default();
    for stream in mapping.streams() {
        parts.open(out, stream, &format!("{stream}.ndjson"))?;
    }
    parts.open(out, REJECTED_FILE, REJECTED_FILE)?;
    let summary = super::import(mapping, inputs, &mut |output| match output {
        Output::Record { stream, json, .. } => parts.line(stream, json),
        Output::Reject(reject) => parts.line(REJECTED_FILE, &reject_json(reject)),
    })?;
    parts.publish()?;
    Ok(summary)
}

/// A refused row as one JSON object.
pub fn reject_json(reject: &Reject) -> String {
    serde_json::json!({
        "file": reject.file.display().to_string(),
        "row": reject.row,
        "table": reject.table,
        "stream": reject.stream,
        "step": reject.step,
        "reason": reject.reason.code(),
        "column": reject.column,
        "value": reject.value,
        "right": reject.right,
        "raw": reject.raw,
    })
    .to_string()
}

/// Files under temporary names; those not published are removed.
#[derive(Debug, Default)]
struct Parts(BTreeMap<String, Part>);

#[derive(Debug)]
struct Part {
    file: BufWriter<File>,
    temporary: PathBuf,
    name: PathBuf,
}

impl Parts {
    fn open(&mut self, out: &Path, stream: &str, name: &str) -> anyhow::Result<()> {
        let temporary = out.join(format!(".{name}.part"));
        let file =
            File::create(&temporary).with_context(|| format!("cannot write {}", temporary.display()))?;
        let part = Part { file: BufWriter::new(file), temporary, name: out.join(name) };
        self.0.insert(stream.to_owned(), part);
        Ok(())
    }

    fn line(&mut self, stream: &str, json: &str) -> anyhow::Result<()> {
        let part = self.0.get_mut(stream).with_context(|| format!("no file for the stream {stream}"))?;
        let written = part.file.write_all(json.as_bytes()).and_then(|()| part.file.write_all(b"\n"));
        written.with_context(|| format!("cannot write {}", part.temporary.display()))
    }

    fn publish(mut self) -> anyhow::Result<()> {
        for part in self.0.values_mut() {
            let synced = part.file.flush().and_then(|()| part.file.get_ref().sync_all());
            synced.with_context(|| format!("cannot write {}", part.temporary.display()))?;
        }
        for part in self.0.values() {
            fs::rename(&part.temporary, &part.name)
                .with_context(|| format!("cannot rename to {}", part.name.display()))?;
        }
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        for part in self.0.values() {
            // Gone already when it was published; a leftover is overwritten by the next import.
            fs::remove_file(&part.temporary).unwrap_or_default();
        }
    }
}
