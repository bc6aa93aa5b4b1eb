//! Which keys there are, and what a misspelt one was probably meant to be.

use anyhow::Context as _;
use engine::EngineError;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::{Config, PREFIX, input};

/// Tables whose keys the user chooses.
const OPEN: [&[&str]; 9] = [
    &["factor", "heat_weight"],
    &["factor", "beta"],
    &["pipeline", "stuck_days_by_stage"],
    &["routing", "capacity_by_role"],
    &["routing", "capacity_by_team"],
    &["routing", "capacity_by_rep"],
    &["kafka", "topics"],
    &["kafka", "properties"],
    &["kafka", "secrets"],
];
/// Keys without a default.
const OPTIONAL: [&str; 2] = ["catalogue", "rules"];

/// The tree of all keys.
#[derive(Debug)]
pub(super) struct Known(Table);

impl Known {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut tree = Table::try_from(Config::default()).context("the default configuration is a table")?;
        for key in OPTIONAL {
            tree.insert(key.to_owned(), Value::String(String::new()));
        }
        Ok(Self(tree))
    }

    /// Refuses the first unknown key of a file.
    pub(super) fn check_file(&self, name: &str, text: &str) -> Result<(), EngineError> {
        let parsed = DeTable::parse(text).map_err(|error| input(located(name, text, &error)))?;
        check_table((name, text), &mut Vec::new(), parsed.get_ref(), &self.0)
    }

    /// The key that a variable overrides; none where the variable isn't meant for us.
    pub(super) fn path_of(&self, variable: &str) -> Result<Option<Vec<String>>, EngineError> {
        let Some(rest) = variable.strip_prefix(PREFIX) else { return Ok(None) };
        let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        let mut known = &self.0;
        for depth in 0..path.len() {
            let here = &path[..=depth];
            match known.get(&path[depth]) {
                // Other programs set TIDELINE_PORT and the like; only a double underscore is ours for certain.
                None if path.len() == 1 => return Ok(None),
                None => return Err(input(format!("{variable}: {}", unknown(here, known)))),
                Some(Value::Table(_)) if is_open(here) => break,
                Some(Value::Table(inner)) => known = inner,
                Some(_) if depth + 1 < path.len() => {
                    return Err(input(format!("{variable}: {} has no keys of its own", here.join("."))));
                }
                Some(_) => {}
            }
        }
        Ok(Some(path))
    }
}

/// Refuses the first unknown key below `path`; `file` is its name and its text.
fn check_table(
    file: (&str, &str),
    path: &mut Vec<String>,
    found: &DeTable<'_>,
    known: &Table,
) -> Result<(), EngineError> {
    let (name, text) = file;
    for (key, value) in found {
        let word: &str = key.get_ref();
        path.push(word.to_owned());
        match known.get(word) {
            None => {
                let line = line_of(text, key.span().start);
                return Err(input(format!("{name}, line {line}: {}", unknown(path, known))));
            }
            Some(Value::Table(inner)) if !is_open(path) => {
                let DeValue::Table(table) = value.get_ref() else {
                    return Err(input(misplaced(name, text, path, value)));
                };
                check_table(file, path, table, inner)?;
            }
            Some(_) => {}
        }
        path.pop();
    }
    Ok(())
}

fn is_open(path: &[String]) -> bool {
    OPEN.iter().any(|open| path.iter().map(String::as_str).eq(open.iter().copied()))
}

fn misplaced(name: &str, text: &str, path: &[String], value: &Spanned<DeValue<'_>>) -> String {
    let line = line_of(text, value.span().start);
    format!("{name}, line {line}: {} is a section: write [{}]", path.join("."), path.join("."))
}

/// The message for a key that isn't there; `known` are the keys that could stand in its place.
fn unknown(path: &[String], known: &Table) -> String {
    let wrong = path.last().map_or("", String::as_str);
    let section = &path[..path.len().saturating_sub(1)];
    let full = |key: &str| {
        let mut full: Vec<&str> = section.iter().map(String::as_str).collect();
        full.push(key);
        full.join(".")
    };
    if let Some(right) = nearest(wrong, known.keys().map(String::as_str)) {
        return format!("there is no key {}; did you mean {}?", full(wrong), full(right));
    }
    let keys: Vec<&str> = known.keys().map(String::as_str).collect();
    format!("there is no key {}; the keys here are {}", full(wrong), keys.join(", "))
}

/// A parser's complaint with what is expected in words, not in types of Rust.
pub(super) fn in_words(message: &str) -> String {
    let Some((before, expected)) = message.rsplit_once("expected ") else { return message.to_owned() };
    let expected = match expected.trim() {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number of 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        other => other,
    };
    format!("{before}expected {expected}")
}

/// A parser's complaint with its place, on one line.
pub(crate) fn located(name: &str, text: &str, error: &toml::de::Error) -> String {
    let message = in_words(error.message()).replace('\n', ", ");
    match error.span() {
        Some(span) => format!("{name}, line {}: {message}", line_of(text, span.start)),
        None => format!("{name}: {message}"),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|&byte| byte == b'\n').count() + 1
}

/// The word with the fewest edits, where a third of the letters or fewer differ.
pub(crate) fn nearest<'a>(wrong: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    words
        .map(|word| (strsim::levenshtein(wrong, word), word))
        .min()
        .filter(|&(edits, word)| edits * 3 <= word.chars().count().max(wrong.chars().count()).max(3))
        .map(|(_, word)| word)
}
