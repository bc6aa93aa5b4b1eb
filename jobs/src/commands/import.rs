//! `tideline import`: a CRM's own export becomes records of the contract, in a folder or in the lake.

use std::cell::RefCell;
use std::fs::File;
use std::path::PathBuf;

use engine::contract::Stream;

use crate::cli::ImportArgs;
use crate::context::Context;
use crate::import::{BadInput, Mapping, REJECTED_FILE, preset, write_dir};
use crate::output;
use crate::report::words::count;

use super::ingest;

/// The folder under the lake's own where imported records wait to be taken in.
const STAGING: &str = "_tideline/import";

pub(crate) async fn run(args: ImportArgs, context: &Context) -> anyhow::Result<()> {
    if let Some(name) = &args.show_preset {
        return output::print(preset::text(name).unwrap_or_default().trim_end());
    }
    let mapping = mapping(&args)?;
    let progress = context.progress("import");
    progress.stage("reading the export");
    if let Some(out) = &args.out {
        std::fs::create_dir_all(out)?;
        let summary = write_dir(&mapping, &args.from, out)?;
        drop(progress);
        return output::print(&format!(
            "{}\nrecords are under {}",
            summary.to_string().trim_end(),
            out.display()
        ));
    }
    let staging = Staging::new(context)?;
    let summary = write_dir(&mapping, &args.from, &staging.folder)?;
    drop(progress);
    let mut text = summary.to_string().trim_end().to_owned();
    let lake = context.lake_or_new()?;
    for name in summary.rows_by_stream().keys() {
        let Some(stream) = Stream::parse(name) else { continue };
        let file = staging.named_by_content(&format!("{name}.ndjson"))?;
        let taken = ingest::take_in(&lake, stream, &[file], context).await?;
        text.push('\n');
        text.push_str(&ingest::describe(stream, &taken, context));
    }
    if summary.rejected() > 0 {
        let line = format!(
            "\n{} rows could not be mapped; import with --out DIR to get them with their reasons in DIR/{REJECTED_FILE}",
            count(summary.rejected())
        );
        text.push_str(&line);
    }
    output::print(&text)
}

fn mapping(args: &ImportArgs) -> anyhow::Result<Mapping> {
    let mut mapping = match (&args.mapping, &args.preset) {
        (Some(path), _) => Mapping::load(path)?,
        (None, Some(name)) => Mapping::preset(name)?,
        (None, None) => return Err(BadInput::new("name a mapping with --mapping or --preset").into()),
    };
    if let Some(zone) = &args.timezone {
        mapping.set_timezone(zone)?;
    }
    Ok(mapping)
}

/// A folder for the records of one import, gone afterwards.
#[derive(Debug)]
struct Staging {
    folder: PathBuf,
    by_content: RefCell<Vec<PathBuf>>,
}

impl Staging {
    fn new(context: &Context) -> anyhow::Result<Self> {
        let folder = context.lake_or_new()?.root().join(STAGING).join(std::process::id().to_string());
        std::fs::create_dir_all(&folder)?;
        Ok(Self { folder, by_content: RefCell::default() })
    }

    /// Moves a file to where its content says. Ingest knows a file by its path, so an export imported again is
    /// found to have been taken in.
    fn named_by_content(&self, name: &str) -> anyhow::Result<PathBuf> {
        let from = self.folder.join(name);
        let mut hasher = blake3::Hasher::new();
        std::io::copy(&mut File::open(&from)?, &mut hasher)?;
        let folder = self.folder.with_file_name(&hasher.finalize().to_hex()[..32]);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(name);
        std::fs::rename(from, &to)?;
        self.by_content.borrow_mut().push(folder);
        Ok(to)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What stays behind is only a copy.
        for folder in self.by_content.borrow().iter().chain([&self.folder]) {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}
