//! What a run reads: the tables, pinned at one version each, the CRM in them, and what earlier runs published.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Decimal128Array, Float64Array, RecordBatch, StringArray};

use rayon::prelude::*;

use super::elasticity::Before;
use super::{past, publish};
use crate::adjust::{Adjustment, Request, in_force, of_table};
use crate::contract::Stream;
use crate::entity::{CrmVersions, Versions};
use crate::error::{EngineError, Result};
use crate::lake::{Lake, Run, Table, published, read};
use crate::quota::{Previous, Span};
use crate::settings::{Period, Settings};
use crate::time::{Day, Micros, date};

/// Past periods whose quotas the attainment bias looks back on.
const PAST_PERIODS: i32 = 6;

const STREAMS: [Stream; 5] = [Stream::Rep, Stream::Customer, Stream::Region, Stream::Plan, Stream::Calendar];
const RUNS: &str = "ops.run";
const ELASTICITY: &str = "mart.elasticity";
const OTHERS: [&str; 9] = [
    "raw.behaviour",
    "raw.market_factor",
    "raw.dead_letter",
    RUNS,
    "mart.quota",
    "mart.quota_explanation",
    "mart.factor",
    ELASTICITY,
    "ops.adjustment",
];

/// The tables that a run reads, pinned at one version each, and the CRM in them.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) raw: Table,
    pub(super) market: Table,
    pub(super) dead_letters: Table,
    crm_tables: Vec<Table>,
    pub(super) versions: CrmVersions,
    runs: Vec<Run>,
    runs_version: i64,
    quota: Table,
    explanation: Table,
    factor: Table,
    elasticity: Table,
    adjustments: Table,
    requests: BTreeMap<String, Request>,
}

impl Sources {
    pub(super) async fn open(lake: &Lake) -> Result<Self> {
        let names = [&STREAMS.map(Stream::table)[..], &OTHERS].concat();
        Self::load(lake.open_tables(&names).await?)
    }

    /// What a run read, at the versions that it recorded, or what of it is missing.
    pub(super) async fn of_past(lake: &Lake, run: &Run) -> Result<Result<Self, Vec<String>>> {
        let mut missing = Vec::new();
        let mut tables = Vec::new();
        for name in STREAMS.map(Stream::table).iter().chain(&OTHERS) {
            let newest = lake.table(name).await?;
            // Marts are found by run, and runs by what the log knew of them.
            let kept = name.starts_with("mart.") || *name == RUNS;
            match run.inputs.get(*name) {
                _ if kept => tables.push(newest),
                Some(&version) => match past::table_at(lake, name, version, newest).await? {
                    Ok(table) => tables.push(table),
                    Err(why) => missing.push(why),
                },
                None => missing.push(format!("the run doesn't say which version of {name} it read")),
            }
        }
        let Some(&version) = run.inputs.get(RUNS) else {
            missing.push(format!(
                "the run doesn't say which version of {RUNS} it read, so not what it followed"
            ));
            return Ok(Err(missing));
        };
        if !missing.is_empty() {
            return Ok(Err(missing));
        }
        let mut sources = Self::load(tables)?;
        let known = Run::known_at(&lake.table(RUNS).await?, version)?;
        sources.runs.retain(|run| known.contains(&run.run_id));
        sources.runs_version = version;
        Ok(Ok(sources))
    }

    /// Of the runs that this one follows: whose quotas are no longer there.
    pub(super) fn missing_runs(&self, as_of: Day, period: &Span, every: Period) -> Vec<String> {
        let previous = self.previous(as_of).filter(|run| run.as_of >= period.first);
        let openings = self.openings(as_of, every).into_iter().map(|(_, _, run)| (run, &self.quota));
        let followed = previous.into_iter().flat_map(|run| [(run, &self.quota), (run, &self.explanation)]);
        let followed = followed.chain(self.opening(as_of, period).map(|run| (run, &self.factor)));
        // One of the day before, whatever its period, where its program knew of it.
        let market = self.previous(as_of).filter(|run| run.rows.contains_key(ELASTICITY));
        let followed = followed.chain(market.map(|run| (run, &self.elasticity)));
        let gone = openings.chain(followed).filter(|(run, table)| {
            let files = files_of(table, run);
            files.is_empty() || files.iter().any(|file| !file.exists())
        });
        let told: BTreeSet<String> = gone
            .map(|(run, table)| {
                format!(
                    "{} of the run {} of {}, which this one follows, was removed by `tideline lake maintain`",
                    table.spec().name,
                    run.run_id,
                    date(run.as_of)
                )
            })
            .collect();
        told.into_iter().collect()
    }

    /// From the tables of [`STREAMS`] and [`OTHERS`], in this order.
    fn load(mut crm_tables: Vec<Table>) -> Result<Self> {
        let opened = <[Table; OTHERS.len()]>::try_from(crm_tables.split_off(STREAMS.len()));
        let loaded: Result<Vec<Versions>> = STREAMS
            .into_par_iter()
            .zip(&crm_tables)
            .map(|(stream, table)| Versions::load(stream, table))
            .collect();
        let wrong = || EngineError::Lake("as many tables are opened as are named".to_owned());
        let [raw, market, dead_letters, runs, quota, explanation, factor, elasticity, adjustments] =
            opened.map_err(|_| wrong())?;
        let [reps, customers, regions, plan, calendar] =
            <[Versions; 5]>::try_from(loaded?).map_err(|_| wrong())?;
        Ok(Self {
            raw,
            market,
            dead_letters,
            crm_tables,
            versions: CrmVersions { reps, customers, regions, plan, calendar },
            runs_version: runs.version(),
            runs: Run::load(&runs)?,
            quota,
            explanation,
            factor,
            elasticity,
            requests: of_table(&adjustments)?,
            adjustments,
        })
    }

    /// The approved adjustments that act on a run of the day, in their order.
    pub(super) fn adjustments(&self, as_of: Day, settings: &Settings) -> Vec<Adjustment> {
        in_force(&self.requests, &Span::of(as_of, settings.quota.period).name, as_of)
    }

    /// The tables whose versions are part of a run's identity.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        [&self.raw, &self.market, &self.dead_letters].into_iter().chain(&self.crm_tables)
    }

    /// Table → version, of all that the run reads but what earlier runs published.
    pub(super) fn inputs(&self) -> BTreeMap<&'static str, i64> {
        let tables =
            self.tables().chain([&self.adjustments]).map(|table| (table.spec().name, table.version()));
        tables.chain([(RUNS, self.runs_version)]).collect()
    }

    /// The run that a day shows.
    pub(super) fn shown(&self, day: Day) -> Option<&Run> {
        published(&self.runs).get(&day).copied()
    }

    /// When the last publication was.
    pub(super) fn last_publication(&self) -> Micros {
        self.runs.iter().map(|run| run.finished_at).max().unwrap_or(0)
    }

    /// The run shown for the newest day before `day`.
    pub(super) fn previous(&self, day: Day) -> Option<&Run> {
        published(&self.runs).range(..day).next_back().map(|(_, run)| *run)
    }

    /// The first run published in each of the periods before the one of `as_of`, with how many periods ago that was,
    /// the newest first; periods without one are left out.
    pub(super) fn openings(&self, as_of: Day, period: Period) -> Vec<(i32, Span, &Run)> {
        let shown = published(&self.runs);
        let mut span = Span::of(as_of, period);
        let mut openings = Vec::new();
        for age in 1..=PAST_PERIODS {
            span = Span::of(span.first - 1, period);
            openings
                .extend(shown.range(span.first..=span.last).next().map(|(_, run)| (age, span.clone(), *run)));
        }
        openings
    }

    /// The first run published in a period, before `as_of`.
    pub(super) fn opening(&self, as_of: Day, period: &Span) -> Option<&Run> {
        published(&self.runs).range(period.first..as_of).next().map(|(_, run)| *run)
    }

    /// The products of factor effects that the first run of a period published, by rep id.
    pub(super) fn opening_effects(&self, as_of: Day, period: &Span) -> Result<BTreeMap<String, f64>> {
        let mut effects: BTreeMap<String, f64> = BTreeMap::new();
        for path in self.opening(as_of, period).into_iter().flat_map(|run| files_of(&self.factor, run)) {
            for batch in read(&path, &["rep_id", "effect"])? {
                let (ids, values): (_, &Float64Array) = (text(&batch, "rep_id")?, column(&batch, "effect")?);
                // In the order of the factors, like the product of today's.
                for row in 0..batch.num_rows() {
                    match effects.get_mut(ids.value(row)) {
                        Some(product) => *product *= values.value(row),
                        None => drop(effects.insert(ids.value(row).to_owned(), values.value(row))),
                    }
                }
            }
        }
        Ok(effects)
    }

    /// The quotas of a period that a run published, minor units by rep id.
    pub(super) fn quotas_of(&self, run: &Run, period: &str) -> Result<BTreeMap<String, i64>> {
        let mut quotas = BTreeMap::new();
        for path in files_of(&self.quota, run) {
            for batch in read(&path, &["rep_id", "period", "quota"])? {
                let (ids, periods, amounts) =
                    (text(&batch, "rep_id")?, text(&batch, "period")?, money(&batch, "quota")?);
                for row in (0..batch.num_rows()).filter(|&row| periods.value(row) == period) {
                    quotas.insert(ids.value(row).to_owned(), minor(amounts, row));
                }
            }
        }
        Ok(quotas)
    }

    /// By region id, the empty one for nowhere: whether the newest run before the day found the market cold.
    pub(super) fn previous_markets(&self, as_of: Day) -> Result<Before> {
        let mut markets = Before::new();
        for path in self.previous(as_of).into_iter().flat_map(|run| files_of(&self.elasticity, run)) {
            for batch in read(&path, &["region_id", "cold"])? {
                let (ids, cold): (_, &BooleanArray) = (text(&batch, "region_id")?, column(&batch, "cold")?);
                let id = |row| if ids.is_valid(row) { ids.value(row) } else { "" };
                markets.extend((0..batch.num_rows()).map(|row| (id(row).to_owned(), cold.value(row))));
            }
        }
        Ok(markets)
    }

    /// The quotas that the newest earlier day of the same period shows, with what they were made of, by rep id.
    pub(super) fn previous_quotas(
        &self,
        period: &Span,
        as_of: Day,
    ) -> Result<(Option<Day>, BTreeMap<String, Previous>)> {
        let mut found: BTreeMap<String, Previous> = BTreeMap::new();
        let Some(run) = self.previous(as_of).filter(|run| run.as_of >= period.first) else {
            return Ok((None, found));
        };
        for path in files_of(&self.quota, run) {
            for batch in read(&path, &["rep_id", "period", "quota", "base"])? {
                let (ids, periods) = (text(&batch, "rep_id")?, text(&batch, "period")?);
                let (quotas, bases) = (money(&batch, "quota")?, money(&batch, "base")?);
                for row in (0..batch.num_rows()).filter(|&row| periods.value(row) == period.name) {
                    let (quota, base) = (minor(quotas, row), minor(bases, row));
                    let previous = Previous { quota, base, ratios: BTreeMap::new() };
                    found.insert(ids.value(row).to_owned(), previous);
                }
            }
        }
        let mut terms = BTreeSet::new();
        for path in files_of(&self.explanation, run) {
            for batch in read(&path, &["rep_id", "kind", "term", "ratio"])? {
                set_ratios(&batch, &mut terms, &mut found)?;
            }
        }
        Ok((Some(run.as_of), found))
    }
}

/// Fills in the ratios that levels were explained by.
fn set_ratios(
    batch: &RecordBatch,
    known: &mut BTreeSet<Arc<str>>,
    found: &mut BTreeMap<String, Previous>,
) -> Result<()> {
    let (ids, kinds) = (text(batch, "rep_id")?, text(batch, "kind")?);
    let (terms, ratios): (_, &Float64Array) = (text(batch, "term")?, column(batch, "ratio")?);
    for row in (0..batch.num_rows()).filter(|&row| kinds.value(row) == "level" && ratios.is_valid(row)) {
        if let Some(previous) = found.get_mut(ids.value(row)) {
            // Thousands of reps share a few names.
            let term = known.get(terms.value(row)).cloned().unwrap_or_else(|| Arc::from(terms.value(row)));
            known.insert(Arc::clone(&term));
            previous.ratios.insert(term, ratios.value(row));
        }
    }
    Ok(())
}

/// The files of a mart that a run wrote; of a run that was superseded, those not yet deleted.
pub(super) fn files_of(table: &Table, run: &Run) -> Vec<PathBuf> {
    let day = date(run.as_of).to_string();
    let own: Vec<PathBuf> = (table.files().iter())
        .filter(|file| file.partition_value("run_id") == run.run_id && file.partition_value("as_of") == day)
        .map(|file| table.dir().join(&file.path))
        .collect();
    if own.is_empty() {
        let left = table.dir().join(publish::path(run.as_of, &run.run_id));
        return left.exists().then_some(left).into_iter().collect();
    }
    own
}

fn minor(amounts: &Decimal128Array, row: usize) -> i64 {
    i64::try_from(amounts.value(row)).unwrap_or(0)
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    column(batch, name)
}

fn money<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Decimal128Array> {
    column(batch, name)
}

fn column<'a, T: Array + 'static>(batch: &'a RecordBatch, name: &str) -> Result<&'a T> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<T>())
        .ok_or_else(|| EngineError::Lake(format!("a published quota file has no column {name} of its type")))
}
