//! The cases of scopes: what is known of a process-health index at the end of a day, and nothing later.
//!
//! ```text
//! days  T−89 ────────── T−29 ──── T−15 ──────────── T ──────────── T+14
//!       └── usual level: 90 days                    │
//!                       └── the index: 30 days      │
//!                                 └── 16 days that are still within the index of T+14
//! ```
//!
//! | column | what |
//! |---|---|
//! | `scope` | rep, manager, region or company |
//! | `index`, `index_16d`, `index_90d` | over 30, 16 and 90 days, points |
//! | `COMPONENT`, `COMPONENT_16d`, `COMPONENT_90d` | their six scores, points |
//! | `region_index`, `company_index` | of the scope's own region (missing without one) and of the company, points |
//! | `tenure_days` | since the rep was hired; missing for other scopes |
//! | `working_days_ahead` | working days of the 30 that end with T+14, less those of the 30 that end with T |

use super::TrainingRequest;
use super::cases::{Cases, Growing};
use super::training::looks;
use crate::entity::{Crm, CrmVersions, Rep};
use crate::error::Result;
use crate::lake::Lake;
use crate::measure::COMPONENTS;
use crate::measure::customer::Color;
use crate::measure::facts::Facts;
use crate::measure::funnel::rep_positions;
use crate::measure::lead::{Lead, leads};
use crate::measure::opportunity::{Opportunity, Stages, opportunities_as_of};
use crate::measure::portfolio::{Portfolios, View};
use crate::measure::process::{ProcessHealth, index, roll_up};
use crate::measure::scope::Scopes;
use crate::settings::Settings;
use crate::tile::rep::RepTile;
use crate::tile::{RepMonths, Tiles};
use crate::time::{Day, Micros, Zone};
use crate::window::{CustomerSums, WINDOW_DAYS};

/// Days ahead that the index is forecast.
pub const INDEX_DAYS: Day = 14;
/// Days of the last 30 that are still within the window then.
pub(crate) const STAYING_DAYS: Day = WINDOW_DAYS - INDEX_DAYS;
/// Days that say what is usual.
const USUAL_DAYS: Day = 90;

/// Scopes as they stood at the end of past days, in the order of (day, scope, id).
#[derive(Debug, Default)]
pub struct IndexRows {
    /// What was known of each then.
    pub cases: Cases,
    /// The day of each case.
    pub days: Vec<Day>,
    /// The color of the index then: red, amber or green.
    pub colors: Vec<&'static str>,
    /// The index [`INDEX_DAYS`] after that day, points.
    pub came: Vec<f64>,
    /// Later days that would be looked at, if their time were over.
    pub censored: usize,
}

/// What a model says of an index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexForecast {
    /// Its expectation in [`INDEX_DAYS`] days, points.
    pub expected: f64,
    /// The lower end of its 80 % interval, points.
    pub low: f64,
    /// The upper end, points.
    pub high: f64,
    /// The probability that it is red then, 0 to 1.
    pub p_red: f64,
}

/// What a model says of the scopes' indices, in the order of [`Scopes::list`].
#[derive(Debug)]
pub(crate) struct ScoredIndices {
    pub(crate) model_id: String,
    pub(crate) forecasts: Vec<Option<IndexForecast>>,
}

/// The state of a day, as far as indices are made of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexLook<'a> {
    pub(crate) crm: &'a Crm,
    pub(crate) scopes: &'a Scopes,
    pub(crate) facts: &'a Facts,
    pub(crate) leads: &'a [Lead],
    pub(crate) opportunities: &'a [Opportunity],
    /// By customer key; [`crate::window::NEVER`] without one.
    pub(crate) last_touch: &'a [Micros],
    pub(crate) settings: &'a Settings,
    pub(crate) zone: &'a Zone,
    pub(crate) as_of: Day,
}

impl IndexLook<'_> {
    /// The index of every scope over the last days, from the reps' tiles of these days.
    pub(crate) fn over(&self, days: Day, tiles: &RepTile) -> Vec<ProcessHealth> {
        let Self { crm, scopes, settings, zone, as_of, .. } = *self;
        let view = View::over(days, settings, zone, as_of);
        let positions = rep_positions(self.facts, crm);
        let mut portfolios = Portfolios::count(crm, &positions, (&[], self.leads, self.opportunities), &view);
        portfolios.owned(crm, |key| self.last_touch[key], &view);
        let working_days = crm.working_days(as_of - days + 1, as_of);
        let sums = roll_up(crm, scopes, tiles, &portfolios.reps, working_days);
        sums.into_iter().map(|sums| index(sums.at_pace(days), settings)).collect()
    }
}

/// The tiles of reps over the spans that a case looks at: those that stay, the window, the usual.
pub(crate) type Spans<'a> = [&'a RepTile; 3];

/// Adds the cases of a day: of each scope that has an index, but of reps only those on duty for all of its days; says which
/// those are.
pub(crate) fn cases(growing: &mut Growing, look: &IndexLook<'_>, tiles: Spans<'_>) -> Vec<usize> {
    let IndexLook { crm, scopes, as_of, .. } = *look;
    let [staying, now, usual] = tiles;
    let now = look.over(WINDOW_DAYS, now);
    let (staying, usual) = (look.over(STAYING_DAYS, staying), look.over(USUAL_DAYS, usual));
    let ahead = as_of + INDEX_DAYS;
    let working_days =
        crm.working_days(ahead - WINDOW_DAYS + 1, ahead) - crm.working_days(as_of - WINDOW_DAYS + 1, as_of);
    let points = |value: Option<f64>| value.unwrap_or(f64::NAN);
    let mut asked = Vec::new();
    for (scope, (kind, _)) in scopes.list.iter().enumerate() {
        // The window of who has just come, or is no longer there, isn't its own in full.
        let settled = |rep: &Rep| {
            rep.on_duty(as_of) && rep.hired_on.is_none_or(|hired| hired <= as_of - WINDOW_DAYS + 1)
        };
        if now[scope].index.is_none() || !crm.reps.get(scope).is_none_or(settled) {
            continue;
        }
        growing.text("scope", Some(*kind));
        for (suffix, of) in [("", &now[scope]), ("_16d", &staying[scope]), ("_90d", &usual[scope])] {
            growing.number(&format!("index{suffix}"), points(of.index));
            for (name, component) in COMPONENTS.into_iter().zip(&of.components) {
                growing.number(&format!("{name}{suffix}"), points(component.score));
            }
        }
        let region = scopes.region(crm, scope).and_then(|region| scopes.regions(crm, Some(region)).next());
        growing.number("region_index", points(region.and_then(|region| now[region].index)));
        growing.number("company_index", points(now[scopes.company()].index));
        let hired = crm.reps.get(scope).and_then(|rep| rep.hired_on);
        growing.number("tenure_days", hired.map_or(f64::NAN, |hired| f64::from(as_of - hired)));
        growing.number("working_days_ahead", crate::measure::real(working_days));
        growing.end_row();
        asked.push(scope);
    }
    asked
}

/// The spans of days whose tiles a case as of a day needs beside those of the last 30 days.
pub(crate) fn spans(as_of: Day) -> [(Day, Day); 3] {
    [STAYING_DAYS, WINDOW_DAYS, USUAL_DAYS].map(|days| (as_of - days + 1, as_of))
}

/// The rows of the looks: each is taken as its own day knew it, and what came of it as the later day knew it.
pub(super) fn index_rows(
    lake: &Lake,
    tiles: &Tiles,
    versions: &CrmVersions,
    facts: &Facts,
    first: Day,
    request: TrainingRequest<'_>,
) -> Result<IndexRows> {
    let TrainingRequest { as_of, settings, catalogue, .. } = request;
    let zone = lake.zone();
    let asked_on = looks(first + WINDOW_DAYS - 1, as_of - INDEX_DAYS, request.step_days);
    let mut days: Vec<Day> = asked_on.iter().flat_map(|day| [*day, day + INDEX_DAYS]).collect();
    days.sort_unstable();
    days.dedup();
    let stages = Stages::new(&settings.pipeline);
    let mut touched = Touched::new(tiles);
    let mut growing = Growing::default();
    let mut rows = IndexRows::default();
    // Per row, the scope; per look, the rows that wait for what comes of them.
    let mut waiting: Vec<(Day, Vec<(&'static str, String)>)> = Vec::new();
    for day in days {
        let crm = Crm::as_of(versions, &tiles.keys, zone.end(day))?;
        let scopes = Scopes::new(&crm);
        let leads = leads(facts, catalogue, day);
        let opportunities = opportunities_as_of(facts, catalogue, &stages, day);
        let look = IndexLook {
            crm: &crm,
            scopes: &scopes,
            facts,
            leads: &leads,
            opportunities: &opportunities,
            last_touch: touched.until(tiles, day)?,
            settings,
            zone,
            as_of: day,
        };
        let reps = tiles.reps(&spans(day), &RepMonths::default())?;
        let [staying, month, usual] = reps.as_slice() else { continue };
        let now = look.over(WINDOW_DAYS, month);
        if let Some(place) = waiting.iter().position(|(asked, _)| asked + INDEX_DAYS == day) {
            for (kind, id) in waiting.remove(place).1 {
                let at = scopes.list.iter().position(|(other, name)| *other == kind && *name == id);
                rows.came.push(at.and_then(|at| now[at].index).unwrap_or(f64::NAN));
            }
        }
        if asked_on.binary_search(&day).is_ok() {
            let asked = cases(&mut growing, &look, [staying, month, usual]);
            rows.days.extend(asked.iter().map(|_| day));
            rows.colors.extend(asked.iter().map(|&scope| now[scope].color.map_or("", Color::as_str)));
            waiting.push((day, asked.into_iter().map(|scope| scopes.list[scope].clone()).collect()));
        }
    }
    rows.cases = growing.finish();
    rows.censored = looks(as_of - INDEX_DAYS + 1, as_of, request.step_days).len();
    Ok(rows)
}

/// The last touch of every customer, rolled on from day to day.
struct Touched {
    sums: CustomerSums,
    next: Day,
}

impl Touched {
    fn new(tiles: &Tiles) -> Self {
        Self { sums: CustomerSums::new(tiles.keys.len()), next: Day::MIN }
    }

    /// By customer key, as of the end of a day; days are asked for in order.
    fn until(&mut self, tiles: &Tiles, day: Day) -> Result<&[Micros]> {
        let days = tiles.days(day).filter(|day| *day >= self.next);
        for path in days.filter_map(|day| tiles.path_of_touches(day)) {
            self.sums.add_file(path)?;
        }
        self.next = day + 1;
        Ok(&self.sums.last_touch)
    }
}
