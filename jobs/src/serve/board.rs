//! The newest published day, held in memory so that no request waits for the lake: quotas are JSON already.

use std::sync::Arc;

use axum::body::Bytes;
use engine::EngineError;

use super::day::{Day, Mart};
use super::sheet::json_rows;

/// The newest published day.
#[derive(Debug)]
pub(crate) struct Board {
    pub(super) day: Arc<Day>,
    /// The answer to "what is this rep's quota", by row of the quota sheet.
    quotas: Vec<Bytes>,
}

impl Board {
    /// Reads everything that is served of a day. Blocks.
    pub(super) fn load(day: Arc<Day>) -> Result<Self, EngineError> {
        for mart in Mart::ALL {
            day.read(mart)?;
        }
        let quotas = match day.ready(Mart::Quota) {
            Some(sheet) => answers(&day, &json_rows(sheet.batch())?),
            None => Vec::new(),
        };
        Ok(Self { day, quotas })
    }

    /// The answer to "what is this rep's quota" as published; none where there is no such rep.
    pub(super) fn quota(&self, rep: &str) -> Option<Bytes> {
        let rows = self.day.ready(Mart::Quota)?.find(rep);
        self.quotas.get(rows)?.last().cloned()
    }

    /// The manager of a rep.
    pub(super) fn manager(&self, rep: &str) -> Option<&str> {
        let sheet = self.day.ready(Mart::Rep)?;
        sheet.text("manager_id", sheet.find(rep).next()?)
    }
}

/// One buffer for all: each answer is a part of it.
fn answers(day: &Day, rows: &[Vec<u8>]) -> Vec<Bytes> {
    let mut all = Vec::new();
    let mut ends = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend_from_slice(b"{");
        all.extend_from_slice(day.labels.json.as_bytes());
        all.extend_from_slice(b",\"quota\":");
        all.extend_from_slice(row);
        all.extend_from_slice(b"}");
        ends.push(all.len());
    }
    let all = Bytes::from(all);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(&ends).map(|(start, &end)| all.slice(start..end)).collect()
}
