//! What the user can put right: a mapping or a file that cannot be used, told with its place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A mapping or an input that is wrong as a whole, so that nothing of it can be imported.
///
/// Every error that the user can repair travels as this type inside `anyhow::Error`, so that the
/// caller can tell it (exit status 1) from a failing disk (exit status 2) by `downcast_ref`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput(String);

impl BadInput {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// The text of a mapping and its name, from which an error finds its line.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    label: Arc<str>,
    text: Arc<str>,
}

impl Place {
    pub(crate) fn new(label: &str, text: &str) -> Self {
        Self { label: label.into(), text: text.into() }
    }

    /// An error about the bytes `span` of the mapping, told with the line they begin in.
    pub(crate) fn error(&self, span: &Range<usize>, message: impl fmt::Display) -> BadInput {
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or_default();
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        BadInput::new(format!("{}, line {line}: {message}", self.label))
    }

    pub(crate) fn error_without_line(&self, message: impl fmt::Display) -> BadInput {
        BadInput::new(format!("{}: {message}", self.label))
    }
}

/// The names of `known` that look most like `wanted`, best first, three at most.
pub(crate) fn closest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const SHOWN_MAX: usize = 3;
    let folded = fold(wanted);
    let mut scored: Vec<(usize, &str)> = known
        .map(|name| (strsim::levenshtein(&folded, &fold(name)), name))
        .filter(|(distance, name)| {
            *distance <= 1 + wanted.chars().count().max(name.chars().count()) / 3
                || fold(name).contains(&folded)
                || folded.contains(&fold(name))
        })
        .collect();
    scored.sort_unstable();
    scored.dedup();
    scored.into_iter().take(SHOWN_MAX).map(|(_, name)| name).collect()
}

/// "; did you mean `a` or `b`?", or nothing where no name is close.
pub(crate) fn did_you_mean<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> String {
    let names = closest(wanted, known);
    if names.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    format!("; did you mean {}?", quoted.join(" or "))
}

fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closest_names_come_first() {
        let known = ["Close Date", "Created Date", "Stage", "Amount"];
        assert_eq!(closest("Stagee", known.into_iter()), ["Stage"]);
        assert_eq!(closest("close_date", known.into_iter()).first(), Some(&"Close Date"));
        assert!(closest("zzz", known.into_iter()).is_empty());
    }
}
