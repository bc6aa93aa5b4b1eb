//! What models say of the leads and opportunities of the running day, kept up to date.
//!
//! Asked are the functions that a daily run asks. What changes asks again:
//!
//! | what changed | who is asked about again |
//! |---|---|
//! | a lead | all open leads of its reps, whose records it is part of |
//! | of a lead of the last 90 days: how it ended, or whether it was answered in time | all open leads: records lean on the company's |
//! | an opportunity | itself; where it was won, what all forecasts expect beside the pipeline |
//!
//! Sums over a rep's leads and opportunities are made anew, by ascending id, as a daily run makes them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Making;
use crate::error::{EngineError, Result};
use crate::factor::{ModelValues, mean_score, weighted};
use crate::measure::at;
use crate::measure::facts::Names;
use crate::measure::funnel::find;
use crate::measure::lead::Lead;
use crate::measure::opportunity::Opportunity;
use crate::pipeline::history::{open_deal, won_deal};
use crate::pipeline::scores::Scores;
use crate::pipeline::stage::{Measures, Windows};
use crate::quota::WonDeal;
use crate::score::deal::WinLook;
use crate::score::lead::{LeadCases, LeadInputs, ScoredLeads, points, region_in};
use crate::score::rep::Records;
use crate::score::{KeptModels, LeadScorer, WinScorer};
use crate::time::{Day, Zone};

/// What models are asked about, as it is now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) windows: &'a Windows,
    pub(super) measures: &'a Measures,
    /// Of the facts' reps in the CRM.
    pub(super) position: &'a [Option<usize>],
    pub(super) zone: &'a Zone,
    pub(super) as_of: Day,
}

/// What was measured anew, by number, as it was before.
#[derive(Debug, Default)]
pub(super) struct Moved {
    pub(super) leads: Vec<(usize, Lead)>,
    pub(super) deals: Vec<(usize, Opportunity)>,
}

/// What models say; nothing without them.
#[derive(Debug, Default)]
pub(super) struct Said {
    leads: Option<Leads>,
    deals: Option<Deals>,
}

impl Said {
    /// From what the stage of a daily run has said of everything.
    pub(super) fn new(
        models: KeptModels,
        scores: &Scores,
        known: Known<'_>,
        making: &Making,
    ) -> Result<Self> {
        let leads = models.lead.map(|model| Leads::new(model, scores, known, making));
        let deals = models.win.map(|model| Deals::new(model, known, making)).transpose()?;
        Ok(Self { leads, deals })
    }

    /// Follows leads and opportunities that moved, and sets what that changes of `values`. Returns the reps,
    /// by position in the CRM, of whom other values hold or another pipeline.
    pub(super) fn update(
        &mut self,
        known: Known<'_>,
        making: &Making,
        moved: &Moved,
        values: &mut ModelValues,
    ) -> Result<BTreeSet<usize>> {
        let mut changed = BTreeSet::new();
        if let (Some(own), Some(slots)) = (&mut self.leads, &mut values.lead_score) {
            for rep in own.update(known, making, &moved.leads)? {
                slots[rep] = own.mean(rep);
                changed.insert(rep);
            }
        }
        if let (Some(own), Some(slots)) = (&mut self.deals, &mut values.weighted_pipeline) {
            own.update(known, &moved.deals);
            for &rep in &own.changed {
                slots[rep] = Some(own.weighted(known.measures, rep));
                changed.insert(rep);
            }
        }
        Ok(changed)
    }

    /// The reps whose open opportunities changed at the last update, each with what a prediction counts of them now.
    pub(super) fn pipelines<'a>(
        &'a self,
        measures: &'a Measures,
    ) -> impl Iterator<Item = (usize, Vec<(f64, f64)>)> + 'a {
        let deals = self.deals.iter();
        deals.flat_map(move |deals| deals.changed.iter().map(move |&rep| (rep, deals.open(measures, rep))))
    }

    /// The won opportunities that a prediction looks back on, where they changed at the last update.
    pub(super) fn won(&self) -> Option<Vec<WonDeal>> {
        let deals = self.deals.as_ref().filter(|deals| deals.won_changed)?;
        Some(deals.won.values().copied().collect())
    }
}

/// Numbers of what is open, by its rep's position in the CRM, each rep's by ascending id.
#[derive(Debug)]
struct Held(Vec<Vec<u32>>);

impl Held {
    fn of(&self, rep: usize) -> &[u32] {
        self.0.get(rep).map_or(&[], Vec::as_slice)
    }

    fn put(&mut self, rep: usize, number: u32, names: &Names) {
        let own = &mut self.0[rep];
        own.insert(own.partition_point(|other| names.get(*other) < names.get(number)), number);
    }

    fn take(&mut self, rep: usize, number: u32) {
        self.0[rep].retain(|other| *other != number);
    }
}

fn number(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// The open leads of reps of the CRM.
struct Leads {
    model: Arc<dyn LeadScorer>,
    records: Records,
    held: Held,
    /// By number, on a scale to 100; none of one that isn't held.
    points: Vec<Option<f64>>,
}

impl std::fmt::Debug for Leads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Leads").field("model", &self.model.id()).finish_non_exhaustive()
    }
}

impl Leads {
    fn new(model: Arc<dyn LeadScorer>, scores: &Scores, known: Known<'_>, making: &Making) -> Self {
        let Known { windows, measures, as_of, zone, .. } = known;
        let records = Records::new(&measures.leads, &making.settings.lead, as_of, zone.end(as_of));
        let mut held = Held(vec![Vec::new(); windows.crm.reps.len()]);
        let mut points = vec![None; measures.leads.len()];
        // By ascending id.
        for (lead, score) in scores.leads.iter().flat_map(ScoredLeads::points) {
            if let Some(rep) = find(known.position, measures.leads[lead].assignee) {
                held.0[rep].push(number(lead));
                points[lead] = Some(score);
            }
        }
        Self { model, records, held, points }
    }

    /// Returns the reps whose leads, or their scores, changed.
    fn update(
        &mut self,
        known: Known<'_>,
        making: &Making,
        changed: &[(usize, Lead)],
    ) -> Result<BTreeSet<usize>> {
        let Known { windows, measures, position, as_of, .. } = known;
        let names = &windows.facts.leads;
        self.points.resize(measures.leads.len(), None);
        let (mut reps, mut recorded, mut all) = (BTreeSet::new(), BTreeSet::new(), false);
        for (place, old) in changed {
            let new = &measures.leads[*place];
            all |= self.records.change(old, new, &making.settings.lead);
            recorded.extend([old, new].into_iter().filter_map(|lead| find(position, lead.assignee)));
            let holder = |lead: &Lead| find(position, lead.assignee).filter(|_| lead.is_open(as_of));
            if let Some(rep) = holder(old) {
                self.held.take(rep, number(*place));
                self.points[*place] = None;
                reps.insert(rep);
            }
            if let Some(rep) = holder(new) {
                self.held.put(rep, number(*place), names);
                reps.insert(rep);
            }
        }
        let asked: Vec<(usize, u32)> = (0..self.held.0.len())
            .filter(|rep| all || recorded.contains(rep))
            .flat_map(|rep| self.held.of(rep).iter().map(move |number| (rep, *number)))
            .collect();
        for ((rep, number), new) in asked.iter().zip(self.ask(known, making, &asked)?) {
            let old = self.points[at(*number)].replace(new);
            if old.map(f64::to_bits) != Some(new.to_bits()) {
                reps.insert(*rep);
            }
        }
        Ok(reps)
    }

    /// The scores of some leads, on a scale to 100.
    fn ask(&self, known: Known<'_>, making: &Making, asked: &[(usize, u32)]) -> Result<Vec<f64>> {
        let Known { windows, measures, zone, as_of, .. } = known;
        let inputs = LeadInputs {
            facts: &windows.facts,
            catalogue: &making.catalogue,
            settings: &making.settings.lead,
            zone,
        };
        let mut cases = LeadCases::new(inputs, self.model.features());
        let leads = asked.iter().map(|(_, number)| &measures.leads[at(*number)]);
        cases.add(leads, (&self.records, &region_in(&windows.crm)), as_of);
        let wrong = |message: String| {
            EngineError::Input(format!("scoring leads with {}: {message}", self.model.id()))
        };
        let chances = self.model.chances(&cases.finish()).map_err(wrong)?;
        if chances.len() != asked.len() {
            return Err(wrong("another number of scores than leads".to_owned()));
        }
        Ok(chances.iter().map(points).collect())
    }

    fn mean(&self, rep: usize) -> Option<f64> {
        mean_score(self.held.of(rep).iter().filter_map(|number| self.points[at(*number)]))
    }
}

/// The opportunities of reps of the CRM: those open, and those won lately.
struct Deals {
    model: Arc<dyn WinScorer>,
    look: WinLook,
    held: Held,
    /// By number; none of one that isn't open.
    p_win: Vec<Option<f64>>,
    /// By number, whoever won them.
    won: BTreeMap<usize, WonDeal>,
    /// At the last update.
    won_changed: bool,
    /// Reps whose open opportunities changed at the last update.
    changed: BTreeSet<usize>,
}

impl std::fmt::Debug for Deals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deals").field("model", &self.model.id()).finish_non_exhaustive()
    }
}

impl Deals {
    fn new(model: Arc<dyn WinScorer>, known: Known<'_>, making: &Making) -> Result<Self> {
        let Known { windows, measures, as_of, zone, .. } = known;
        let look = WinLook::new(
            model.as_ref(),
            &making.settings.pipeline.stages,
            &measures.opportunities,
            (zone, &windows.crm.calendar),
            (as_of, &windows.period),
        )?;
        let mut deals = Self {
            model,
            look,
            held: Held(vec![Vec::new(); windows.crm.reps.len()]),
            p_win: Vec::new(),
            won: BTreeMap::new(),
            won_changed: false,
            changed: BTreeSet::new(),
        };
        let nothing = |place| (place, Opportunity::default());
        deals.update(known, &(0..measures.opportunities.len()).map(nothing).collect::<Vec<_>>());
        (deals.won_changed, deals.changed) = (false, BTreeSet::new());
        Ok(deals)
    }

    fn update(&mut self, known: Known<'_>, changed: &[(usize, Opportunity)]) {
        let Known { windows, measures, position, zone, as_of } = known;
        let names = &windows.facts.opportunities;
        (self.won_changed, self.changed) = (false, BTreeSet::new());
        self.p_win.resize(measures.opportunities.len(), None);
        let holder = |deal: &Opportunity| find(position, deal.owner).filter(|_| deal.is_open());
        for (place, old) in changed {
            let new = &measures.opportunities[*place];
            if let Some(rep) = holder(old) {
                self.held.take(rep, number(*place));
                self.changed.insert(rep);
            }
            if let Some(rep) = holder(new) {
                self.held.put(rep, number(*place), names);
                self.changed.insert(rep);
            }
            self.p_win[*place] = self.look.p_win(self.model.as_ref(), zone, new);
            let won = won_deal(new, as_of);
            if self.won.get(place) != won.as_ref() {
                self.won_changed = true;
                self.won.remove(place);
                self.won.extend(won.map(|won| (*place, won)));
            }
        }
    }

    fn of<'a>(
        &'a self,
        measures: &'a Measures,
        rep: usize,
    ) -> impl Iterator<Item = (&'a Opportunity, Option<f64>)> {
        let numbers = self.held.of(rep).iter().map(|number| at(*number));
        numbers.map(|place| (&measures.opportunities[place], self.p_win[place]))
    }

    /// Chances times amounts, in major units.
    fn weighted(&self, measures: &Measures, rep: usize) -> f64 {
        weighted(self.of(measures, rep).map(|(deal, p_win)| (p_win.unwrap_or(0.0), deal.amount.unwrap_or(0))))
    }

    /// What a prediction counts of a rep's open opportunities.
    fn open(&self, measures: &Measures, rep: usize) -> Vec<(f64, f64)> {
        self.of(measures, rep).filter_map(|(deal, p_win)| open_deal(deal, p_win)).collect()
    }
}
