//! The feed: the inputs in order, cut into units of work, each a block of text or a range of Parquet rows.

use std::sync::Arc;

use super::check::layout::Layout;
use super::decode::csv::Header;
use super::decode::parquet::{ParquetSource, RowRange};
use super::files::Format;
use super::messages::Messages;
use super::taken::{Input, Reached};
use super::text::{Block, TextReader};
use crate::error::{EngineError, Result};

/// Work for one lane; `input` is the position of its file among the inputs.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) input: usize,
    pub(crate) work: Work,
}

#[derive(Debug)]
pub(crate) enum Work {
    Ndjson(Block),
    Csv(Block, Arc<Header>),
    Parquet(Arc<ParquetSource>, RowRange),
    Messages(Messages),
}

impl Work {
    /// Where it starts in its file, for naming what it becomes.
    pub(crate) fn start(&self) -> u64 {
        match self {
            Self::Ndjson(block) | Self::Csv(block, _) => block.start,
            Self::Parquet(_, range) => range.start,
            Self::Messages(messages) => messages.start(),
        }
    }

    /// Records in it.
    pub(crate) fn records(&self) -> u64 {
        match self {
            Self::Ndjson(block) | Self::Csv(block, _) => super::text::as_u64(block.records),
            Self::Parquet(_, range) => range.rows,
            Self::Messages(messages) => messages.len(),
        }
    }
}

#[derive(Debug)]
enum Open {
    Text(TextReader, Option<Arc<Header>>),
    Parquet(Arc<ParquetSource>, u64),
}

/// Hands out units; notes how far each file was handed out.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) inputs: Arc<Vec<Input>>,
    layout: Arc<Layout>,
    lanes: usize,
    next: usize,
    open: Option<(usize, Open)>,
    /// Files that units were handed out of since the last [`Feed::take_reached`], and those that ended.
    reached: Vec<(usize, Reached)>,
}

impl Feed {
    /// At the first input. Opens every input once, so that what can be seen at once is said before anything is
    /// committed.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a rewritten, damaged or cut-off file, a wrong header, column or type.
    pub(crate) fn new(inputs: Vec<Input>, layout: Arc<Layout>, lanes: usize) -> Result<Self> {
        for input in &inputs {
            drop(open(input, &layout)?);
        }
        Ok(Self { inputs: Arc::new(inputs), layout, lanes, next: 0, open: None, reached: Vec::new() })
    }

    /// The next unit, of at most `records_max` records; none at the end of the last input.
    ///
    /// # Errors
    /// As [`Feed::new`].
    pub(crate) fn next_unit(&mut self, records_max: u64) -> Result<Option<Unit>> {
        loop {
            let Some((input, mut opened)) = self.open.take() else {
                let Some(input) = self.inputs.get(self.next) else { return Ok(None) };
                self.open = Some((self.next, open(input, &self.layout)?));
                self.next += 1;
                continue;
            };
            let work = match &mut opened {
                Open::Text(reader, header) => {
                    let most = usize::try_from(records_max).unwrap_or(usize::MAX).max(1);
                    reader.next_block(most)?.map(|block| match header {
                        Some(header) => Work::Csv(block, Arc::clone(header)),
                        None => Work::Ndjson(block),
                    })
                }
                Open::Parquet(source, row) => {
                    source.range(*row, records_max.max(1).min(source.unit_rows(self.lanes))).map(|range| {
                        *row = range.start + range.rows;
                        Work::Parquet(Arc::clone(source), range)
                    })
                }
            };
            if let Some(work) = work {
                self.open = Some((input, opened));
                return Ok(Some(Unit { input, work }));
            }
            self.note(input, &opened, true)?;
        }
    }

    /// How far each file touched since the last call was handed out, in the order of the inputs.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub(crate) fn take_reached(&mut self) -> Result<Vec<(usize, Reached)>> {
        if let Some((input, opened)) = self.open.take() {
            self.note(input, &opened, false)?;
            self.open = Some((input, opened));
        }
        Ok(std::mem::take(&mut self.reached))
    }

    fn note(&mut self, position: usize, opened: &Open, ended: bool) -> Result<()> {
        let Some(input) = self.inputs.get(position) else { return Ok(()) };
        let reached = match opened {
            Open::Text(reader, _) => input.reached_text(reader, ended)?,
            Open::Parquet(_, row) => input.reached_parquet(*row, ended)?,
        };
        self.reached.push((position, reached));
        Ok(())
    }
}

/// Opens an input where it is to go on.
fn open(input: &Input, layout: &Layout) -> Result<Open> {
    let path = input.file.path.display();
    if input.file.format == Format::Parquet {
        input.check_parquet()?;
        let source = ParquetSource::open(&input.file, layout)?;
        return Ok(Open::Parquet(Arc::new(source), input.from));
    }
    let mut reader = input.open_text()?;
    let header = match input.file.format {
        Format::Csv => Some(Arc::new(csv_header(&mut reader, layout).map_err(|error| match error {
            EngineError::Input(message) if !message.starts_with(&*path.to_string()) => {
                EngineError::Input(format!("{path}: {message}"))
            }
            other => other,
        })?)),
        _ => None,
    };
    if input.file.format == Format::Ndjson && is_json_array(&input.file.name, reader.head()) {
        return Err(EngineError::Input(format!(
            "{path}: the file is one JSON list; write one object a line, e.g. with jq -c '.[]'"
        )));
    }
    if input.from > reader.position() {
        reader.skip_to(input.from)?;
    }
    Ok(Open::Text(reader, header))
}

/// Whether a `.json` file holds one list rather than an object a line.
fn is_json_array(name: &str, head: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let is_json = [".json", ".json.gz", ".json.zst"].iter().any(|ending| name.ends_with(ending));
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    is_json && text.trim_ascii_start().first() == Some(&b'[')
}

fn csv_header(reader: &mut TextReader, layout: &Layout) -> Result<Header> {
    while let Some(block) = reader.next_block(1)? {
        if let Some(header) = Header::read(&block.bytes, layout).map_err(EngineError::Input)? {
            return Ok(header);
        }
    }
    Err(EngineError::Input("the file has no header row that names the columns".to_owned()))
}
