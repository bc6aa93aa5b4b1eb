//! The import as its caller meets it: small files in, lines, rejections and errors out.

mod errors;
mod features;
mod joins;
mod presets;

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{ImportSummary, Mapping, Output};

/// Files in a folder of their own, imported by a mapping.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn inputs(&self) -> Vec<PathBuf> {
        vec![self.folder.path().to_owned()]
    }

    /// Every record as `stream json`, every rejection as `rejected: step reason column value`.
    fn run(&self, mapping: &Mapping) -> anyhow::Result<(String, ImportSummary)> {
        let mut lines = String::new();
        let summary = super::import(mapping, &self.inputs(), &mut |output| {
            match output {
                Output::Record { stream, json, .. } => writeln!(lines, "{stream} {json}")?,
                Output::Reject(r) => {
                    let (row, reason) = (r.row, r.reason.code());
                    writeln!(lines, "rejected: {} row {row} {reason} {} {}", r.step, r.column, r.value)?;
                }
            }
            Ok(())
        })?;
        Ok((lines, summary))
    }

    fn lines(&self, mapping: &str) -> String {
        self.run(&Mapping::parse("test.toml", mapping).unwrap()).unwrap().0
    }

    fn error(&self, mapping: &str) -> String {
        let error = Mapping::parse("test.toml", mapping)
            .map_err(anyhow::Error::from)
            .and_then(|mapping| self.run(&mapping))
            .unwrap_err();
        assert!(error.downcast_ref::<super::BadInput>().is_some(), "not the user's to repair: {error:#}");
        format!("{error:#}").replace(&self.folder.path().display().to_string(), "DIR")
    }
}

/// A mapping over `deals.csv` whose only event carries `value` as its attribute `x`, after further `rules`.
fn one_value(value: &str, rules: &str) -> String {
    format!(
        r#"
name = "t"
timezone = "Europe/Amsterdam"
[formats]
day = ["%d.%m.%Y", "%Y-%m-%d"]
[maps.stage]
Won = "won"
Gone = ""
{rules}
[[input]]
name = "deals"
file = "deals.csv"
[[emit]]
name = "e"
table = "deals"
stream = "behaviour"
key = ["id"]
[emit.fields]
event_time = "2024-01-01T00:00:00Z"
event_type = "opportunity.opened"
opportunity_id = "{{id}}"
[emit.attributes]
x = {value}
"#
    )
}

/// The attribute `x` of every record, or the rejection, in order.
fn values(lines: &str) -> Vec<String> {
    let value = |line: &str| match line.split_once(' ') {
        Some(("behaviour", json)) => {
            let json: serde_json::Value = serde_json::from_str(json).unwrap();
            json["attributes"]["x"].as_str().map_or("null".to_owned(), str::to_owned)
        }
        _ => line.to_owned(),
    };
    lines.lines().map(value).collect()
}
