//! Quotas as they would be: a published day's state with something changed, through the same frame, publishing nothing.
//!
//! A [`Cast`] is who is on duty where; making one with other people costs a prediction. A [`Variation`] of it changes
//! factors, chances, plans, rules or adjustments, and costs no more than the frame.

mod staff;

use std::collections::BTreeMap;

use rayon::prelude::*;

pub use self::staff::{Hire, Staff};
use self::staff::{input, subjects};
use super::past::Past;
use super::quotas::refuse;
use crate::adjust::Adjustment;
use crate::entity::Crm;
use crate::error::{EngineError, Result};
use crate::factor::{FACTORS, Factor, HEAT, SEASON, effect, heat_z, of_region, spread};
use crate::quota::{
    Bound, Effects, Forecast, Predictor, Previous, QuotaInputs, RegionOutcome, Settled, Span, bases, before,
    minor, proposals, settle,
};
use crate::rule::{Book, Columns, Subject, apply};
use crate::settings;
use crate::time::Day;

/// How a number moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shift {
    /// To this.
    To(f64),
    /// By this much.
    By(f64),
    /// By this share of itself; 0.05 is 5 % more.
    Share(f64),
    /// So many units of what was measured, rather than of what makes factors comparable.
    ByRaw(f64),
}

impl Shift {
    /// A number moved so.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::To(to) => to,
            Self::By(by) | Self::ByRaw(by) => value + by,
            Self::Share(share) => value * (1.0 + share),
        }
    }
}

/// What differs from the published day.
#[derive(Debug, Clone, Default)]
pub struct Variation {
    /// Factors by position in [`FACTORS`], for the reps in these rows of the cast (all, where none are named), and how
    /// their comparable value moves; market heat and season as indices.
    pub factors: Vec<(usize, Option<Vec<usize>>, Shift)>,
    /// Chance, floor, ceiling and daily cap.
    pub quota: Option<settings::Quota>,
    /// Plans of regions, in minor units; `None` for no plan.
    pub plan: BTreeMap<String, Option<i64>>,
    /// Other rules.
    pub rules: Option<std::sync::Arc<Book>>,
    /// Other adjustments.
    pub adjustments: Option<Vec<Adjustment>>,
}

/// A rep's quota in a trial. Money in minor units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepOutcome {
    /// The quota.
    pub quota: i64,
    /// The proposal after rules and adjustments.
    pub proposal: i64,
    /// Most likely by the period's end.
    pub expected: i64,
    /// The chance of reaching the quota.
    pub p_attain: f64,
    /// What holds it.
    pub bound: Bound,
}

/// The quotas of a trial.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Over the rows of the cast.
    pub reps: Vec<RepOutcome>,
    /// Over the regions of the CRM.
    pub regions: Vec<RegionOutcome>,
}

/// Who is on duty where, and what is predicted of them. Rows are reps by ascending id.
#[derive(Debug)]
pub struct Cast<'a> {
    /// Reps and regions alone.
    crm: Crm,
    /// Rows as positions in the CRM: all of it.
    rows: Vec<usize>,
    plan: &'a BTreeMap<(String, usize), i64>,
    period: &'a Span,
    as_of: Day,
    settings: &'a settings::Settings,
    book: &'a Book,
    adjustments: &'a [Adjustment],
    previous: &'a BTreeMap<String, Previous>,
    before: Vec<Option<&'a Previous>>,
    attained: Vec<i64>,
    factors: Vec<[Factor; 18]>,
    /// The products of effects when the period began.
    start: Vec<f64>,
    /// Standard deviation of what was measured, by factor.
    spreads: [Option<f64>; 18],
    forecast: Box<dyn Forecast>,
    subjects: Columns,
    /// The published quota of each row.
    published: Vec<Option<i64>>,
}

impl Past {
    /// The reps of the day, with some coming, going and moving.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a rep or region that isn't there, or an id that is taken.
    pub fn cast(&self, staff: &Staff, predictor: &dyn Predictor) -> Result<Cast<'_>> {
        let (ground, windows) = (&self.state.quotas.ground, &self.state.windows);
        let basis = &ground.basis;
        let people = self.people(staff)?;
        let crm = Crm {
            reps: people.iter().map(|person| person.rep.clone()).collect(),
            regions: windows.crm.regions.clone(),
            ..Crm::default()
        };
        let mut factors: Vec<[Factor; 18]> = Vec::with_capacity(people.len());
        let season = ground.factors.first().map(|factors| factors[SEASON]);
        for person in &people {
            let none = Factor { raw: None, value: None, effect: 1.0, basis: "no data" };
            let mut own = person.row.map_or([none; 18], |row| ground.factors[basis.reps[row]]);
            if person.moved {
                let of_region = of_region(&windows.market, person.rep.region, &self.settings);
                own[..of_region.len()].copy_from_slice(&of_region);
                own[SEASON] = season.unwrap_or(none);
            }
            factors.push(own);
        }
        let unchanged = people.len() == basis.reps.len() && people.iter().all(|person| !person.moved);
        // Of those who come or move elsewhere, what they do there begins today.
        let start: Vec<Option<f64>> = (people.iter().zip(&factors))
            .map(|(person, factors)| {
                let row = person.row.filter(|_| !person.moved)?;
                Some(basis.effects(row, factors).start)
            })
            .collect();
        let start: Vec<f64> =
            start.iter().zip(&factors).map(|(start, own)| start.unwrap_or_else(|| product(own))).collect();
        let forecast = if unchanged {
            ground.forecast.with_effects(&effects(&factors, &start))
        } else {
            let neutral = predictor.predict(&input(&basis.input, &people), &basis.learnt).map_err(refuse)?;
            neutral.with_effects(&effects(&factors, &start))
        };
        let places: Vec<Option<usize>> = people.iter().map(|person| person.row).collect();
        let quotas: BTreeMap<usize, i64> =
            self.state.quotas.run.rows.iter().enumerate().map(|(row, quota)| (row, quota.quota)).collect();
        let rows: Vec<usize> = (0..people.len()).collect();
        Ok(Cast {
            plan: &windows.crm.plan,
            period: &windows.period,
            as_of: self.run.as_of,
            settings: &self.settings,
            book: &self.rules,
            adjustments: &self.state.quotas.adjustments,
            previous: &basis.previous,
            before: before(&crm, &rows, &basis.previous),
            attained: places.iter().map(|row| row.map_or(0, |row| ground.attained[row])).collect(),
            spreads: std::array::from_fn(|factor| {
                spread(basis.reps.iter().filter_map(|&rep| ground.factors[rep][factor].raw)).map(|(_, sd)| sd)
            }),
            subjects: subjects(&ground.subjects.with_rows(&places), &people, &crm),
            published: places.iter().map(|row| quotas.get(&(*row)?).copied()).collect(),
            rows,
            factors,
            start,
            forecast,
            crm,
        })
    }
}

/// The product of a rep's effects, in the order of the factors.
fn product(factors: &[Factor; 18]) -> f64 {
    factors.iter().map(|factor| factor.effect).product()
}

/// Every rep's effects, those at the period's start given.
fn effects(factors: &[[Factor; 18]], start: &[f64]) -> Vec<Effects> {
    factors.iter().zip(start).map(|(factors, &start)| Effects { now: product(factors), start }).collect()
}

/// Factors of a variation, and the forecast at them.
struct Moved {
    factors: Vec<[Factor; 18]>,
    forecast: Box<dyn Forecast>,
}

/// Nobody was published before.
static NOBODY: BTreeMap<String, Previous> = BTreeMap::new();

impl<'a> Cast<'a> {
    /// All reps of a CRM, at neutral factors, never published before and under no rule: what the frame alone costs.
    /// Rows of `forecast` are the CRM's reps.
    pub fn neutral(
        crm: Crm,
        (period, as_of): (&'a Span, Day),
        plan: &'a BTreeMap<(String, usize), i64>,
        (settings, book): (&'a settings::Settings, &'a Book),
        forecast: Box<dyn Forecast>,
    ) -> Self {
        let n = crm.reps.len();
        let neutral = Factor { raw: None, value: None, effect: 1.0, basis: "no data" };
        Self {
            rows: (0..n).collect(),
            plan,
            period,
            as_of,
            settings,
            book,
            adjustments: &[],
            previous: &NOBODY,
            before: vec![None; n],
            attained: vec![0; n],
            factors: vec![[neutral; 18]; n],
            start: vec![1.0; n],
            spreads: [None; 18],
            forecast,
            subjects: Columns::new(n),
            published: vec![None; n],
            crm,
        }
    }
}

impl Cast<'_> {
    /// The ids of the rows.
    pub fn rep_ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.crm.reps.iter().map(|rep| rep.id.as_str())
    }

    /// The row of a rep.
    pub fn row(&self, rep_id: &str) -> Option<usize> {
        self.crm.rep(rep_id)
    }

    /// The region of a row, then those above it, as positions in [`Cast::region_ids`].
    pub fn regions_of(&self, row: usize) -> impl Iterator<Item = usize> + '_ {
        let region = self.crm.reps.get(row).and_then(|rep| rep.region);
        region.into_iter().flat_map(|region| self.crm.regions.upward(region))
    }

    /// The ids of all regions.
    pub fn region_ids(&self) -> &[String] {
        &self.crm.regions.ids
    }

    /// The quota that a row was published with; none for a rep that came.
    pub fn published(&self, row: usize) -> Option<i64> {
        self.published.get(row).copied().flatten()
    }

    /// The plan of a region, by its id.
    pub fn plan(&self, region_id: &str) -> Option<i64> {
        let region = self.crm.regions.position(region_id)?;
        self.plan.get(&(self.period.name.clone(), region)).copied()
    }

    /// The period of the quotas.
    pub fn period(&self) -> &Span {
        self.period
    }

    /// Customers of a row; none where nobody knows.
    pub fn customers(&self, row: usize) -> Option<f64> {
        let customers = self.subjects.numbers(Subject::find("customers")?)?;
        customers.get(row).copied().filter(|customers| *customers > 0.0)
    }

    /// The adjustments that act on the published day.
    pub fn adjustments(&self) -> &[Adjustment] {
        self.adjustments
    }

    /// The quotas as they would be.
    ///
    /// # Errors
    /// [`EngineError::Input`] for a plan of a region that isn't there.
    pub fn quotas(&self, variation: &Variation) -> Result<Outcome> {
        let quota = variation.quota.as_ref().unwrap_or(&self.settings.quota);
        let moved = self.factors(variation);
        let factors = moved.as_ref().map(|moved| moved.factors.as_slice());
        let forecast = moved.as_ref().map_or(self.forecast.as_ref(), |moved| moved.forecast.as_ref());
        let n = self.rows.len();
        let (proposals, bases) = (proposals(forecast, n, quota), bases(forecast, n));
        let book = variation.rules.as_deref().unwrap_or(self.book);
        let changed = factors.map(|factors| self.ask_about(factors, forecast, &proposals));
        let subjects = changed.as_ref().unwrap_or(&self.subjects);
        let mut ruled = apply(book, self.as_of, subjects, &proposals, &bases);
        let plan = self.plan_of(variation)?;
        let inputs = QuotaInputs {
            crm: &self.crm,
            reps: &self.rows,
            period: self.period,
            plan: plan.as_ref().unwrap_or(self.plan),
            attained: &self.attained,
            factors: factors.unwrap_or(&self.factors),
            forecast,
            proposals: &proposals,
            bases: &bases,
            book,
            ruled: Vec::new(),
            adjustments: variation.adjustments.as_deref().unwrap_or(self.adjustments),
            previous: self.previous,
            before: &self.before,
            settings: quota,
        };
        let Settled { quotas, solved } = settle(&inputs, &mut ruled)?;
        let reps = (0..n).map(|row| RepOutcome {
            quota: quotas[row],
            proposal: ruled[row].proposal,
            expected: minor(forecast.expected(row)).max(0),
            p_attain: forecast.p_at_least(row, crate::measure::real(quotas[row])),
            bound: solved.bound[row],
        });
        Ok(Outcome { reps: reps.collect(), regions: solved.regions })
    }

    /// The quotas of several variations, in their order, on all cores.
    ///
    /// # Errors
    /// As [`Cast::quotas`].
    pub fn quotas_of(&self, variations: &[&Variation]) -> Result<Vec<Outcome>> {
        variations.par_iter().map(|variation| self.quotas(variation)).collect()
    }

    /// Factors and forecast, where a variation changes them.
    fn factors(&self, variation: &Variation) -> Option<Moved> {
        if variation.factors.is_empty() {
            return None;
        }
        let mut factors = self.factors.clone();
        for (factor, rows, shift) in &variation.factors {
            let mut one = |row: usize| {
                if let Some(slot) = factors.get_mut(row).and_then(|factors| factors.get_mut(*factor)) {
                    *slot = self.shifted(*factor, *slot, *shift);
                }
            };
            match rows {
                Some(rows) => rows.iter().for_each(|&row| one(row)),
                None => (0..self.rows.len()).for_each(one),
            }
        }
        let forecast = self.forecast.with_effects(&effects(&factors, &self.start));
        Some(Moved { factors, forecast })
    }

    fn shifted(&self, factor: usize, of: Factor, shift: Shift) -> Factor {
        let basis = "scenario";
        match factor {
            SEASON => {
                let index = shift.of(of.effect);
                Factor { raw: Some(index), value: Some(index), effect: index, basis }
            }
            HEAT => {
                let heat = shift.of(of.raw.unwrap_or(100.0));
                let z = heat_z(heat);
                Factor { raw: Some(heat), value: Some(z), effect: effect(self.settings, factor, z), basis }
            }
            _ => {
                let (now, sd) = (of.value.unwrap_or(0.0), self.spreads[factor]);
                let z = match (shift, sd) {
                    (Shift::ByRaw(by), Some(sd)) => now + by / sd,
                    (Shift::ByRaw(_), None) => now,
                    _ => shift.of(now),
                };
                let raw = of.raw.map(|raw| raw + (z - now) * sd.unwrap_or(0.0));
                // From what it is: an effect may be in the forecast already.
                let moved = effect(self.settings, factor, z) / effect(self.settings, factor, now);
                Factor { raw, value: Some(z), effect: of.effect * moved, basis }
            }
        }
    }

    /// What rules can ask about, at other factors.
    fn ask_about(&self, factors: &[[Factor; 18]], forecast: &dyn Forecast, proposals: &[i64]) -> Columns {
        let mut columns = self.subjects.clone();
        let mut set = |key: &str, of: &dyn Fn(usize) -> Option<f64>| {
            if let Some(subject) = Subject::find(key) {
                columns.set_numbers(subject, (0..factors.len()).map(of));
            }
        };
        for (place, key) in FACTORS.into_iter().enumerate() {
            if (0..factors.len()).any(|row| factors[row][place] != self.factors[row][place]) {
                set(key, &|row| factors[row][place].raw);
            }
        }
        set("expected", &|row| Some(forecast.expected(row).round() / 100.0));
        set("proposal", &|row| Some(crate::measure::real(proposals[row]) / 100.0));
        columns
    }

    fn plan_of(&self, variation: &Variation) -> Result<Option<BTreeMap<(String, usize), i64>>> {
        if variation.plan.is_empty() {
            return Ok(None);
        }
        let mut plan = self.plan.clone();
        for (region, amount) in &variation.plan {
            let unknown = || EngineError::Input(format!("there is no region {region}"));
            let key = (self.period.name.clone(), self.crm.regions.position(region).ok_or_else(unknown)?);
            match amount {
                Some(amount) => plan.insert(key, *amount),
                None => plan.remove(&key),
            };
        }
        Ok(Some(plan))
    }
}
