//! Delimited text files: checked record by record, then read into columns by Polars.

use std::io::{Cursor, Read as _};
use std::path::Path;

use anyhow::Context as _;
use arrow::array::{StringArray, StringBuilder};
use flate2::read::MultiGzDecoder;
use polars::prelude::{CsvReadOptions, DataFrame, DataType, PlSmallStr, Schema, SerReader as _};

use super::{Content, FILE_BYTES_MAX, scan};
use crate::import::error::BadInput;
use crate::import::spec::{Encoding, InputSpec};

/// Reads one file; `.gz` files are unpacked on the way.
pub(super) fn read(path: &Path, spec: &InputSpec) -> anyhow::Result<Content> {
    let text = text(path, spec.encoding)?;
    let dialect = scan::Dialect {
        delimiter: delimiter(path, spec)?,
        quote: sign(path, spec.quote.unwrap_or('"'))?,
        end_at_blank_line: spec.end_at_blank_line,
    };
    let scan::Scan { header, body, lines, broken } = scan::scan(&text, dialect);
    if header.is_empty() {
        return Err(BadInput::new(format!("{}: the file is empty, not even a header", path.display())).into());
    }
    let columns = if lines.is_empty() {
        header.iter().map(|_| StringArray::new_null(0)).collect()
    } else {
        let frame = frame(&body, header.len(), dialect).with_context(|| format!("{}", path.display()))?;
        if frame.height() != lines.len() {
            let (found, expected) = (frame.height(), lines.len());
            let name = path.display();
            return Err(BadInput::new(format!("{name}: {expected} records seen, but {found} read")).into());
        }
        frame.columns().iter().map(|column| Ok(strings(column.str()?))).collect::<anyhow::Result<_>>()?
    };
    Ok(Content { header, columns, lines, broken })
}

fn text(path: &Path, encoding: Encoding) -> anyhow::Result<String> {
    let name = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {name}"))?;
    let mut bytes = Vec::new();
    let limited = FILE_BYTES_MAX + 1;
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
        MultiGzDecoder::new(file).take(limited).read_to_end(&mut bytes)
    } else {
        file.take(limited).read_to_end(&mut bytes)
    }
    .with_context(|| format!("cannot read {name}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        let message = format!("{name}: over {FILE_BYTES_MAX} bytes of text; split the export");
        return Err(BadInput::new(message).into());
    }
    if encoding == Encoding::Latin1 {
        return Ok(bytes.into_iter().map(char::from).collect());
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.split(|&byte| byte == b'\n').count();
        let byte = error.as_bytes().get(valid).copied().unwrap_or_default();
        BadInput::new(format!(
            "{name}, line {line}: byte 0x{byte:02x} is not UTF-8; export as UTF-8, or set encoding = \"latin-1\""
        ))
        .into()
    })
}

fn delimiter(path: &Path, spec: &InputSpec) -> Result<u8, BadInput> {
    let tab = path.to_string_lossy().to_lowercase().contains(".tsv");
    sign(path, spec.delimiter.unwrap_or(if tab { '\t' } else { ',' }))
}

fn sign(path: &Path, sign: char) -> Result<u8, BadInput> {
    u8::try_from(sign).ok().filter(u8::is_ascii).ok_or_else(|| {
        BadInput::new(format!("{}: delimiter and quote must be ASCII, not `{sign}`", path.display()))
    })
}

fn frame(body: &[u8], width: usize, dialect: scan::Dialect) -> anyhow::Result<DataFrame> {
    let names = (0..width).map(|index| (PlSmallStr::from(format!("c{index}")), DataType::String));
    let schema: Schema = names.collect();
    let options = CsvReadOptions::default()
        .with_has_header(false)
        .with_schema(Some(schema.into()))
        .with_rechunk(true)
        .map_parse_options(|parse| {
            parse.with_separator(dialect.delimiter).with_quote_char(Some(dialect.quote))
        });
    Ok(options.into_reader_with_file_handle(Cursor::new(body)).finish()?)
}

/// Trimmed; what is empty then is null.
fn strings(column: &polars::prelude::StringChunked) -> StringArray {
    let mut strings = StringBuilder::with_capacity(column.len(), column.len() * 8);
    for cell in column.iter() {
        strings.append_option(cell.map(str::trim).filter(|cell| !cell.is_empty()));
    }
    strings.finish()
}
