//! Kinds of events counted with decay, and which kinds are worth counting.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Decay, HALF_LIVES};
use crate::catalogue::{Catalogue, EventCode};
use crate::measure::facts::{Facts, NONE};
use crate::measure::real;
use crate::time::{DAY, Micros};

/// Kinds counted, at most: the most frequent ones.
const KINDS_MAX: usize = 24;
/// Share of the leads that a kind must have happened to.
const SHARE_MIN: f64 = 0.005;
/// Every lead has one, or is no longer open.
const NOT_COUNTED: [&str; 4] = ["lead.created", "lead.converted", "lead.lost", "lead.disqualified"];

/// The kinds that happen to leads often enough, each with every half-life.
pub(super) fn survey(facts: &Facts, catalogue: &Catalogue) -> Vec<Decay> {
    let mut leads_of: FxHashMap<EventCode, FxHashSet<u32>> = FxHashMap::default();
    for fact in facts.rows.iter().filter(|fact| fact.lead != NONE && fact.state) {
        leads_of.entry(fact.code).or_default().insert(fact.lead);
    }
    let least = SHARE_MIN * real(crate::measure::count(facts.leads.len()));
    let mut kinds: Vec<(usize, &str)> = leads_of
        .iter()
        .filter_map(|(code, leads)| Some((leads.len(), catalogue.model(*code)?.code.as_str())))
        .filter(|(leads, code)| real(crate::measure::count(*leads)) >= least && !NOT_COUNTED.contains(code))
        .collect();
    kinds.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    kinds.truncate(KINDS_MAX);
    kinds.sort_unstable_by_key(|(_, code)| *code);
    kinds
        .iter()
        .flat_map(|(_, code)| {
            HALF_LIVES.map(|half_life_days| Decay { event_type: (*code).to_owned(), half_life_days })
        })
        .collect()
}

/// The decayed counts of one lead after the other.
#[derive(Debug)]
pub(super) struct Counter {
    /// Column name, half-life.
    columns: Vec<(String, f64)>,
    /// By code: the columns it counts for.
    places: FxHashMap<EventCode, Vec<usize>>,
    sums: Vec<f64>,
}

impl Counter {
    pub(super) fn new(decays: &[Decay], catalogue: &Catalogue) -> Self {
        let mut places: FxHashMap<EventCode, Vec<usize>> = FxHashMap::default();
        for (place, decay) in decays.iter().enumerate() {
            if let Some((code, _)) = catalogue.get(&decay.event_type) {
                places.entry(code).or_default().push(place);
            }
        }
        let columns = decays.iter().map(|decay| (decay.column(), decay.half_life_days)).collect();
        Self { columns, places, sums: vec![0.0; decays.len()] }
    }

    /// Counts the events at `rows` as of `end`: names of the columns and sums.
    pub(super) fn count(
        &mut self,
        facts: &Facts,
        rows: &[usize],
        end: Micros,
    ) -> impl Iterator<Item = (&str, f64)> {
        self.sums.fill(0.0);
        for fact in rows.iter().map(|&row| &facts.rows[row]) {
            for &place in self.places.get(&fact.code).into_iter().flatten() {
                let days = real(end - fact.time) / real(DAY);
                self.sums[place] += 0.5_f64.powf(days / self.columns[place].1);
            }
        }
        self.columns.iter().zip(&self.sums).map(|((name, _), sum)| (name.as_str(), *sum))
    }
}
