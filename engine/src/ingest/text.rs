//! Text files as blocks of whole records, each with its place in the decompressed text.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use memchr::{memchr, memchr_iter, memrchr};

use super::boundary::{self, Cut};
use super::files::{Compression, Format, InputFile};
use super::taken::HEAD_BYTES;
use crate::error::{EngineError, Result};

/// Bytes of one block.
const BLOCK_BYTES: usize = 2 << 20;
/// The longest record.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;
/// How much of a longer one is kept for its dead letter.
pub(crate) const KEPT_BYTES: usize = 64 << 10;
const READ_BYTES: usize = 256 << 10;
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole records, one after the other.
#[derive(Debug)]
pub(crate) struct Block {
    /// Byte offset in the decompressed text.
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
    /// Line ends outside quotes, and a last record without one.
    pub(crate) records: usize,
    /// The head of one record that is longer than allowed.
    pub(crate) oversized: bool,
}

/// Reads a text file block by block.
pub(crate) struct TextReader {
    input: Box<dyn Read + Send>,
    file: InputFile,
    /// Read, not yet handed out.
    rest: Vec<u8>,
    /// Offset of `rest` in the decompressed text.
    start: u64,
    /// Line of the start of `rest`, from 1, while reading from the beginning.
    line: u64,
    ended: bool,
    /// The first bytes of the text.
    head: Vec<u8>,
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextReader")
            .field("file", &self.file)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

impl TextReader {
    /// At the beginning of a file, past a byte-order mark.
    ///
    /// # Errors
    /// [`EngineError::Io`]; [`EngineError::Input`] where the compressed data is damaged or holds nothing.
    pub(crate) fn open(file: &InputFile) -> Result<Self> {
        let raw = File::open(&file.path).map_err(EngineError::io("opening", &file.path))?;
        let input: Box<dyn Read + Send> = match file.compression {
            Compression::None => Box::new(raw),
            Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(READ_BYTES, raw))),
            Compression::Zstd => Box::new(
                zstd::stream::read::Decoder::new(raw).map_err(EngineError::io("opening", &file.path))?,
            ),
        };
        let mut reader = Self {
            input,
            file: file.clone(),
            rest: Vec::new(),
            start: 0,
            line: 1,
            ended: false,
            head: Vec::new(),
        };
        reader.fill(HEAD_BYTES)?;
        if reader.rest.is_empty() {
            return Err(EngineError::Input(format!("{}: the file is empty", file.path.display())));
        }
        reader.head = reader.rest.iter().take(HEAD_BYTES).copied().collect();
        if reader.rest.starts_with(BYTE_ORDER_MARK) {
            reader.advance(BYTE_ORDER_MARK.len());
        }
        Ok(reader)
    }

    /// The offset of the next record.
    pub(crate) fn position(&self) -> u64 {
        self.start
    }

    /// The first 64 KiB of the text, or all of it.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Goes on to `position`.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the text ends before; as [`TextReader::open`].
    pub(crate) fn skip_to(&mut self, position: u64) -> Result<()> {
        if self.file.compression == Compression::None && position > self.start + as_u64(self.rest.len()) {
            self.line += self.count_lines(position)?;
            self.rest.clear();
            self.start = position;
            return Ok(());
        }
        while self.start < position {
            if self.rest.is_empty() {
                self.fill(BLOCK_BYTES)?;
            }
            let step = usize::try_from(position - self.start).unwrap_or(usize::MAX).min(self.rest.len());
            if step == 0 {
                return Err(EngineError::Input(format!(
                    "{}: the file was taken in up to byte {position} of its text and now ends at byte {}; it was \
                     rewritten; give the new content a new name",
                    self.file.path.display(),
                    self.start
                )));
            }
            self.advance(step);
        }
        Ok(())
    }

    /// The next block, of at most `records_max` records (at least 1); none at the end.
    ///
    /// # Errors
    /// [`EngineError::Input`] where the compressed data is damaged or cut off, or a CSV quote stays open.
    pub(crate) fn next_block(&mut self, records_max: usize) -> Result<Option<Block>> {
        let mut wanted = BLOCK_BYTES;
        loop {
            self.fill(wanted)?;
            if self.rest.is_empty() {
                return Ok(None);
            }
            let cut = match self.file.format {
                Format::Csv => boundary::csv(&self.rest, records_max, self.ended),
                _ => lines(&self.rest, records_max, self.ended),
            };
            match cut {
                Cut::At { end, records } => return Ok(Some(self.take(end, records))),
                Cut::OpenQuote { at } if self.ended || self.rest.len() > RECORD_BYTES_MAX => {
                    return Err(self.open_quote(at));
                }
                Cut::None | Cut::OpenQuote { .. } if self.rest.len() > RECORD_BYTES_MAX => {
                    return self.take_oversized().map(Some);
                }
                Cut::None | Cut::OpenQuote { .. } => wanted = self.rest.len() + BLOCK_BYTES,
            }
        }
    }

    fn take(&mut self, end: usize, records: usize) -> Block {
        let start = self.start;
        let after = self.rest.split_off(end.min(self.rest.len()));
        let bytes = std::mem::replace(&mut self.rest, after);
        self.start += as_u64(bytes.len());
        if self.file.format == Format::Csv {
            self.line += as_u64(memchr_iter(b'\n', &bytes).count());
        }
        Block { start, bytes, records, oversized: false }
    }

    /// Drops a record that is too long, up to and with its line end, and keeps its first bytes.
    fn take_oversized(&mut self) -> Result<Block> {
        let start = self.start;
        let kept = self.rest.iter().take(KEPT_BYTES).copied().collect();
        loop {
            if let Some(at) = memchr(b'\n', &self.rest) {
                self.advance(at + 1);
                break;
            }
            self.advance(self.rest.len());
            self.fill(BLOCK_BYTES)?;
            if self.rest.is_empty() {
                break;
            }
        }
        Ok(Block { start, bytes: kept, records: 1, oversized: true })
    }

    fn advance(&mut self, bytes: usize) {
        if self.file.format == Format::Csv {
            self.line += as_u64(memchr_iter(b'\n', &self.rest[..bytes]).count());
        }
        self.rest.drain(..bytes);
        self.start += as_u64(bytes);
    }

    /// Reads until `rest` holds `wanted` bytes or the text ends.
    fn fill(&mut self, wanted: usize) -> Result<()> {
        if self.ended || self.rest.len() >= wanted {
            return Ok(());
        }
        let lacking = wanted - self.rest.len();
        self.rest.reserve(lacking);
        let mut part = self.input.by_ref().take(as_u64(lacking));
        let got = part.read_to_end(&mut self.rest).map_err(|error| read_error(&self.file, error))?;
        self.ended = got < lacking;
        Ok(())
    }

    /// Line ends between the read part and `position`, read again from the file, and the reader moved there.
    fn count_lines(&mut self, position: u64) -> Result<u64> {
        let path = &self.file.path;
        let mut file = File::open(path).map_err(EngineError::io("opening", path))?;
        let mut lines = 0;
        if self.file.format == Format::Csv {
            let part = file.by_ref();
            part.seek(SeekFrom::Start(self.start)).map_err(EngineError::io("reading", path))?;
            let mut left = position - self.start;
            let mut buffer = vec![0; READ_BYTES];
            while left > 0 {
                let step = usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES);
                let got = part.read(&mut buffer[..step]).map_err(EngineError::io("reading", path))?;
                if got == 0 {
                    break;
                }
                lines += as_u64(memchr_iter(b'\n', &buffer[..got]).count());
                left -= as_u64(got);
            }
        }
        file.seek(SeekFrom::Start(position)).map_err(EngineError::io("reading", path))?;
        self.input = Box::new(file);
        self.ended = false;
        Ok(lines)
    }

    fn open_quote(&self, at: usize) -> EngineError {
        let line = self.line + as_u64(memchr_iter(b'\n', &self.rest[..at.min(self.rest.len())]).count());
        EngineError::Input(format!(
            "{}: line {line}: a quote opens here and is not closed; end the cell with \", and write a quote inside a \
             cell as \"\"",
            self.file.path.display()
        ))
    }
}

/// Where the last line ends that fits.
fn lines(bytes: &[u8], records_max: usize, ended: bool) -> Cut {
    let Some(last) = memrchr(b'\n', bytes) else {
        return if ended { Cut::At { end: bytes.len(), records: 1 } } else { Cut::None };
    };
    let mut end = if ended { bytes.len() } else { last + 1 };
    let mut records = memchr_iter(b'\n', &bytes[..end]).count() + usize::from(end > last + 1);
    if records > records_max
        && let Some(at) = memchr_iter(b'\n', bytes).nth(records_max.saturating_sub(1))
    {
        end = at + 1;
        records = records_max;
    }
    Cut::At { end, records }
}

fn read_error(file: &InputFile, error: std::io::Error) -> EngineError {
    let path = file.path.display();
    let name = match file.compression {
        Compression::None => return EngineError::io("reading", &file.path)(error),
        Compression::Gzip => "gzip",
        Compression::Zstd => "zstd",
    };
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            EngineError::Input(format!("{path}: the {name} data is cut off; copy the file again, whole"))
        }
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Other => {
            EngineError::Input(format!("{path}: the {name} data is damaged ({error}); copy the file again"))
        }
        _ => EngineError::io("reading", &file.path)(error),
    }
}

pub(crate) fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
