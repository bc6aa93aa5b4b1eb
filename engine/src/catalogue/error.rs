//! What can be wrong with a catalogue file. Every message names the line, the field, and what would be right.

use std::fmt;

/// A line of the catalogue file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name given to the loader.
    pub file: String,
    /// From 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a catalogue was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file isn't TOML, or names something twice in one table.
    #[error("{place}: {message}, at `{excerpt}`")]
    Syntax {
        /// Where.
        place: Place,
        /// The parser's words.
        message: String,
        /// The line, cut at 60 characters.
        excerpt: String,
    },
    /// A table that is neither a channel nor `derived`.
    #[error(
        "{place}: unknown channel `{found}`; use phone, wechat, visit, email, meeting, web, system or derived"
    )]
    UnknownChannel {
        /// Where.
        place: Place,
        /// The table's name.
        found: String,
    },
    /// A code that isn't `noun.verb` in lower case.
    #[error(
        "{place}: `{code}` can't be a code; write noun.verb in lower case letters, digits and `_`, at most 64 characters; the noun `derived` is for recognised events"
    )]
    Code {
        /// Where.
        place: Place,
        /// As written.
        code: String,
    },
    /// A code defined a second time, under another channel.
    #[error("{place}: `{code}` is already defined in line {first_line}; keep one of the two")]
    DuplicateCode {
        /// Where the second one is.
        place: Place,
        /// The code.
        code: String,
        /// Where the first one is.
        first_line: usize,
    },
    /// A field that a model has no use for.
    #[error("{place}: `{code}` has no field `{field}`; it may have {allowed}")]
    UnknownField {
        /// Where.
        place: Place,
        /// The model.
        code: String,
        /// As written.
        field: String,
        /// The fields it may have.
        allowed: String,
    },
    /// A field that a model can't do without.
    #[error("{place}: `{code}` needs the field `{field}`: {expected}")]
    MissingField {
        /// Where the model is.
        place: Place,
        /// The model.
        code: String,
        /// The missing field.
        field: &'static str,
        /// What to write there.
        expected: String,
    },
    /// A value that its field can't take.
    #[error("{place}: `{field}` of `{code}` is {found}; write {expected}")]
    Value {
        /// Where.
        place: Place,
        /// The model.
        code: String,
        /// The field.
        field: &'static str,
        /// As written.
        found: String,
        /// What the field takes.
        expected: String,
    },
    /// A derived model names a code that isn't a sent model.
    #[error(
        "{place}: `{field}` of `{code}` names `{found}`, which is no sent event and no flag of the catalogue{nearest}"
    )]
    UnknownCode {
        /// Where.
        place: Place,
        /// The derived model.
        code: String,
        /// The field.
        field: &'static str,
        /// As written.
        found: String,
        /// `; did you mean …?`, or empty.
        nearest: String,
    },
    /// One code has two contrary parts in one derived model.
    #[error("{place}: `{both}` is in `{first}` and in `{second}` of `{code}`; leave it in one of them")]
    Contrary {
        /// Where the derived model is.
        place: Place,
        /// The derived model.
        code: String,
        /// The code in both lists.
        both: String,
        /// One list.
        first: &'static str,
        /// The other list.
        second: &'static str,
    },
    /// A fixed code was given another channel or other flags.
    #[error("{place}: `{field}` of `{code}` is fixed by the contract: {expected}, not {found}")]
    Fixed {
        /// Where.
        place: Place,
        /// The fixed code.
        code: String,
        /// `channel` or `flags`.
        field: &'static str,
        /// What the contract says.
        expected: String,
        /// As written.
        found: String,
    },
    /// A fixed code isn't in the file.
    #[error("{file}: `{code}` is missing; it is fixed by the contract: channel {channel}, flags {flags}")]
    FixedMissing {
        /// The file.
        file: String,
        /// The fixed code.
        code: &'static str,
        /// Its channel.
        channel: &'static str,
        /// Its flags.
        flags: String,
    },
    /// More models than the engine keeps room for.
    #[error("{file}: {found} models are more than the {max} a catalogue may have")]
    TooManyModels {
        /// The file.
        file: String,
        /// Models in the file.
        found: usize,
        /// The limit.
        max: usize,
    },
}
