//! Where results go: standard output, or files that are there whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;

/// Whether the reader of standard output has gone: then there is nothing left to do, and nothing to complain of.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether somebody like `head` has closed standard output.
pub(crate) fn is_stdout_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}

/// Standard output, which remembers that its reader has gone.
#[derive(Debug)]
pub(crate) struct Stdout(io::Stdout);

/// Standard output, buffered.
pub(crate) fn stdout() -> BufWriter<Stdout> {
    BufWriter::new(Stdout(io::stdout()))
}

fn noticed<T>(result: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &result
        && error.kind() == io::ErrorKind::BrokenPipe
    {
        CLOSED.store(true, Ordering::Relaxed);
    }
    result
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        noticed(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        noticed(self.0.flush())
    }
}

/// Prints a text and the end of its line.
///
/// # Errors
/// Where standard output is closed or full.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = stdout();
    writeln!(out, "{text}").and_then(|()| out.flush()).context("writing to standard output")
}

/// Says something beside the result, on standard error.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell where standard error is gone.
    drop(writeln!(io::stderr(), "{text}"));
}

/// Reports an error with its causes, as one line on standard error.
pub(crate) fn error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    note(&format!("error: {}", text.split_whitespace().collect::<Vec<_>>().join(" ")));
}

/// A file that appears under its name when it is complete and on disk.
#[derive(Debug)]
pub(crate) struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<BufWriter<File>>,
}

impl AtomicFile {
    /// Begins `path` beside its place.
    ///
    /// # Errors
    /// Where the folder is missing or can't be written to.
    pub(crate) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(temporary_name);
        let file = File::create(&temporary).with_context(|| format!("making {}", temporary.display()))?;
        Ok(Self { path: path.to_owned(), temporary, file: Some(BufWriter::new(file)) })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// Where it can't be written, synced or renamed; then nothing stands in its place.
    pub(crate) fn publish(mut self) -> anyhow::Result<()> {
        let writing = || format!("writing {}", self.path.display());
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error).with_context(writing)?;
            file.sync_all().with_context(writing)?;
        }
        std::fs::rename(&self.temporary, &self.path).with_context(writing)?;
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(writing)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().map_or(Ok(0), |file| file.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        // Renamed away where all went well; where it didn't, nothing of it should stay.
        drop(std::fs::remove_file(&self.temporary));
    }
}
