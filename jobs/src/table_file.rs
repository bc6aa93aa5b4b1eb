//! Tables of one's own: a CSV or Parquet file as typed columns for models.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use arrow::array::{Array as _, StringArray};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use flate2::read::MultiGzDecoder;
use models::tabular::{Column, Kind, MISSING, Values};

use crate::config::nearest;
use crate::import::BadInput;
use crate::import::read::read;
use crate::import::spec::InputSpec;

/// Words that stand for a missing number or date.
const NOTHING: [&str; 10] = ["na", "n/a", "nan", "null", "none", "nil", "-", "?", "nat", "#n/a"];
/// Bytes within which a header ends.
const HEADER_BYTES_MAX: u64 = 1 << 20;

/// A file's columns as text, empty cells null.
#[derive(Debug)]
pub(crate) struct TableFile {
    path: PathBuf,
    header: Vec<String>,
    columns: Vec<StringArray>,
    /// Line (CSV) or row (Parquet) of each row.
    lines: Vec<u32>,
}

impl TableFile {
    /// Reads a `.csv`, `.tsv`, their `.gz`, or a `.parquet` file.
    ///
    /// # Errors
    /// [`BadInput`] where the file is missing, empty or broken.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.is_file() {
            return Err(BadInput::new(format!("{}: no such file", path.display())).into());
        }
        let parquet = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"));
        let delimiter = if parquet { None } else { delimiter(path)? };
        let spec = InputSpec { name: "table".to_owned(), delimiter, ..InputSpec::default() };
        let content = read(path, &spec)?;
        if let Some(broken) = content.broken.first() {
            let (name, line, why) = (path.display(), broken.line, broken.reason.code());
            return Err(
                BadInput::new(format!("{name}, line {line}: {why}; the record is {:?}", broken.raw)).into()
            );
        }
        Ok(Self {
            path: path.to_owned(),
            header: content.header,
            columns: content.columns,
            lines: content.lines,
        })
    }

    /// Rows.
    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The names of the columns, in order.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The texts of a column that an option names.
    ///
    /// # Errors
    /// [`BadInput`], with the columns that exist.
    pub(crate) fn text(&self, option: &str, name: &str) -> Result<&StringArray, BadInput> {
        let found = self.header.iter().position(|header| header == name);
        found.and_then(|position| self.columns.get(position)).ok_or_else(|| {
            let near = nearest(name, self.header.iter().map(String::as_str));
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let (path, all) = (self.path.display(), self.header.join(", "));
            BadInput::new(format!(
                "{path}: {option} names `{name}`, which is no column{near} (columns: {all})"
            ))
        })
    }

    /// A column as the kind that a model was fitted with.
    ///
    /// # Errors
    /// [`BadInput`] that names the first cell that doesn't fit.
    pub(crate) fn as_kind(&self, name: &str, texts: &StringArray, kind: Kind) -> Result<Column, BadInput> {
        let values = match kind {
            Kind::Number => numbers(texts).map(Values::Number),
            Kind::Date => dates(texts).map(Values::Date),
            Kind::Text => Ok(categories(texts)),
        };
        let values = values.map_err(|row| self.bad_cell(name, row, texts.value(row), kind.name()))?;
        Ok(Column { name: name.to_owned(), values })
    }

    /// An error about one cell.
    pub(crate) fn bad_cell(&self, column: &str, row: usize, found: &str, expected: &str) -> BadInput {
        let line = self.lines.get(row).copied().unwrap_or_default();
        BadInput::new(format!(
            "{}, line {line}, column {column}: `{found}` where {expected} are expected",
            self.path.display()
        ))
    }

    /// An error about the whole table.
    pub(crate) fn error(&self, message: &str) -> BadInput {
        BadInput::new(format!("{}: {message}", self.path.display()))
    }
}

/// The sign that parts the header's fields most often.
fn delimiter(path: &Path) -> anyhow::Result<Option<char>> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let packed = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gz"));
    let text: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut header = Vec::new();
    BufReader::new(text.take(HEADER_BYTES_MAX))
        .read_until(b'\n', &mut header)
        .with_context(|| format!("cannot read {name}"))?;
    let count = |sign: u8| {
        let mut quoted = false;
        let outside = header.iter().filter(|&&byte| {
            quoted ^= byte == b'"';
            byte == sign && !quoted
        });
        outside.count()
    };
    let found = [b',', b';', b'\t'].into_iter().rev().max_by_key(|&sign| count(sign));
    Ok(found.filter(|&sign| count(sign) > 0).map(char::from))
}

/// The cells, as `of` reads them; the first row that it can't read otherwise.
fn parsed(texts: &StringArray, of: impl Fn(&str) -> Option<f64>) -> Result<Vec<f64>, usize> {
    let cell = |(row, text): (usize, Option<&str>)| match text {
        None => Ok(f64::NAN),
        Some(text) => match of(text) {
            Some(value) => Ok(value),
            None if NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word)) => Ok(f64::NAN),
            None => Err(row),
        },
    };
    texts.iter().enumerate().map(cell).collect()
}

fn numbers(texts: &StringArray) -> Result<Vec<f64>, usize> {
    parsed(texts, |text| text.parse().ok())
}

/// Days since 1970-01-01; stamps without a zone are taken as UTC.
fn dates(texts: &StringArray) -> Result<Vec<f64>, usize> {
    parsed(texts, day)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds of the years that dates can hold need 2^63 at most; the day's fraction keeps milliseconds"
)]
fn day(text: &str) -> Option<f64> {
    let at = if text.len() <= 10 {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?
    } else if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        zoned.naive_utc()
    } else {
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
        formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?
    };
    Some(at.and_utc().timestamp_micros() as f64 / 86_400_000_000.0)
}

fn categories(texts: &StringArray) -> Values {
    let mut places = std::collections::BTreeMap::new();
    for text in texts.iter().flatten() {
        places.insert(text, MISSING);
    }
    for (position, place) in (0..).zip(places.values_mut()) {
        *place = position;
    }
    let code = |text: Option<&str>| text.and_then(|text| places.get(text)).copied().unwrap_or(MISSING);
    let codes = texts.iter().map(code).collect();
    Values::Text { codes, levels: places.keys().map(|&level| level.to_owned()).collect() }
}

/// A column as numbers, dates or texts: the narrowest that every cell fits.
pub(crate) fn typed(name: &str, texts: &StringArray) -> Column {
    let values = numbers(texts).ok().map(Values::Number);
    let values = values.or_else(|| dates(texts).ok().map(Values::Date));
    Column { name: name.to_owned(), values: values.unwrap_or_else(|| categories(texts)) }
}

/// The cell at `row`; empty where it is null.
pub(crate) fn cell(texts: &StringArray, row: usize) -> &str {
    if texts.is_null(row) { "" } else { texts.value(row) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_columns() {
        let check = |cells: &[Option<&str>], kind: Kind| {
            let texts = StringArray::from(cells.to_vec());
            assert_eq!(typed("c", &texts).values.kind(), kind, "{cells:?}");
        };
        check(&[Some("1"), None, Some("-2.5e3"), Some("NA"), Some("inf")], Kind::Number);
        check(&[Some("2024-02-29"), Some("2024-03-01 10:30:00"), Some("2024-03-01T10:30:00Z")], Kind::Date);
        check(&[Some("1"), Some("two")], Kind::Text);
        check(&[Some("2024-02-30")], Kind::Text);
        check(&[None, None], Kind::Number);
    }

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(day("1970-01-02"), Some(1.0));
        assert_eq!(day("2000-03-01T12:00:00"), Some(11_017.5));
        assert_eq!(day("2000-03-01T12:00:00+12:00"), Some(11_017.0));
        assert_eq!(day("20000301"), None);
    }
}
