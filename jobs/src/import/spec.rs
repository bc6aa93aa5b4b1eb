//! The mapping file as it is written: its tables and keys, before anything is checked against the inputs.
//! `data-samples/mappings/README.md` explains each to its author.

use std::collections::BTreeMap;

use toml::Spanned;

use super::value_spec::{Names, ValueSpec};

#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingSpec {
    pub(crate) name: Spanned<String>,
    #[serde(default, rename = "description")]
    pub(crate) _description: Option<String>,
    #[serde(default)]
    pub(crate) timezone: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) formats: BTreeMap<String, Names>,
    #[serde(default)]
    pub(crate) maps: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) input: Vec<Spanned<InputSpec>>,
    #[serde(default)]
    pub(crate) column: Vec<Spanned<ColumnSpec>>,
    #[serde(default)]
    pub(crate) lookup: Vec<Spanned<LookupSpec>>,
    #[serde(default)]
    pub(crate) group: Vec<Spanned<GroupSpec>>,
    #[serde(default)]
    pub(crate) skip: Vec<Spanned<SkipSpec>>,
    #[serde(default)]
    pub(crate) emit: Vec<Spanned<EmitSpec>>,
}

/// `[[input]]`: files, or rows written in the mapping itself.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputSpec {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) file: Option<Names>,
    #[serde(default)]
    pub(crate) format: Option<FileFormat>,
    #[serde(default)]
    pub(crate) delimiter: Option<char>,
    #[serde(default)]
    pub(crate) quote: Option<char>,
    #[serde(default)]
    pub(crate) encoding: Encoding,
    #[serde(default)]
    pub(crate) end_at_blank_line: bool,
    #[serde(default)]
    pub(crate) key: Vec<String>,
    #[serde(default)]
    pub(crate) rename: BTreeMap<String, Names>,
    #[serde(default)]
    pub(crate) optional: Vec<String>,
    #[serde(default)]
    pub(crate) optional_file: bool,
    #[serde(default)]
    pub(crate) columns: Vec<String>,
    #[serde(default)]
    pub(crate) rows: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileFormat {
    Csv,
    Parquet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
pub(crate) enum Encoding {
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "latin-1")]
    Latin1,
}

/// `[[column]]`: a column computed from others of its table.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ColumnSpec {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) value: Spanned<ValueSpec>,
}

/// `[[lookup]]`: columns of another table, found by key.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupSpec {
    pub(crate) table: String,
    pub(crate) from: String,
    pub(crate) on: BTreeMap<String, String>,
    pub(crate) take: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) pick: Pick,
    #[serde(default)]
    pub(crate) order_by: Option<String>,
    #[serde(default)]
    pub(crate) at: Option<String>,
    #[serde(default)]
    pub(crate) default: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) missing: Missing,
}

/// Which of several matching rows a lookup takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pick {
    #[default]
    Only,
    First,
    Last,
    LastBefore,
    FirstAfter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Missing {
    #[default]
    Null,
    Reject,
}

/// `[[group]]`: a table with one row per distinct key of another.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupSpec {
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) by: Vec<String>,
    #[serde(default)]
    pub(crate) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) order_by: Vec<String>,
    #[serde(default)]
    pub(crate) take: BTreeMap<String, TakeSpec>,
}

/// One column of a group: `{ sum = "amount" }`, `{ count = true }`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TakeSpec {
    Sum(String),
    Min(String),
    Max(String),
    First(String),
    Last(String),
    Same(String),
    Count(bool),
}

/// `[[skip]]`: rows left out on purpose, counted under `why`.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkipSpec {
    pub(crate) table: String,
    pub(crate) when: Spanned<String>,
    pub(crate) why: String,
}

/// `[[emit]]`: one record of a stream from each row that meets a condition.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EmitSpec {
    pub(crate) name: String,
    pub(crate) table: String,
    pub(crate) stream: String,
    #[serde(default)]
    pub(crate) when: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) key: Vec<String>,
    #[serde(default)]
    pub(crate) distinct: Distinct,
    pub(crate) fields: BTreeMap<String, Spanned<ValueSpec>>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, Spanned<ValueSpec>>,
}

/// What a second record with the key of an earlier one, but other content, means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Distinct {
    /// A contradiction: it is rejected.
    #[default]
    Reject,
    /// The first stands, the second is merged into it.
    First,
}
