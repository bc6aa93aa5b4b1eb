//! Files: the behaviour stream in the format asked for, everything else as NDJSON.

pub(crate) mod columns;
pub(crate) mod ndjson;
pub(crate) mod rows;
pub(crate) mod text;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::clock::Clock;
use crate::dirt::DayFile;
use crate::error::GenerateError;
use crate::event::{Event, Flaw, NONE, write_event_id};
use crate::number::at;

/// The format of the behaviour files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// One JSON object a line.
    Ndjson,
    /// The same, gzip.
    NdjsonGz,
    /// The same, Zstandard.
    NdjsonZst,
    /// A header and one line a record; `evidence` and `attributes` are JSON text.
    Csv,
    /// The columns of `raw.behaviour` but `event_date`; Snappy.
    Parquet,
}

impl Format {
    /// The ending of file names, without the leading dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::NdjsonGz => "ndjson.gz",
            Self::NdjsonZst => "ndjson.zst",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The ways to break the contract that the format can express.
    pub(crate) const fn flaws(self) -> &'static [Flaw] {
        match self {
            Self::Ndjson | Self::NdjsonGz | Self::NdjsonZst => &[
                Flaw::BrokenJson,
                Flaw::MissingId,
                Flaw::BadTime,
                Flaw::UnknownType,
                Flaw::TooManyDecimals,
                Flaw::MissingEntities,
            ],
            Self::Csv => &[
                Flaw::MissingId,
                Flaw::BadTime,
                Flaw::UnknownType,
                Flaw::TooManyDecimals,
                Flaw::MissingEntities,
            ],
            Self::Parquet => &[Flaw::MissingId, Flaw::UnknownType, Flaw::MissingEntities],
        }
    }
}

/// What is written where the event type is unknown, and where the time is none.
const UNKNOWN_TYPE: &str = "legacy.unknown";
const BAD_TIME: &str = "2026-13-45T25:61:00+08:00";
/// Bytes collected before they go to the file.
const CHUNK_BYTES: usize = 1 << 20;

/// Writes the file of a day.
///
/// # Errors
/// [`GenerateError::Io`], [`GenerateError::Arrow`] and [`GenerateError::Parquet`] with the path.
pub(crate) fn write_day(
    path: &Path,
    format: Format,
    clock: &Clock,
    day: &DayFile,
) -> Result<(), GenerateError> {
    let failed = |source| GenerateError::Io { path: path.to_owned(), source };
    let file = File::create(path).map_err(failed)?;
    let records = day.order.iter().map(|&n| &day.records[at(n)]);
    match format {
        Format::Parquet => columns::write(path, file, day),
        Format::Csv => text::write(BufWriter::new(file), records, &mut text::Csv::new(clock)).map_err(failed),
        Format::Ndjson => text::write(file, records, &mut text::Json::new(clock)).map_err(failed),
        Format::NdjsonGz => {
            let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::default());
            text::write(&mut packed, records, &mut text::Json::new(clock)).map_err(failed)?;
            packed.finish().and_then(|mut file| file.flush()).map_err(failed)
        }
        Format::NdjsonZst => {
            let mut packed = zstd::Encoder::new(file, 3).map_err(failed)?;
            text::write(&mut packed, records, &mut text::Json::new(clock)).map_err(failed)?;
            packed.finish().and_then(|mut file| file.flush()).map_err(failed)
        }
    }
}

/// The channel as it is written: left to the catalogue's default in one record of eight.
fn channel(event: &Event) -> Option<&'static str> {
    (event.id & 7 != 0).then(|| event.channel.name())
}

fn event_type(event: &Event) -> &'static str {
    if event.flaw == Flaw::UnknownType { UNKNOWN_TYPE } else { event.kind.code() }
}

fn given(n: u32) -> Option<u32> {
    (n != NONE).then_some(n)
}

/// Appends the evidence of an event as JSON.
fn write_evidence(event: &Event, out: &mut Vec<u8>) {
    const KINDS: [&str; 4] = ["photo", "recording", "document", "screenshot"];
    out.push(b'[');
    for piece in 0..event.evidence {
        if piece > 0 {
            out.push(b',');
        }
        let kind = KINDS[usize::try_from((event.id >> 8) & 3).unwrap_or(0)];
        out.extend_from_slice(b"{\"kind\":\"");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\",\"uri\":\"evidence/");
        write_event_id(event.id, out);
        out.push(b'/');
        out.push(b'1' + piece);
        out.push(b'"');
        if event.id & 0x70 == 0 {
            out.extend_from_slice(b",\"sha256\":\"");
            for word in 1..=4 {
                write_event_id(crate::draw::mix(event.id.wrapping_add(word)), out);
            }
            out.push(b'"');
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Appends the attributes of an event as a JSON object.
fn write_attributes(event: &Event, out: &mut Vec<u8>) {
    out.push(b'{');
    for (n, (key, value)) in event.attributes.iter().flatten().enumerate() {
        if n > 0 {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\":\"");
        value.write(out);
        out.push(b'"');
    }
    out.push(b'}');
}
