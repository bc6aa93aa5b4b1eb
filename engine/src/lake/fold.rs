//! Folding: many small files of one partition become one that holds the same rows.
//!
//! The new file is named `fold-SUM-…`, where SUM adds up what the folded files stand for (see `tile`): what was made
//! of them stays fresh.

use std::collections::BTreeMap;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;

use super::file::{Encoding, FileWriter, NewFile};
use super::table::{DataFile, Table};
use super::{Lake, read_columns};
use crate::error::{EngineError, Result};
use crate::tile::content_id;

/// Bytes folded into one file, at most.
const FOLD_BYTES_MAX: u64 = 1 << 30;
/// Files folded by one commit, at most.
const COMMIT_FILES_MAX: usize = 1_024;

/// Files that will become one.
#[derive(Debug)]
struct Group {
    partition: BTreeMap<String, String>,
    files: Vec<DataFile>,
}

/// What folding a table did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) files: u64,
    pub(super) into: u64,
    pub(super) conflict: bool,
}

/// Folds the files of `table` that are smaller than `below_bytes`, partition by partition, where `closed` says that
/// the partition is. `nonce` keeps the names apart from those of earlier calls.
pub(super) async fn fold(
    lake: &Lake,
    table: &mut Table,
    below_bytes: u64,
    nonce: &str,
    closed: impl Fn(&DataFile) -> bool,
) -> Result<Folded> {
    let mut done = Folded::default();
    let groups = groups(table, below_bytes, closed);
    let mut groups = groups.into_iter().enumerate().peekable();
    while groups.peek().is_some() {
        let (mut adds, mut removes) = (Vec::new(), Vec::new());
        while let Some((number, group)) = groups.next_if(|_| removes.len() < COMMIT_FILES_MAX) {
            adds.push(write(table, &group, &format!("{nonce}-{number}"))?);
            removes.extend(group.files);
        }
        let (files, into) = (count(removes.len()), count(adds.len()));
        let written: Vec<_> = adds.iter().map(|file| table.dir().join(&file.path)).collect();
        match table.fold(adds, &removes).await {
            Ok(_) => {
                done.files += files;
                done.into += into;
            }
            Err(EngineError::Conflict { .. }) => {
                done.conflict = true;
                for path in written {
                    std::fs::remove_file(&path).map_err(EngineError::io("removing", &path))?;
                }
                *table = lake.table(table.spec().name).await?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Small files by partition, cut into groups of at most [`FOLD_BYTES_MAX`]; a file alone stays as it is.
fn groups(table: &Table, below_bytes: u64, closed: impl Fn(&DataFile) -> bool) -> Vec<Group> {
    let mut partitions: BTreeMap<&BTreeMap<String, String>, Vec<&DataFile>> = BTreeMap::new();
    for file in table.files().iter().filter(|file| file.size < below_bytes && closed(file)) {
        partitions.entry(&file.partition).or_default().push(file);
    }
    let mut groups = Vec::new();
    for (partition, files) in partitions {
        let mut group: Vec<DataFile> = Vec::new();
        let mut bytes = 0;
        for file in files {
            if bytes + file.size > FOLD_BYTES_MAX {
                groups.push(Group { partition: partition.clone(), files: std::mem::take(&mut group) });
                bytes = 0;
            }
            bytes += file.size;
            group.push(file.clone());
        }
        groups.push(Group { partition: partition.clone(), files: group });
    }
    groups.retain(|group| group.files.len() > 1);
    groups
}

fn write(table: &Table, group: &Group, nonce: &str) -> Result<NewFile> {
    let sum = group.files.iter().fold(0_u64, |sum, file| sum.wrapping_add(content_id(file)));
    let folder: String = group
        .partition
        .iter()
        .fold(String::new(), |path, (column, value)| format!("{path}{column}={value}/"));
    let path = format!("{folder}fold-{sum:016x}-{nonce}.parquet");
    let schema = table.spec().file_schema();
    let mut writer = FileWriter::create(table.dir(), path, group.partition.clone(), &schema, Encoding::Raw)?;
    let mut rows = 0;
    for file in &group.files {
        let mut of_file = 0;
        read_columns(&table.dir().join(&file.path), &[], |batch| {
            of_file += count(batch.num_rows());
            writer.write(&conform(table, &batch, &schema)?)
        })?;
        if file.rows.is_some_and(|stated| stated != of_file) {
            return Err(EngineError::Lake(format!(
                "{} of table {} has {of_file} rows, its commit says {}; nothing was folded, see `tideline lake verify`",
                file.path,
                table.spec().name,
                file.rows.unwrap_or_default()
            )));
        }
        rows += of_file;
    }
    let file = writer.finish()?;
    if file.rows == rows {
        Ok(file)
    } else {
        Err(EngineError::Lake(format!("{} holds {} of {rows} rows", file.path, file.rows)))
    }
}

/// The batch with the table's columns: those that came later are null in older files.
fn conform(table: &Table, batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let known = |name: &str| schema.field_with_name(name).is_ok();
    if let Some(strange) = batch.schema().fields().iter().find(|field| !known(field.name())) {
        return Err(EngineError::Lake(format!(
            "a file of table {} has a column {} that this program doesn't know",
            table.spec().name,
            strange.name()
        )));
    }
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            batch
                .column_by_name(field.name())
                .map_or_else(|| new_null_array(field.data_type(), batch.num_rows()), std::sync::Arc::clone)
        })
        .collect();
    RecordBatch::try_new(SchemaRef::clone(schema), columns).map_err(EngineError::arrow("folding files"))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
