//! The events of `raw.behaviour`: each in the partition of its business day, and each id on one day only.
//!
//! Copies of an event on one day are expected and left out by whoever reads. The same id on two days is a
//! contradiction: both events count, and one of them shouldn't.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampMicrosecondType;
use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::{Finding, Severity, damage, examples, read_some};
use crate::error::Result;
use crate::lake::table::{DataFile, Table};
use crate::tile::parse_day;
use crate::time::{Day, Zone, date};

/// Event ids looked at in one pass: 16 bytes each, held twice while they are brought together.
const IDS_MAX: u64 = 8 << 20;
/// Ids on two days that are told apart exactly; more of them are counted by their hashes.
const SUSPECTS_MAX: usize = 1 << 20;

/// Checks the days and the ids of every event. Files that can't be read were found before and are left out.
pub(super) fn check(table: &Table, zone: &Zone) -> Result<Vec<Finding>> {
    let files: Vec<(Day, &DataFile)> = table
        .files()
        .iter()
        .map(|file| Ok((parse_day(file.partition_value("event_date"))?, file)))
        .collect::<Result<_>>()?;
    let mut findings = Vec::new();
    findings.extend(check_days(table, zone, &files));
    findings.extend(check_ids(table, &files));
    Ok(findings)
}

fn check_days(table: &Table, zone: &Zone, files: &[(Day, &DataFile)]) -> Option<Finding> {
    let wrong: Vec<(u64, String)> = files
        .par_iter()
        .filter_map(|&(day, file)| {
            let (first, end) = (zone.start(day), zone.end(day));
            let mut outside = 0;
            read_some(table, file, &["event_time"], |batch| {
                if let Some(times) = batch.column(0).as_primitive_opt::<TimestampMicrosecondType>() {
                    outside += times.values().iter().filter(|&&at| at < first || at >= end).count();
                }
                Ok(())
            })
            .ok()?;
            (outside > 0).then(|| (count(outside), format!("{outside} in {}", file.path)))
        })
        .collect();
    let rows: u64 = wrong.iter().map(|(rows, _)| rows).sum();
    let which: Vec<String> = wrong.into_iter().map(|(_, text)| text).collect();
    (rows > 0).then(|| {
        let what = format!("files hold {rows} events of other days than their event_date");
        damage(table.spec().name, examples(which.len(), &what, &which))
    })
}

/// Ids on more than one day. Hashes find the suspects, pass by pass over shares of the hash space; the ids themselves
/// then decide.
fn check_ids(table: &Table, files: &[(Day, &DataFile)]) -> Option<Finding> {
    let rows: u64 = files.iter().map(|(_, file)| file.rows.unwrap_or(0)).sum();
    let passes = rows.div_ceil(IDS_MAX).max(1);
    let mut suspects: FxHashSet<u64> = FxHashSet::default();
    for pass in 0..passes {
        suspects.extend(suspects_of(table, files, passes, pass));
    }
    if suspects.is_empty() {
        return None;
    }
    let exact = suspects.len() <= SUSPECTS_MAX;
    let found: Mutex<BTreeMap<String, BTreeSet<Day>>> = Mutex::default();
    if exact {
        files.par_iter().for_each(|&(day, file)| {
            let mut here: BTreeSet<String> = BTreeSet::new();
            each_id(table, file, |id| {
                if suspects.contains(&hash(id)) {
                    here.insert(id.to_owned());
                }
            });
            if let Ok(mut found) = found.lock() {
                for id in here {
                    found.entry(id).or_default().insert(day);
                }
            }
        });
    }
    let mut found = found.into_inner().unwrap_or_default();
    found.retain(|_, days| days.len() > 1);
    let which: Vec<String> = found
        .iter()
        .take(super::EXAMPLES_MAX)
        .map(|(id, days)| {
            let days: Vec<String> = days.iter().map(|&day| date(day).to_string()).collect();
            format!("{id} on {}", days.join(" and "))
        })
        .collect();
    let number = if exact { found.len() } else { suspects.len() };
    let message = examples(number, "event ids occur on more than one day, and count on each", &which);
    (number > 0).then(|| Finding { severity: Severity::Warning, table: table.spec().name, message })
}

/// Hashes, of this pass's share, that occur on two days.
fn suspects_of(table: &Table, files: &[(Day, &DataFile)], passes: u64, pass: u64) -> Vec<u64> {
    let mut pairs: Vec<(u64, Day)> = files
        .par_iter()
        .map(|&(day, file)| {
            let mut pairs = Vec::new();
            each_id(table, file, |id| {
                let hash = hash(id);
                if hash % passes == pass {
                    pairs.push((hash, day));
                }
            });
            pairs
        })
        .flatten_iter()
        .collect();
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0).collect()
}

fn each_id(table: &Table, file: &DataFile, mut each: impl FnMut(&str)) {
    let read = read_some(table, file, &["event_id"], |batch| {
        if let Some(ids) = batch.column(0).as_string_opt::<i32>() {
            (0..ids.len()).for_each(|row| each(ids.value(row)));
        }
        Ok(())
    });
    if let Err(error) = read {
        tracing::debug!(file = file.path, %error, "left out of the check of event ids");
    }
}

fn hash(id: &str) -> u64 {
    let hash = blake3::hash(id.as_bytes());
    hash.as_bytes().iter().take(8).fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
