//! `tideline export --all`: every mart of a day as flat files in one folder, for tools that read a folder and nothing
//! else.
//!
//! ```text
//! DIR/mart.quota.parquet   DIR/mart.quota.arrow   …   one of each a mart, under names that stay
//! DIR/manifest.json        day, run, and each file's rows, bytes and BLAKE3: written last
//! ```
//!
//! All files are written beside their places first and then put in them, so a job that is cut off while it computes
//! changes nothing. Rows carry `as_of` and `run_id`: who reads while files are being put in place can tell.

use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use engine::EngineError;
use engine::lake::{Run, published, tables, write_atomically};
use engine::time::date;
use serde::Serialize;
use sql::Format;

use super::{asked_for, day, session, write};
use crate::cli::ExportArgs;
use crate::context::Context;
use crate::output;
use crate::report::words::count;

/// The forms of each mart, by ending.
const FORMS: [(&str, Format); 2] = [("parquet", Format::Parquet), ("arrow", Format::ArrowFile)];

#[derive(Debug, Serialize)]
struct Manifest {
    as_of: String,
    run_id: String,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    table: &'static str,
    file: String,
    rows: u64,
    bytes: u64,
    blake3: String,
}

pub(super) async fn run(args: &ExportArgs, context: &Context) -> anyhow::Result<()> {
    let folder = &args.to;
    if folder.is_file() {
        let message = format!("{} is a file; --all writes to a folder", folder.display());
        return Err(EngineError::Input(message).into());
    }
    let lake = context.lake()?;
    let runs = Run::load(&lake.table("ops.run").await?)?;
    let shown = published(&runs);
    let days: Vec<_> = shown.keys().copied().collect();
    let day = day(&days, asked_for(args, context)?)?;
    let run_id = shown.get(&day).map(|run| run.run_id.clone()).unwrap_or_default();
    std::fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    let session = session(&lake, context).await?;
    let progress = context.progress("export");
    let mut ready = Vec::new();
    for spec in tables::all().iter().filter(|spec| spec.is_mart()) {
        progress.stage(spec.name);
        for (ending, format) in FORMS {
            let name = format!("{}.{ending}", spec.name);
            let (file, rows) = write(&session, spec, Some(day), format, &folder.join(&name)).await?;
            ready.push((spec.name, name, file, rows));
        }
    }
    let mut files = Vec::with_capacity(ready.len());
    for (table, name, file, rows) in ready {
        file.publish()?;
        let (bytes, blake3) = hash(&folder.join(&name))?;
        files.push(Entry { table, file: name, rows, bytes, blake3 });
    }
    let rows: u64 = files.iter().map(|entry| entry.rows).sum::<u64>() / 2;
    let n = files.len();
    let manifest = Manifest { as_of: date(day).to_string(), run_id, files };
    write_atomically(&folder.join("manifest.json"), &serde_json::to_vec_pretty(&manifest)?)?;
    drop(progress);
    let rows = count(rows);
    output::print(&format!("{rows} rows as of {} in {n} files in {}", date(day), folder.display()))
}

/// A file's bytes and their hash.
fn hash(path: &Path) -> anyhow::Result<(u64, String)> {
    let reading = || format!("reading {}", path.display());
    let mut file = std::fs::File::open(path).with_context(reading)?;
    let (mut hasher, mut bytes, mut piece) = (blake3::Hasher::new(), 0, vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut piece).with_context(reading)?;
        if read == 0 {
            return Ok((bytes, hasher.finalize().to_hex().to_string()));
        }
        hasher.update(&piece[..read]);
        bytes += u64::try_from(read)?;
    }
}
