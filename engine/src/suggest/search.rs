//! The best condition for some approvals: the least accidental, the simpler and the rounder of those as good.

use std::collections::BTreeMap;

use super::chance::{Draw, Factorials};
use super::question::{Question, questions};
use super::{Condition, Evidence, Ground, Look, Rows, Subject};

/// The share of the others that a condition may reach: more is no exception, and belongs into everybody's quota.
const OTHERS_MAX: f64 = 0.25;
/// How often chance alone may bring a proposal.
const CHANCE_MAX: f64 = 0.05;
/// How often chance alone may bring what a condition reaches outside of the period that speaks for it most.
const RECURS_MAX: f64 = 0.05;
/// Searches that share the allowance: raising and lowering, one condition and two.
const SEARCHES: f64 = 4.0;
/// Conditions that are tried in pairs, the least accidental first.
const PAIRED_MAX: usize = 200;
/// What a digit more, and a condition more, must be worth: decimal digits of the chance.
const DIGIT_WORTH: f64 = 0.5;
const PART_WORTH: f64 = 1.0;

/// A condition that tells approvals from others.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) condition: Condition,
    pub(super) subjects: Vec<Subject>,
    pub(super) reach: Rows,
    /// Of one such, among all that were tried.
    pub(super) chance: f64,
    pub(super) alike: Vec<Condition>,
    digits: usize,
}

impl Found {
    /// The larger the better.
    fn merit(&self) -> f64 {
        let extra = |n: usize| crate::measure::real(crate::measure::count(n.saturating_sub(1)));
        let parts = extra(self.subjects.len());
        -self.chance.max(f64::MIN_POSITIVE).log10()
            - DIGIT_WORTH * (extra(self.digits) - parts)
            - PART_WORTH * parts
    }
}

/// What is searched in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) ground: &'a Ground,
    pub(super) looks: &'a [Look],
    pub(super) min: usize,
    /// What rules that there are touch.
    pub(super) existing: &'a [(String, Rows)],
}

impl Search<'_> {
    /// The best condition that touches none of those `taken` already, and of which `make` makes something.
    pub(super) fn best<T>(
        &self,
        evidence: &Evidence,
        taken: &Rows,
        make: impl Fn(&Found) -> Option<T>,
    ) -> Option<(Found, T)> {
        if evidence.approved.count() < self.min {
            return None;
        }
        let logs = Factorials::up_to(self.ground.words * 64);
        let singles = questions(self.ground, self.looks, evidence);
        let judged = Judge { search: self, evidence, taken, logs: &logs };
        let mut found = judged.singles(&singles);
        found.extend(judged.pairs(&singles));
        found.sort_by(|a, b| b.merit().total_cmp(&a.merit()));
        found.into_iter().find_map(|found| make(&found).map(|made| (found, made)))
    }

    /// Whether a rule that there is touches most of these.
    fn is_done(&self, reach: &Rows) -> bool {
        self.existing.iter().any(|(_, known)| known.shared(reach) * 2 >= reach.count())
    }
}

#[derive(Debug, Clone, Copy)]
struct Judge<'a> {
    search: &'a Search<'a>,
    evidence: &'a Evidence,
    taken: &'a Rows,
    logs: &'a Factorials,
}

impl Judge<'_> {
    fn singles(&self, singles: &BTreeMap<Rows, Vec<Question>>) -> Vec<Found> {
        let tries = number(singles.len());
        let of = |alike: &Vec<Question>| {
            let (first, rest) = alike.split_first()?;
            Some(Found {
                condition: first.condition.clone(),
                subjects: vec![first.subject],
                reach: first.reach.clone(),
                chance: self.chance(&first.reach, tries)?,
                alike: rest.iter().map(|other| other.condition.clone()).collect(),
                digits: first.digits,
            })
        };
        singles.values().filter_map(of).collect()
    }

    fn pairs(&self, singles: &BTreeMap<Rows, Vec<Question>>) -> Vec<Found> {
        let tries = number(singles.len()) * (number(singles.len()) - 1.0) / 2.0;
        let mut ranked: Vec<(f64, &Question)> = (singles.values())
            .filter_map(|alike| alike.first())
            .map(|question| (self.accident(&question.reach), question))
            .collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.truncate(PAIRED_MAX);
        let mut found: BTreeMap<Rows, Found> = BTreeMap::new();
        for (place, (_, one)) in ranked.iter().enumerate() {
            for (_, other) in ranked.iter().skip(place + 1).filter(|(_, other)| other.subject != one.subject)
            {
                let reach = one.reach.and(&other.reach);
                if reach == one.reach || reach == other.reach || found.contains_key(&reach) {
                    continue;
                }
                let Some(chance) = self.chance(&reach, tries) else { continue };
                let (first, second) = if one.subject < other.subject { (one, other) } else { (other, one) };
                let pair = Found {
                    condition: Condition::All(vec![first.condition.clone(), second.condition.clone()]),
                    subjects: vec![first.subject, second.subject],
                    reach: reach.clone(),
                    chance,
                    alike: Vec::new(),
                    digits: first.digits + second.digits,
                };
                found.insert(reach, pair);
            }
        }
        found.into_values().collect()
    }

    /// The chance of one that good among so many tried; `None` where it reaches too few of the approved or too many of
    /// the others, doesn't recur, is an accident, or is done already.
    fn chance(&self, reach: &Rows, tries: f64) -> Option<f64> {
        let Evidence { approved, others, .. } = self.evidence;
        let covered = approved.shared(reach);
        if covered < self.search.min
            || covered * 2 < approved.count()
            || number(others.shared(reach)) > OTHERS_MAX * number(others.count())
            || self.taken.shared(reach) > 0
        {
            return None;
        }
        let chance = self.accident(reach) * tries.max(1.0) * SEARCHES;
        (chance <= CHANCE_MAX && self.recurs(reach) && !self.search.is_done(reach)).then_some(chance)
    }

    /// The chance of reaching so many approvals by accident. Every rep counts once: approved again, it says little more
    /// of what is special about it.
    fn accident(&self, reach: &Rows) -> f64 {
        self.at_least(reach, &self.evidence.first, |_| true)
    }

    /// Whether the approvals outside of the period that speaks for it most speak for it on their own.
    fn recurs(&self, reach: &Rows) -> bool {
        let approved = &self.evidence.approved;
        let strata = &self.search.ground.strata;
        let mut periods: Vec<&str> = strata.iter().filter_map(|stratum| stratum.period.as_deref()).collect();
        periods.sort_unstable();
        periods.dedup();
        let alone = |period: &str| self.at_least(reach, approved, |other| other == period);
        let strongest =
            periods.iter().map(|period| (alone(period), *period)).min_by(|a, b| a.0.total_cmp(&b.0));
        strongest.is_some_and(|(_, strongest)| {
            self.at_least(reach, approved, |period| period != strongest) <= RECURS_MAX
        })
    }

    fn at_least(&self, reach: &Rows, approved: &Rows, counts: impl Fn(&str) -> bool) -> f64 {
        let strata = self.search.ground.strata.iter();
        let counted = strata.filter(|stratum| stratum.period.as_deref().is_some_and(&counts));
        let all = approved.or(&self.evidence.others);
        let draws = counted.map(|stratum| Draw {
            all: stratum.shared(&all, &all),
            marked: stratum.shared(&all, reach),
            drawn: stratum.shared(&all, approved),
            hits: stratum.shared(approved, reach),
        });
        let draws: Vec<Draw> = draws.filter(|draw| draw.drawn > 0).collect();
        self.logs.at_least(&draws)
    }
}

fn number(n: usize) -> f64 {
    crate::measure::real(crate::measure::count(n))
}
