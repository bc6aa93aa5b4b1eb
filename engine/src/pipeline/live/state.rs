//! What is known of the company: closed days as loaded, the running day over them, and the measures of both.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;

use super::Making;
use super::facts::{Index, Named};
use super::said::{Known, Moved, Said};
use crate::adjust::Adjustment;
use crate::entity::Crm;
use crate::error::Result;
use crate::lake::{Job, Lake, Log};
use crate::measure::at;
use crate::measure::capability::{rank, shown};
use crate::measure::customer::CustomerRule;
use crate::measure::facts::NONE;
use crate::measure::funnel::rep_positions;
use crate::measure::lead::{Lead, lead};
use crate::measure::opportunity::{Opportunity, opportunity};
use crate::measure::portfolio::View;
use crate::measure::process::{index, of_rep, working_days};
use crate::pipeline::quotas::{Basis, Earlier, basis};
use crate::pipeline::scores::scores;
use crate::pipeline::stage::{self, Measures, Windows};
use crate::tile::keys::Keys;
use crate::tile::rep::{RepCounts, RepTile};
use crate::tile::{RunningDay, Touched};
use crate::time::{Day, Zone};
use crate::window::OrderDay;

/// Tables beside that of events whose changes a loaded state doesn't see.
pub(super) const OTHERS: [&str; 9] = [
    "crm.rep",
    "crm.customer",
    "crm.region",
    "crm.plan",
    "crm.calendar",
    "raw.market_factor",
    "ops.adjustment",
    "ops.model",
    "ops.run",
];

/// The company as of a running day.
#[derive(Debug)]
pub(super) struct State {
    pub(super) as_of: Day,
    zone: Zone,
    keys: Keys,
    /// Of closed days.
    pub(super) windows: Windows,
    pub(super) basis: Basis,
    /// The approved adjustments that act, in their order.
    pub(super) adjustments: Vec<Adjustment>,
    pub(super) running: RunningDay,
    /// Of all days.
    pub(super) measures: Measures,
    pub(super) said: Said,
    index: Index,
    /// By customer key: the position among the measures.
    customer_place: Vec<u32>,
    /// Of the facts' reps in the CRM.
    position: Vec<Option<usize>>,
    /// By position in the CRM.
    pub(super) on_duty: Vec<bool>,
    working_days: i64,
    /// Skills that [`State::measure`] ranked anew.
    pub(super) ranked: BTreeSet<usize>,
    pub(super) run_id: Option<String>,
    pub(super) positions: BTreeMap<String, i64>,
    pub(super) versions: BTreeMap<&'static str, i64>,
}

/// What rows have touched and is not measured yet.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    customers: BTreeSet<u32>,
    reps: BTreeSet<String>,
    named: Named,
}

impl Dirty {
    pub(super) fn is_empty(&self) -> bool {
        self.customers.is_empty()
            && self.reps.is_empty()
            && self.named.leads.is_empty()
            && self.named.deals.is_empty()
    }
}

impl State {
    /// Loads closed days from the lake; the rows of the running day that it has are handed over.
    pub(super) async fn load(lake: &Lake, making: &Making, as_of: Day) -> Result<(Self, Vec<RecordBatch>)> {
        let (settings, catalogue) = (&*making.settings, &*making.catalogue);
        let log = Log::load(lake).await?;
        let models = (making.models)(lake, &log, as_of)?;
        let lock = lake.lock(Job::Run)?;
        let (sources, tiles) = stage::open(lake, Some((as_of, catalogue))).await?;
        let (mut tiles, _) = stage::tiles(tiles, &sources, catalogue, as_of - 1).await?;
        tiles.forget_from(as_of);
        let windows = Box::pin(stage::windows(lake, &sources, &tiles, settings, catalogue, as_of)).await?;
        let with = (settings, making.predictor.as_ref());
        let earlier = Earlier::read(&sources, settings, as_of)?;
        let mut basis = basis(lake, (&sources, earlier), (&tiles, &windows), with, as_of).await?;
        drop(lock);
        let measures = stage::measures(&windows, &tiles.keys, settings, catalogue, lake.zone(), as_of);
        let (zone, crm) = (lake.zone(), &windows.crm);
        let scores =
            scores((&tiles, &windows, &measures), models.models(), settings, catalogue, zone, as_of)?;
        basis.ask(&windows, &measures, &scores, as_of);
        let position = rep_positions(&windows.facts, crm);
        let known = Known { windows: &windows, measures: &measures, position: &position, zone, as_of };
        let said = Said::new(models, &scores, known, making)?;
        let running = RunningDay::new(as_of, catalogue, &tiles.keys)?;
        let rows = running.read(&sources.raw, catalogue)?;
        let mut customer_place = vec![NONE; tiles.keys.len()];
        for (place, key) in (0..).zip(&crm.customers.keys) {
            customer_place[at(*key)] = place;
        }
        let mut versions = sources.inputs();
        versions.retain(|name, _| OTHERS.contains(name));
        versions.insert("ops.model", log.version);
        let state = Self {
            as_of,
            zone: lake.zone().clone(),
            index: Index::new(&windows.facts),
            customer_place,
            position,
            said,
            adjustments: sources.adjustments(as_of, settings),
            on_duty: crm.reps.iter().map(|rep| rep.on_duty(as_of)).collect(),
            working_days: working_days(crm, as_of),
            ranked: BTreeSet::new(),
            run_id: sources.previous(as_of).map(|run| run.run_id.clone()),
            positions: sources.raw.positions()?,
            versions,
            keys: tiles.keys,
            windows,
            basis,
            running,
            measures,
        };
        Ok((state, rows))
    }

    /// Counts rows of the running day; returns how many of them are new.
    pub(super) fn add(&mut self, batch: &RecordBatch, making: &Making, dirty: &mut Dirty) -> Result<u64> {
        let (touched, new) = self.running.add(batch, &self.keys)?;
        let Touched { anew, customers, reps, facts } = touched;
        dirty.customers.extend(customers);
        dirty.reps.extend(reps);
        if anew {
            self.index.rewind(&mut self.windows.facts, &mut dirty.named);
        }
        let day = (self.as_of, &*making.catalogue);
        for rows in &facts {
            self.index.add(&mut self.windows.facts, rows, day, &mut dirty.named)?;
        }
        Ok(new)
    }

    /// Measures anew what rows have touched; returns the reps of the CRM, rising, whose measures may have changed.
    pub(super) fn measure(&mut self, dirty: Dirty, making: &Making) -> Result<Vec<usize>> {
        self.ranked.clear();
        for key in dirty.customers {
            self.measure_customer(key, making);
        }
        let names = self.windows.facts.reps.len();
        if self.position.len() < names {
            self.position = rep_positions(&self.windows.facts, &self.windows.crm);
        }
        let view = View::new(&making.settings, &self.zone, self.as_of);
        let (facts, measures) = (&self.windows.facts, &mut self.measures);
        measures.leads.resize(facts.leads.len(), Lead::default());
        measures.opportunities.resize(facts.opportunities.len(), Opportunity::default());
        let mut moved = Moved::default();
        for number in dirty.named.leads {
            let new = lead(facts, number, &self.index.leads[number], &making.catalogue, self.as_of);
            let old = std::mem::replace(&mut measures.leads[number], new);
            measures.portfolios.lead(&self.position, &old, &view, -1);
            measures.portfolios.lead(&self.position, &measures.leads[number], &view, 1);
            moved.leads.push((number, old));
        }
        for number in dirty.named.deals {
            let rows = &self.index.deals[number];
            let new = opportunity(facts, number, rows, &making.catalogue, &measures.stages);
            let old = std::mem::replace(&mut measures.opportunities[number], new);
            measures.portfolios.deal(&self.position, &old, &view, -1);
            measures.portfolios.deal(&self.position, &measures.opportunities[number], &view, 1);
            moved.deals.push((number, old));
        }
        let mut reps = self.measures.portfolios.take_changed();
        let Self { windows, measures, position, zone, said, basis, .. } = self;
        let known = Known { windows, measures, position, zone, as_of: self.as_of };
        reps.extend(said.update(known, making, &moved, &mut basis.models)?);
        reps.extend(dirty.reps.iter().filter_map(|id| self.windows.crm.rep(id)));
        reps.sort_unstable();
        reps.dedup();
        for rep in &reps {
            self.measure_rep(*rep, making);
        }
        for skill in &self.ranked {
            rank(&mut self.measures.capability, &self.on_duty, *skill);
        }
        Ok(reps)
    }

    fn measure_customer(&mut self, key: u32, making: &Making) {
        let Some(&place) = self.customer_place.get(at(key)).filter(|place| **place != NONE) else { return };
        let (crm, slot) = (&self.windows.crm, at(key));
        let (mut now, before) = (self.windows.customers.now.of(slot), self.windows.customers.before.of(slot));
        if let Some(today) = self.running.touches(key) {
            now.merge(&today);
        }
        let mut room = Vec::new();
        let closed = self.windows.orders.of(slot, &mut room);
        let today = self.running.orders(key);
        let whole: Vec<OrderDay>;
        let days = match today {
            Some(today) => {
                whole = closed.iter().copied().chain([today]).collect();
                &whole
            }
            None => closed,
        };
        let first = self.windows.orders.first_order(slot).or(today.map(|today| today.day));
        let rule = CustomerRule { settings: &making.settings, zone: &self.zone, as_of: self.as_of };
        let new = rule.measure(key, crm.customers.created_on[slot], (&now, &before), (days, first));
        let old = std::mem::replace(&mut self.measures.customers[at(place)], new);
        if old != new {
            self.measures.portfolios.customer(crm, &old, -1);
            self.measures.portfolios.customer(crm, &new, 1);
        }
    }

    fn measure_rep(&mut self, rep: usize, making: &Making) {
        let id = &self.windows.crm.reps[rep].id;
        let sums = of_rep(
            &self.tile(&self.windows.reps_30d, id),
            &self.measures.portfolios.reps[rep],
            self.working_days,
        );
        self.measures.process[rep] = index(sums, &making.settings);
        let new = shown(&self.measures.process[rep], &self.tile(&self.windows.reps_90d, id));
        for (skill, (own, new)) in self.measures.capability[rep].iter_mut().zip(new).enumerate() {
            if (own.numerator, own.denominator) != (new.numerator, new.denominator) {
                *own = new;
                self.ranked.insert(skill);
            }
        }
    }

    /// A rep's tile of closed days, with the running day.
    fn tile(&self, closed: &RepTile, id: &str) -> RepCounts {
        let mut tile = closed.get(id);
        tile.merge(&self.running.rep(id));
        tile
    }

    /// What a rep has signed in the period.
    pub(super) fn attained(&self, rep: usize) -> i64 {
        self.tile(&self.windows.reps_period, &self.windows.crm.reps[rep].id).amount_signed
    }

    pub(super) fn crm(&self) -> &Crm {
        &self.windows.crm
    }
}
