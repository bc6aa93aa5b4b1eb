//! What one run published, as far as it is served: sheets read when they are first asked for.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::http::HeaderValue;
use chrono::{DateTime, SecondsFormat};
use engine::EngineError;
use engine::lake::{Run, Table};
use engine::time::{Micros, date};

use super::sheet::Sheet;

/// A mart that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mart {
    Quota,
    Explanation,
    Process,
    Customer,
    Alert,
    Rep,
    Lead,
    Route,
}

impl Mart {
    /// All, in the order of their declaration.
    pub(super) const ALL: [Self; 8] = [
        Self::Quota,
        Self::Explanation,
        Self::Process,
        Self::Customer,
        Self::Alert,
        Self::Rep,
        Self::Lead,
        Self::Route,
    ];

    /// The table and the column that its rows are found by.
    pub(super) fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Quota => ("mart.quota", "rep_id"),
            Self::Explanation => ("mart.quota_explanation", "rep_id"),
            Self::Process => ("mart.process_health", "scope_id"),
            Self::Customer => ("mart.customer_health", "customer_id"),
            Self::Alert => ("mart.alert", "scope_id"),
            Self::Rep => ("mart.rep_measure", "rep_id"),
            Self::Lead => ("mart.lead_score", "lead_id"),
            Self::Route => ("mart.lead_route", "lead_id"),
        }
    }

    fn place(self) -> usize {
        self as usize
    }
}

/// What one run published.
#[derive(Debug)]
pub(crate) struct Day {
    /// The run.
    pub(super) run: Run,
    /// The headers that say which run an answer is of.
    pub(super) labels: Labels,
    /// By mart, as far as the lake has a table of that name: its schema and the run's files.
    files: [Option<(arrow::datatypes::SchemaRef, Vec<PathBuf>)>; Mart::ALL.len()],
    sheets: [OnceLock<Arc<Sheet>>; Mart::ALL.len()],
}

/// The headers that say which run an answer is of.
#[derive(Debug, Clone)]
pub(crate) struct Labels {
    pub(super) as_of: HeaderValue,
    pub(super) run_id: HeaderValue,
    pub(super) etag_json: HeaderValue,
    pub(super) etag_arrow: HeaderValue,
    /// `"as_of":…,"run_id":…,"published_at":…` for the head of a JSON object.
    pub(super) json: String,
}

impl Labels {
    fn new(run: &Run) -> Self {
        let as_of = date(run.as_of).to_string();
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let json = format!(
            r#""as_of":"{as_of}","run_id":{},"published_at":"{}""#,
            serde_json::Value::from(run.run_id.as_str()),
            instant(run.finished_at)
        );
        Self {
            as_of: value(&as_of),
            run_id: value(&run.run_id),
            etag_json: value(&format!("W/\"{}.json\"", run.run_id)),
            etag_arrow: value(&format!("W/\"{}.arrow\"", run.run_id)),
            json,
        }
    }
}

impl Day {
    /// What `run` wrote into `tables`; nothing is read yet.
    pub(super) fn new(run: Run, tables: &[Table]) -> Self {
        let day = date(run.as_of).to_string();
        let files = Mart::ALL.map(|mart| {
            let table = tables.iter().find(|table| table.spec().name == mart.table().0)?;
            let own = table.files().iter().filter(|file| {
                file.partition_value("run_id") == run.run_id && file.partition_value("as_of") == day
            });
            Some((table.spec().file_schema(), own.map(|file| table.dir().join(&file.path)).collect()))
        });
        let labels = Labels::new(&run);
        Self { run, labels, files, sheets: Default::default() }
    }

    /// Whether the run's rows of a mart are still there.
    pub(super) fn has(&self, mart: Mart) -> bool {
        self.files[mart.place()].as_ref().is_some_and(|(_, files)| !files.is_empty())
    }

    /// The sheet of a mart, where it has been read.
    pub(super) fn ready(&self, mart: Mart) -> Option<&Arc<Sheet>> {
        self.sheets[mart.place()].get()
    }

    /// The sheet of a mart, read now where it hasn't been; none where the run has none. Blocks.
    pub(super) fn read(&self, mart: Mart) -> Result<Option<Arc<Sheet>>, EngineError> {
        if let Some(sheet) = self.ready(mart) {
            return Ok(Some(Arc::clone(sheet)));
        }
        let Some((schema, files)) = self.files[mart.place()].as_ref().filter(|_| self.has(mart)) else {
            return Ok(None);
        };
        let sheet = Arc::new(Sheet::read(schema, files, mart.table().1)?);
        Ok(Some(Arc::clone(self.sheets[mart.place()].get_or_init(|| sheet))))
    }
}

/// An instant as RFC 3339.
pub(super) fn instant(at: Micros) -> String {
    DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Micros, true)
}
