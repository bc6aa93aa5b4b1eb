//! The stages of a run, each from what the ones before it made.

use std::collections::BTreeMap;

use arrow::array::{Array, Decimal128Array, Float64Array, Int32Array, StringArray};
use chrono::Datelike;

use crate::catalogue::Catalogue;
use crate::contract::Stream;
use crate::derive::recognise;
use crate::entity::{Crm, CrmVersions, Versions};
use crate::error::{EngineError, Result};
use crate::factor::market::Market;
use crate::factor::{FactorInputs, factors};
use crate::lake::{Lake, Run, Table, published, read};
use crate::measure::customer::{CustomerMeasure, customers};
use crate::measure::facts::Facts;
use crate::measure::lead::{Lead, leads};
use crate::measure::opportunity::{Opportunity, Stages, opportunities};
use crate::measure::process::{Inputs, ProcessHealth, process_health};
use crate::measure::scope::Scopes;
use crate::measure::real;
use crate::quota::{
    Finding, PredictInput, Predictor, Previous, QuotaInputs, QuotaRun, Span, TERMS, months_before, quotas as frame,
};
use crate::settings::Settings;
use crate::tile::rep::RepTile;
use crate::tile::{TileReport, Tiles, ensure};
use crate::time::{Day, Zone, date};
use crate::window::{CustomerWindows, OrderHistory, customer_windows, life_day, order_history};

/// The tables that a run reads, pinned at one version each, and the CRM in them.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) raw: Table,
    market: Table,
    dead_letters: Table,
    crm_tables: Vec<Table>,
    versions: CrmVersions,
    runs: Vec<Run>,
    quota: Table,
    explanation: Table,
}

impl Sources {
    pub(super) async fn open(lake: &Lake) -> Result<Self> {
        let names = ["crm.rep", "crm.customer", "crm.region", "crm.plan", "crm.calendar"];
        let crm_tables = lake.open_tables(&names).await?;
        let streams = [Stream::Rep, Stream::Customer, Stream::Region, Stream::Plan, Stream::Calendar];
        let mut loaded = Vec::new();
        for (stream, table) in streams.into_iter().zip(&crm_tables) {
            loaded.push(Versions::load(stream, table)?);
        }
        let Ok([reps, customers, regions, plan, calendar]) = <[Versions; 5]>::try_from(loaded) else {
            return Err(EngineError::Lake("the CRM has five streams".to_owned()));
        };
        Ok(Self {
            raw: lake.table("raw.behaviour").await?,
            market: lake.table("raw.market_factor").await?,
            dead_letters: lake.table("raw.dead_letter").await?,
            crm_tables,
            versions: CrmVersions { reps, customers, regions, plan, calendar },
            runs: Run::load(&lake.table("ops.run").await?)?,
            quota: lake.table("mart.quota").await?,
            explanation: lake.table("mart.quota_explanation").await?,
        })
    }

    /// The tables whose versions are part of a run's identity.
    pub(super) fn tables(&self) -> impl Iterator<Item = &Table> {
        [&self.raw, &self.market, &self.dead_letters].into_iter().chain(&self.crm_tables)
    }

    /// The run that a day shows.
    pub(super) fn shown(&self, day: Day) -> Option<&Run> {
        published(&self.runs).get(&day).copied()
    }

    /// The run shown for the newest day before `day`.
    pub(super) fn previous(&self, day: Day) -> Option<&Run> {
        published(&self.runs).range(..day).next_back().map(|(_, run)| *run)
    }
}

/// Freshens the tiles.
pub(super) async fn tiles(
    lake: &Lake,
    sources: &Sources,
    catalogue: &Catalogue,
    as_of: Day,
) -> Result<(Tiles, TileReport)> {
    ensure(lake, &sources.raw, catalogue, as_of, sources.versions.customers.ids(), |_, _| {}).await
}

/// The CRM as of the day, and the windows that end with it.
#[derive(Debug)]
pub(super) struct Windows {
    pub(super) crm: Crm,
    pub(super) scopes: Scopes,
    customers: CustomerWindows,
    orders: OrderHistory,
    pub(super) facts: Facts,
    pub(super) reps_30d: RepTile,
    pub(super) reps_90d: RepTile,
    pub(super) reps_month: RepTile,
    pub(super) reps_year: RepTile,
    pub(super) market: Market,
    pub(super) period: Span,
    pub(super) reps_period: RepTile,
}

pub(super) async fn windows(
    lake: &Lake,
    sources: &Sources,
    tiles: &Tiles,
    settings: &Settings,
    catalogue: &Catalogue,
    as_of: Day,
) -> Result<Windows> {
    let end = lake.zone().end(as_of);
    let crm = Crm::as_of(&sources.versions, &tiles.keys, end)?;
    let life = tiles.life(lake, life_day(as_of)).await?;
    let period = Span::of(as_of, settings.quota.period);
    let month = Span::of(as_of, crate::settings::Period::Month);
    let months = months_before(month.first, 12);
    let mut reps_year = tiles.reps(month.first, as_of)?;
    for tile in tiles.rep_months(lake, &months).await?.values() {
        reps_year.merge(tile);
    }
    Ok(Windows {
        scopes: Scopes::new(&crm),
        customers: customer_windows(lake, tiles, &life, as_of).await?,
        orders: order_history(tiles, &life, as_of)?,
        facts: Facts::load(lake, tiles, catalogue, as_of).await?,
        reps_30d: tiles.reps(as_of - 29, as_of)?,
        reps_90d: tiles.reps(as_of - 89, as_of)?,
        reps_month: tiles.reps(month.first, as_of)?,
        reps_year,
        reps_period: tiles.reps(period.first, as_of)?,
        market: Market::load(&sources.market, &crm.regions, end)?,
        period,
        crm,
    })
}

/// What the windows say.
#[derive(Debug)]
pub(super) struct Measures {
    pub(super) customers: Vec<CustomerMeasure>,
    pub(super) leads: Vec<Lead>,
    pub(super) stages: Stages,
    pub(super) opportunities: Vec<Opportunity>,
    pub(super) process: Vec<ProcessHealth>,
    pub(super) derived: Vec<Derived>,
}

/// A derived event of the day.
#[derive(Debug, Clone)]
pub(super) struct Derived {
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) code: String,
    pub(super) ids: [Option<String>; 4],
}

pub(super) fn measures(
    windows: &Windows,
    settings: &Settings,
    catalogue: &Catalogue,
    zone: &Zone,
    as_of: Day,
) -> Measures {
    let (crm, facts) = (&windows.crm, &windows.facts);
    let customers = customers(crm, &windows.customers, &windows.orders, settings, zone, as_of);
    let leads = leads(facts, catalogue, as_of);
    let stages = Stages::new(&settings.pipeline);
    let opportunities = opportunities(facts, catalogue, &stages);
    let process = process_health(&Inputs {
        crm,
        scopes: &windows.scopes,
        facts,
        leads: &leads,
        opportunities: &opportunities,
        customers: &customers,
        reps_30d: &windows.reps_30d,
        settings,
        zone,
        as_of,
    });
    let sequence = facts.sequence();
    let owned = |id: Option<&str>| id.map(str::to_owned);
    let derived = recognise(catalogue.definitions(), &sequence, zone.start(as_of), zone.end(as_of))
        .into_iter()
        .map(|event| Derived {
            id: event.event_id,
            time: event.time_us,
            code: catalogue.model(event.code).map(|model| model.code.clone()).unwrap_or_default(),
            ids: [event.trigger.rep, event.trigger.customer, event.trigger.lead, event.trigger.opportunity].map(owned),
        })
        .collect();
    Measures { customers, leads, stages, opportunities, process, derived }
}

/// The quotas and what they rest on.
#[derive(Debug)]
pub(super) struct Quotas {
    pub(super) run: QuotaRun,
    /// By position in the CRM.
    pub(super) factors: Vec<[crate::factor::Factor; 18]>,
    pub(super) predictor: String,
    pub(super) previous_as_of: Option<Day>,
}

#[expect(clippy::too_many_arguments, reason = "the stage where everything meets")]
pub(super) async fn quotas(
    lake: &Lake,
    sources: &Sources,
    tiles: &Tiles,
    windows: &Windows,
    measures: &Measures,
    settings: &Settings,
    predictor: &dyn Predictor,
    as_of: Day,
) -> Result<Quotas> {
    let crm = &windows.crm;
    let reps: Vec<usize> = (0..crm.reps.len()).filter(|&rep| crm.reps[rep].on_duty(as_of)).collect();
    let first_event = tiles.days(as_of).next().unwrap_or(as_of);
    let months: Vec<(Day, Day)> = months_before(windows.period.first, settings.quota.history_months)
        .into_iter()
        .filter(|(_, last)| *last >= first_event)
        .collect();
    let history = tiles.rep_months(lake, &months).await?;
    let mut input = predict_input(windows, &reps, &months, &history, as_of);
    let refuse = |message: String| EngineError::Input(format!("predicting quotas: {message}"));
    let season = predictor.season(&per_day(&input, reps.len()), input.first_month).map_err(refuse)?;
    let period_season = mean(windows.period.months().iter().map(|&month| season[usize::from(month) - 1]));
    let factors = factors(&FactorInputs {
        crm,
        market: &windows.market,
        customers: &measures.customers,
        facts: &windows.facts,
        leads: &measures.leads,
        opportunities: &measures.opportunities,
        process: &measures.process,
        season: period_season,
        settings,
        as_of,
    });
    input.factor_effect =
        reps.iter().flat_map(|&rep| factors[rep].iter().map(|factor| factor.effect)).collect();
    let forecast = predictor.predict(&input, &season).map_err(refuse)?;
    let attained: Vec<i64> = reps.iter().map(|&rep| windows.reps_period.get(&crm.reps[rep].id).amount_signed).collect();
    let (previous_as_of, previous) = previous_quotas(sources, &windows.period, as_of)?;
    let run = frame(&QuotaInputs {
        crm,
        reps: &reps,
        period: &windows.period,
        attained: &attained,
        factors: &factors,
        forecast: forecast.as_ref(),
        previous: &previous,
        settings: &settings.quota,
    })?;
    Ok(Quotas { run, factors, predictor: predictor.name().to_owned(), previous_as_of })
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0_f64, 0.0_f64);
    for value in values {
        sum += value;
        n += 1.0;
    }
    if n > 0.0 { sum / n } else { 1.0 }
}

/// The company's amount per working day of every closed month.
fn per_day(input: &PredictInput, reps: usize) -> Vec<f64> {
    (0..input.n_months)
        .map(|month| {
            let total: f64 = (0..reps).map(|rep| input.history[rep * input.n_months + month]).sum();
            let worked: f64 = (0..reps).map(|rep| input.worked[rep * input.n_months + month]).sum();
            if worked > 0.0 { (total / worked).max(0.0) } else { 0.0 }
        })
        .collect()
}

fn predict_input(
    windows: &Windows,
    reps: &[usize],
    months: &[(Day, Day)],
    history: &BTreeMap<Day, RepTile>,
    as_of: Day,
) -> PredictInput {
    let crm = &windows.crm;
    let no_region = u32::try_from(crm.regions.ids.len()).unwrap_or(u32::MAX);
    let mut input = PredictInput {
        n_months: months.len(),
        first_month: months.first().and_then(|(first, _)| u8::try_from(date(*first).month()).ok()).unwrap_or(1),
        working_days: months.iter().map(|&(first, last)| real(crm.working_days(first, last))).collect(),
        working_days_period: real(crm.working_days(windows.period.first, windows.period.last)),
        working_days_left: real(crm.working_days(as_of + 1, windows.period.last)),
        ..PredictInput::default()
    };
    for &rep in reps {
        let person = &crm.reps[rep];
        for &(first, last) in months {
            let tile = history.get(&first).map(|tile| tile.get(&person.id)).unwrap_or_default();
            input.history.push(real(tile.amount_signed));
            let from = person.hired_on.unwrap_or(first).max(first);
            input.worked.push(real(crm.working_days(from, last)));
        }
        input.region.push(person.region.and_then(|region| u32::try_from(region).ok()).unwrap_or(no_region));
        // Where nobody says when a rep was hired, the rep counts as experienced.
        let months = person.hired_on.map_or(60.0, |hired| f64::from((as_of - hired).max(0)) / 30.4);
        input.tenure_months.push(months);
        input.attained.push(real(windows.reps_period.get(&person.id).amount_signed));
    }
    input
}

/// The quotas that the newest earlier day of the same period shows.
fn previous_quotas(
    sources: &Sources,
    period: &Span,
    as_of: Day,
) -> Result<(Option<Day>, BTreeMap<String, Previous>)> {
    let mut found: BTreeMap<String, Previous> = BTreeMap::new();
    let Some(run) = sources.previous(as_of).filter(|run| run.as_of >= period.first) else {
        return Ok((None, found));
    };
    let files = |table: &Table| -> Vec<std::path::PathBuf> {
        let own = table.files().iter().filter(|file| {
            file.partition_value("run_id") == run.run_id && file.partition_value("as_of") == date(run.as_of).to_string()
        });
        own.map(|file| table.dir().join(&file.path)).collect()
    };
    for path in files(&sources.quota) {
        for batch in read(&path, &["rep_id", "period", "quota", "base"])? {
            let (ids, periods) = (text(&batch, "rep_id")?, text(&batch, "period")?);
            let (quotas, bases) = (money(&batch, "quota")?, money(&batch, "base")?);
            for row in (0..batch.num_rows()).filter(|&row| periods.value(row) == period.name) {
                let minor = |array: &Decimal128Array| i64::try_from(array.value(row)).unwrap_or(0);
                let previous = Previous { quota: minor(quotas), base: minor(bases), ratios: vec![1.0; TERMS] };
                found.insert(ids.value(row).to_owned(), previous);
            }
        }
    }
    for path in files(&sources.explanation) {
        for batch in read(&path, &["rep_id", "kind", "position", "ratio"])? {
            let (ids, kinds) = (text(&batch, "rep_id")?, text(&batch, "kind")?);
            let positions = batch.column_by_name("position").and_then(|c| c.as_any().downcast_ref::<Int32Array>());
            let ratios = batch.column_by_name("ratio").and_then(|c| c.as_any().downcast_ref::<Float64Array>());
            let (Some(positions), Some(ratios)) = (positions, ratios) else { continue };
            for row in (0..batch.num_rows()).filter(|&row| kinds.value(row) == "level" && ratios.is_valid(row)) {
                let slot = usize::try_from(positions.value(row) - 1).ok();
                let previous = found.get_mut(ids.value(row));
                if let Some(ratio) = previous.and_then(|previous| previous.ratios.get_mut(slot?)) {
                    *ratio = ratios.value(row);
                }
            }
        }
    }
    Ok((Some(run.as_of), found))
}

fn text<'a>(batch: &'a arrow::array::RecordBatch, name: &str) -> Result<&'a StringArray> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<StringArray>())
        .ok_or_else(|| EngineError::Lake(format!("a published quota file has no text column {name}")))
}

fn money<'a>(batch: &'a arrow::array::RecordBatch, name: &str) -> Result<&'a Decimal128Array> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref::<Decimal128Array>())
        .ok_or_else(|| EngineError::Lake(format!("a published quota file has no money column {name}")))
}

/// Records that did not reach their contract or their entity ÷ records seen.
pub(super) fn mapping_error(tiles: &TileReport, sources: &Sources, windows: &Windows) -> Option<f64> {
    let rows = |table: &Table| table.files().iter().filter_map(|file| file.rows).sum::<u64>();
    let (accepted, rejected) = (rows(&sources.raw) + rows(&sources.market), rows(&sources.dead_letters));
    let lost = rejected + tiles.unknown_types + windows.market.unknown_region;
    let seen = i64::try_from(accepted + rejected).unwrap_or(i64::MAX);
    crate::measure::ratio(i64::try_from(lost).unwrap_or(i64::MAX), seen)
}

/// The share of lost records over which a run warns.
const MAPPING_ERROR_MAX: f64 = 0.008;

/// What a person should look at.
pub(super) fn warnings(
    windows: &Windows,
    quotas: &Quotas,
    tiles: &TileReport,
    mapping_error: Option<f64>,
) -> Vec<String> {
    let crm = &windows.crm;
    let mut warnings: Vec<String> = mapping_warning(mapping_error).into_iter().collect();
    let name = |region: usize| crm.regions.ids.get(region).cloned().unwrap_or_default();
    if crm.reps.is_empty() {
        warnings.push("no rep is in force: ingest the stream crm.rep to get quotas and process health".to_owned());
    }
    for finding in &quotas.run.findings {
        warnings.push(match finding {
            Finding::PlanWithoutReps { region, .. } => {
                format!("region {} has a plan for {} but no rep on duty", name(*region), windows.period.name)
            }
            Finding::RepsWithoutRegion { reps } | Finding::RepsInUnknownRegion { reps } => {
                format!("{} reps belong to no region and stand outside every plan", reps.len())
            }
            Finding::Cycle { regions } => {
                let names: Vec<String> = regions.iter().map(|&region| name(region)).collect();
                format!("regions {} are above each other; the circle was cut", names.join(" → "))
            }
            other => format!("{other:?}"),
        });
    }
    for &region in &crm.regions.cut {
        warnings.push(format!("region {} lies above itself; it was taken for a root", name(region)));
    }
    if tiles.unknown_types > 0 {
        warnings.push(format!("{} events have a type that the catalogue no longer knows", tiles.unknown_types));
    }
    if windows.market.unknown_region > 0 {
        warnings.push(format!("{} market observations name an unknown region", windows.market.unknown_region));
    }
    warnings
}

/// Adds the warning about lost records.
fn mapping_warning(share: Option<f64>) -> Option<String> {
    let share = share.filter(|share| *share > MAPPING_ERROR_MAX)?;
    Some(format!("{:.2} % of the records did not reach their contract or entity; see raw.dead_letter", share * 100.0))
}
