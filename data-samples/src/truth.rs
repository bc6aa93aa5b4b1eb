//! The truth behind the streams: what a model should find, and what the files were made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dirt::DirtCounts;
use crate::draw::major;
use crate::error::GenerateError;
use crate::event::{Event, named, write_rep};
use crate::kind::Kind;
use crate::life::lead::LeadTruth;
use crate::life::opportunity::{ADVANCE, LOSE, STAGES};
use crate::number::{at, narrow, real};
use crate::scale::Scale;
use crate::world::World;
use crate::write::Format;
use crate::write::ndjson::{RowFile, write_rows};

/// What was generated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// Distinct good behaviour events, those of unknown entities included.
    pub events: u64,
    /// Records in the behaviour files: events, copies and bad ones.
    pub records: u64,
    /// Good events by type.
    pub events_by_type: BTreeMap<&'static str, u64>,
    /// Leads created.
    pub leads: u32,
    /// Opportunities opened, those in the pipeline before the first day included.
    pub opportunities: u32,
    /// Sum of `deal.signed`, in major units.
    pub deal_amount: f64,
    /// What that sum was expected to be: capacity × ramp × season × market, over reps and days, in major units.
    pub expected_deal_amount: f64,
    /// Dirt by kind.
    pub dirt: DirtCounts,
}

#[derive(Serialize)]
struct Manifest<'a> {
    format: Format,
    first_day: String,
    last_day: String,
    scale: &'a Scale,
    summary: &'a Summary,
}

#[derive(Serialize)]
struct RepTruth {
    rep_id: String,
    capacity_per_working_day: f64,
    ramp_days: i32,
    ramp_start: f64,
    ramp_end: f64,
    diligence: f64,
    hired_on: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heir_rep_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_on: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_to_region_id: Option<String>,
}

#[derive(Serialize)]
struct SeasonTruth {
    date: String,
    factor: f64,
}

#[derive(Serialize)]
struct MarketTruth<'a> {
    date: String,
    region_id: &'a str,
    effect: f64,
}

#[derive(Serialize)]
struct HazardTruth {
    stage: &'static str,
    position: usize,
    advance_per_working_day: f64,
    lose_per_working_day: f64,
}

#[derive(Serialize)]
struct RepMonthTruth<'a> {
    rep_id: String,
    period: &'a str,
    expected_amount: f64,
    signed_amount: f64,
}

/// What is collected while the days go by.
#[derive(Debug)]
pub(crate) struct Truth {
    folder: PathBuf,
    leads: RowFile,
    rep_months: RowFile,
    period: String,
    /// Expected and signed of the month, by rep, minor units.
    month: Vec<(f64, i64)>,
    /// Good events by the type's position.
    by_kind: Vec<u64>,
    summary: Summary,
}

impl Truth {
    /// Opens the truth files in `folder`, and writes what does not depend on the days.
    pub(crate) fn new(world: &World, folder: PathBuf) -> Result<Self, GenerateError> {
        write_world(world, &folder)?;
        Ok(Self {
            leads: RowFile::create(folder.join("lead.ndjson"))?,
            rep_months: RowFile::create(folder.join("rep_month.ndjson"))?,
            folder,
            period: String::new(),
            month: vec![(0.0, 0); world.reps.len()],
            by_kind: vec![0; Kind::ALL.len()],
            summary: Summary {
                events: 0,
                records: 0,
                events_by_type: BTreeMap::new(),
                leads: 0,
                opportunities: 0,
                deal_amount: 0.0,
                expected_deal_amount: 0.0,
                dirt: DirtCounts::default(),
            },
        })
    }

    /// Takes in a day: its leads, what each rep could expect, and its good events.
    pub(crate) fn day(
        &mut self,
        world: &World,
        day: i32,
        leads: &[LeadTruth],
        expected: &[f64],
        events: &[Event],
    ) -> Result<(), GenerateError> {
        for lead in leads {
            self.leads.push(lead)?;
        }
        self.summary.leads += narrow(leads.len());
        let period = world.clock.date(day).format("%Y-%m").to_string();
        if period != self.period {
            self.close_month()?;
            self.period = period;
        }
        for (rep, amount) in expected.iter().enumerate() {
            self.month[rep].0 += amount;
        }
        self.summary.events += u64::try_from(events.len()).unwrap_or(u64::MAX);
        for event in events {
            self.by_kind[event.kind.position()] += 1;
            if event.kind == Kind::DealSigned {
                self.month[at(event.rep)].1 += event.amount;
            }
        }
        Ok(())
    }

    /// Takes in the number of records of a file.
    pub(crate) fn file(&mut self, records: usize) {
        self.summary.records += u64::try_from(records).unwrap_or(u64::MAX);
    }

    /// Records written so far.
    pub(crate) fn records(&self) -> u64 {
        self.summary.records
    }

    fn close_month(&mut self) -> Result<(), GenerateError> {
        for (rep, (expected, signed)) in self.month.iter_mut().enumerate() {
            if *expected > 0.0 || *signed > 0 {
                self.rep_months.push(&RepMonthTruth {
                    rep_id: named(write_rep, narrow(rep)),
                    period: &self.period,
                    expected_amount: *expected / 100.0,
                    signed_amount: major(*signed),
                })?;
            }
            self.summary.expected_deal_amount += *expected / 100.0;
            self.summary.deal_amount += real(*signed) / 100.0;
            (*expected, *signed) = (0.0, 0);
        }
        Ok(())
    }

    /// Closes the files; the manifest is written last.
    pub(crate) fn finish(
        mut self,
        scale: &Scale,
        format: Format,
        opportunities: u32,
        dirt: DirtCounts,
    ) -> Result<Summary, GenerateError> {
        self.close_month()?;
        self.leads.finish()?;
        self.rep_months.finish()?;
        let counted = Kind::ALL.iter().map(|kind| (kind.code(), self.by_kind[kind.position()]));
        let events_by_type = counted.filter(|&(_, count)| count > 0).collect();
        let summary = Summary { events_by_type, opportunities, dirt, ..self.summary };
        let manifest = Manifest {
            format,
            first_day: scale.start().to_string(),
            last_day: scale.end.to_string(),
            scale,
            summary: &summary,
        };
        let path = self.folder.join("manifest.json");
        let mut text = serde_json::to_string_pretty(&manifest)
            .map_err(|source| GenerateError::Json { path: path.clone(), source })?;
        text.push('\n');
        std::fs::write(&path, text).map_err(|source| GenerateError::Io { path, source })?;
        Ok(summary)
    }
}

fn write_world(world: &World, folder: &Path) -> Result<(), GenerateError> {
    let clock = &world.clock;
    let date = |day: i32| clock.date(day).to_string();
    let reps = world.reps.iter().zip(0..).map(|(rep, n)| RepTruth {
        rep_id: named(write_rep, n),
        capacity_per_working_day: rep.capacity / 100.0,
        ramp_days: rep.ramp_days,
        ramp_start: rep.ramp(rep.hired),
        ramp_end: rep.ramp(rep.hired + rep.ramp_days),
        diligence: rep.diligence,
        hired_on: date(rep.hired),
        left_on: rep.left.map(|(day, _)| date(day)),
        heir_rep_id: rep.left.map(|(_, heir)| named(write_rep, heir)),
        moved_on: rep.moved.map(|moved| date(moved.day)),
        moved_to_region_id: rep.moved.map(|moved| world.regions.territory_id(moved.territory).to_owned()),
    });
    write_rows(folder, "rep.ndjson", reps)?;
    let seasons =
        (0..clock.days()).map(|day| SeasonTruth { date: date(day), factor: world.calendar.day(day).season });
    write_rows(folder, "season.ndjson", seasons)?;
    let territories = narrow(world.regions.territories.len());
    let effects = (0..clock.days()).flat_map(|day| {
        (0..territories).map(move |territory| MarketTruth {
            date: date(day),
            region_id: world.regions.territory_id(territory),
            effect: world.market.effect(territory, day),
        })
    });
    write_rows(folder, "market.ndjson", effects)?;
    let hazards = STAGES.iter().enumerate().map(|(position, stage)| HazardTruth {
        stage,
        position,
        advance_per_working_day: ADVANCE[position],
        lose_per_working_day: LOSE[position],
    });
    write_rows(folder, "hazard.ndjson", hazards)
}
