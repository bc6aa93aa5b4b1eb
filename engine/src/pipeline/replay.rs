//! A past run computed again from what it recorded, and its marts held against those that it published.

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::past::Past;
use super::publish::path;
use super::{marts, source};
use crate::error::{EngineError, Result};
use crate::lake::{Encoding, Lake, read, write_parts};
use crate::mart::Mart;
use crate::time::date;

/// How a mart computed again compares with what was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The same file, byte for byte.
    SameBytes,
    /// The same cells in a file of other bytes: another version of the writer.
    SameCells,
    /// Other cells; says which is the first.
    Differs(String),
    /// What was published is no longer there.
    Removed,
    /// The run published no such mart: its program didn't know it.
    Unknown,
}

/// One mart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The table.
    pub table: &'static str,
    /// Rows computed now.
    pub rows: usize,
    /// How they compare.
    pub verdict: Verdict,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The marts, those of measures before those of quotas.
    pub marts: Vec<Compared>,
}

/// Makes every mart of a past day again and compares it with what its run published.
///
/// # Errors
/// Where the lake can't be read, or there is no room beside it.
pub async fn replay(lake: &Lake, past: &Past) -> Result<Replayed> {
    let state = &past.state;
    let day = state.measured((&past.settings, &past.catalogue), lake.zone(), past.run.as_of);
    let mut made = marts::of_measures(&day, Ok)?;
    made.extend(marts::with_quotas(&day, &state.quotas, &past.rules)?);
    let mut marts = Vec::with_capacity(made.len());
    for mart in &made {
        let verdict = compare(lake, past, mart).await?;
        marts.push(Compared { table: mart.table, rows: mart.rows(), verdict });
    }
    Ok(Replayed { marts })
}

async fn compare(lake: &Lake, past: &Past, mart: &Mart) -> Result<Verdict> {
    if !past.run.rows.contains_key(mart.table) {
        return Ok(Verdict::Unknown);
    }
    let published = source::files_of(&lake.table(mart.table).await?, &past.run);
    let [published] = &published[..] else { return Ok(Verdict::Removed) };
    if !published.exists() {
        return Ok(Verdict::Removed);
    }
    let dir = past.scratch.lake.table_dir(mart.table);
    let partition = BTreeMap::from([
        ("as_of".to_owned(), date(past.run.as_of).to_string()),
        ("run_id".to_owned(), past.run.run_id.clone()),
    ]);
    let name = path(past.run.as_of, &past.run.run_id);
    let made = write_parts(&dir, name, partition, &mart.parts, Encoding::Mart)?;
    if bytes(published)? == bytes(&dir.join(&made.path))? {
        return Ok(Verdict::SameBytes);
    }
    let batches = read(published, &[])?;
    let Some(first) = batches.first() else {
        return Ok(if mart.rows() == 0 {
            Verdict::SameCells
        } else {
            Verdict::Differs(format!("{} rows instead of none", mart.rows()))
        });
    };
    let whole = concat_batches(&first.schema(), &batches).map_err(EngineError::arrow("comparing marts"))?;
    Ok(difference(&whole, &mart.whole()?)?.map_or(Verdict::SameCells, Verdict::Differs))
}

fn bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(EngineError::io("reading", path))
}

/// The first cell in which two tables differ, in words.
fn difference(published: &RecordBatch, now: &RecordBatch) -> Result<Option<String>> {
    let schema = now.schema();
    for field in schema.fields() {
        if published.column_by_name(field.name()).is_none() {
            return Ok(Some(format!("the column {} was not published", field.name())));
        }
    }
    if published.num_columns() != now.num_columns() {
        return Ok(Some(format!("{} columns instead of {}", now.num_columns(), published.num_columns())));
    }
    if published.num_rows() != now.num_rows() {
        return Ok(Some(format!("{} rows instead of {}", now.num_rows(), published.num_rows())));
    }
    let differing: Vec<&str> = (schema.fields().iter())
        .map(|field| field.name().as_str())
        .filter(|name| published.column_by_name(name) != now.column_by_name(name))
        .collect();
    let Some(&name) = differing.first() else { return Ok(None) };
    let (Some(before), Some(after)) = (published.column_by_name(name), now.column_by_name(name)) else {
        return Ok(None);
    };
    let options = FormatOptions::default().with_null("null");
    let shown =
        |column| ArrayFormatter::try_new(column, &options).map_err(EngineError::arrow("comparing marts"));
    let (before_text, after_text) = (shown(before.as_ref())?, shown(after.as_ref())?);
    let row = (0..now.num_rows()).find(|&row| before.slice(row, 1) != after.slice(row, 1)).unwrap_or(0);
    Ok(Some(format!(
        "column {name}, row {}: {} was published, {} comes out now ({} of {} columns differ)",
        row + 1,
        before_text.value(row),
        after_text.value(row),
        differing.len(),
        now.num_columns()
    )))
}
