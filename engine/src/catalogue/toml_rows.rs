//! The catalogue file as rows: a code, its line, and typed access to its fields, with errors that name both.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{CatalogueError, Channel, Place};

/// What every sent model may say.
pub(super) const SENT_FIELDS: [&str; 6] = ["en", "zh", "requires", "flags", "amount_required", "attributes"];

/// A value, or an error about the file.
pub(super) type Result<T> = std::result::Result<T, CatalogueError>;

/// The file's text and name: turns byte offsets into lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    pub(super) file: &'t str,
}

impl<'t> Source<'t> {
    pub(super) fn place(self, offset: usize) -> Place {
        let before = self.text.as_bytes().iter().take(offset);
        Place { file: self.file.to_owned(), line: 1 + before.filter(|&&byte| byte == b'\n').count() }
    }

    /// Parses the text; the parser's own message comes back with the line it is about.
    pub(super) fn parse(self) -> Result<Spanned<DeTable<'t>>> {
        DeTable::parse(self.text).map_err(|error| {
            let place = self.place(error.span().map_or(0, |span| span.start));
            let line = self.text.lines().nth(place.line - 1).unwrap_or_default();
            let excerpt = line.trim().chars().take(60).collect();
            CatalogueError::Syntax { place, message: error.message().to_owned(), excerpt }
        })
    }
}

/// One model as written.
#[derive(Debug)]
pub(super) struct Row<'t> {
    pub(super) code: String,
    /// None for a derived model.
    pub(super) channel: Option<Channel>,
    pub(super) offset: usize,
    table: &'t DeTable<'t>,
    source: Source<'t>,
}

/// Every model of the file, in the order of the file.
///
/// # Errors
/// A table that is no channel, a code that is none, a model that isn't a table.
pub(super) fn rows<'t>(root: &'t DeTable<'t>, source: Source<'t>) -> Result<Vec<Row<'t>>> {
    let mut rows = Vec::new();
    for (name, offset, value) in entries(root) {
        let channel = match name {
            "derived" => None,
            _ => Some(Channel::parse(name).ok_or_else(|| CatalogueError::UnknownChannel {
                place: source.place(offset),
                found: name.to_owned(),
            })?),
        };
        let Some(section) = value.as_table() else {
            return Err(CatalogueError::UnknownChannel {
                place: source.place(offset),
                found: name.to_owned(),
            });
        };
        for (noun, offset, value) in entries(section) {
            if channel.is_none() {
                rows.push(row(format!("derived.{noun}"), channel, offset, value, source)?);
            } else if noun.contains('.') {
                rows.push(row(noun.to_owned(), channel, offset, value, source)?);
            } else {
                rows_of_noun(noun, channel, (offset, value), source, &mut rows)?;
            }
        }
    }
    rows.sort_by_key(|row| row.offset);
    Ok(rows)
}

/// `noun.verb = { … }` is, to TOML, a table `noun` that holds the verbs.
fn rows_of_noun<'t>(
    noun: &str,
    channel: Option<Channel>,
    (offset, value): (usize, &'t DeValue<'t>),
    source: Source<'t>,
    rows: &mut Vec<Row<'t>>,
) -> Result<()> {
    let verbs = value.as_table().filter(|verbs| !SENT_FIELDS.iter().any(|field| verbs.contains_key(*field)));
    let Some(verbs) = verbs else {
        return Err(CatalogueError::Code { place: source.place(offset), code: noun.to_owned() });
    };
    for (verb, offset, value) in entries(verbs) {
        rows.push(row(format!("{noun}.{verb}"), channel, offset, value, source)?);
    }
    Ok(())
}

fn row<'t>(
    code: String,
    channel: Option<Channel>,
    offset: usize,
    value: &'t DeValue<'t>,
    source: Source<'t>,
) -> Result<Row<'t>> {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let well_formed = code.split_once('.').is_some_and(|(noun, verb)| {
        word(noun) && word(verb) && (noun == "derived") == channel.is_none() && code.len() <= 64
    });
    if !well_formed {
        return Err(CatalogueError::Code { place: source.place(offset), code });
    }
    let Some(table) = value.as_table() else {
        let expected = "write { en = \"…\", zh = \"…\" } after the code".to_owned();
        return Err(CatalogueError::MissingField {
            place: source.place(offset),
            code,
            field: "en",
            expected,
        });
    };
    Ok(Row { code, channel, offset, table, source })
}

impl<'t> Row<'t> {
    /// A string that isn't empty.
    pub(super) fn text(&self, field: &'static str, expected: &str) -> Result<&'t str> {
        let (offset, value) = self.get(field).ok_or_else(|| self.missing(field, expected))?;
        match value.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => Ok(text),
            _ => Err(self.wrong(field, offset, shown(value), expected)),
        }
    }

    /// `true` or `false`; false where it isn't there.
    pub(super) fn switch(&self, field: &'static str) -> Result<bool> {
        let Some((offset, value)) = self.get(field) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(field, offset, shown(value), "true or false"))
    }

    /// A whole number of at least `least`.
    pub(super) fn count(&self, field: &'static str, least: usize) -> Result<usize> {
        let expected = format!("a whole number, at least {least}");
        let (offset, value) = self.get(field).ok_or_else(|| self.missing(field, &expected))?;
        let number = value.as_integer().and_then(|n| usize::from_str_radix(n.as_str(), n.radix()).ok());
        number.filter(|&n| n >= least).ok_or_else(|| self.wrong(field, offset, shown(value), &expected))
    }

    /// The strings of a list, each with its offset; empty where the list isn't there.
    pub(super) fn words(&self, field: &'static str, expected: &str) -> Result<Vec<(usize, &'t str)>> {
        let Some((offset, value)) = self.get(field) else { return Ok(Vec::new()) };
        let list = value.as_array().ok_or_else(|| self.wrong(field, offset, shown(value), expected))?;
        list.iter()
            .map(|item| {
                let offset = item.span().start;
                let word = item.get_ref().as_str();
                word.map(|word| (offset, word))
                    .ok_or_else(|| self.wrong(field, offset, shown(item.get_ref()), expected))
            })
            .collect()
    }

    /// Refuses every field but `allowed`.
    pub(super) fn only(&self, allowed: &[&str]) -> Result<()> {
        match entries(self.table).into_iter().find(|(name, ..)| !allowed.contains(name)) {
            None => Ok(()),
            Some((name, offset, _)) => Err(CatalogueError::UnknownField {
                place: self.source.place(offset),
                code: self.code.clone(),
                field: name.to_owned(),
                allowed: allowed.join(", "),
            }),
        }
    }

    /// Where a field is written; the row itself where it isn't.
    pub(super) fn offset_of(&self, field: &str) -> usize {
        self.get(field).map_or(self.offset, |(offset, _)| offset)
    }

    /// Whether a field is written at all.
    pub(super) fn has(&self, field: &str) -> bool {
        self.get(field).is_some()
    }

    pub(super) fn missing(&self, field: &'static str, expected: &str) -> CatalogueError {
        let (code, place) = (self.code.clone(), self.source.place(self.offset));
        CatalogueError::MissingField { place, code, field, expected: expected.to_owned() }
    }

    pub(super) fn wrong(
        &self,
        field: &'static str,
        offset: usize,
        found: String,
        expected: &str,
    ) -> CatalogueError {
        let (code, place) = (self.code.clone(), self.source.place(offset));
        CatalogueError::Value { place, code, field, found, expected: expected.to_owned() }
    }

    fn get(&self, field: &str) -> Option<(usize, &'t DeValue<'t>)> {
        self.table.get(field).map(|value| (value.span().start, value.get_ref()))
    }
}

/// A table's entries in the order of the file: name, offset of the name, value.
fn entries<'t>(table: &'t DeTable<'t>) -> Vec<(&'t str, usize, &'t DeValue<'t>)> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value.get_ref()))
        .collect();
    entries.sort_by_key(|&(_, offset, _)| offset);
    entries
}

/// A value as a message shows it.
fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        other => format!("of type {}", other.type_str()),
    }
}
