//! Reps on the days that requests looked at: which were approved, which had none, and sets of them.
//!
//! ```text
//! look 0, period 2026-01    rows 0 … 39, padded to whole words
//! look 1, period 2026-01    rows 64 … 103        a rep approved on another day of the period is neither here
//! look 1, period 2026-02    …
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Approval, Look};
use crate::rule::Subject;

/// A set of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rows(Vec<u64>);

impl Rows {
    /// None of `words` times 64 rows.
    pub(super) fn none(words: usize) -> Self {
        Self(vec![0; words])
    }

    pub(super) fn insert(&mut self, row: usize) {
        if let Some(word) = self.0.get_mut(row / 64) {
            *word |= 1 << (row % 64);
        }
    }

    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| (word >> (row % 64)) & 1 == 1)
    }

    /// Those of both sets.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & b).collect())
    }

    /// Those of either set.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a | b).collect())
    }

    /// Those of this set that aren't in the other.
    pub(super) fn without(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a & !b).collect())
    }

    pub(super) fn count(&self) -> usize {
        ones(self.0.iter().copied())
    }

    /// How many are in both.
    pub(super) fn shared(&self, other: &Self) -> usize {
        ones(self.0.iter().zip(&other.0).map(|(a, b)| a & b))
    }

    fn shared_within(&self, other: &Self, words: &Range<usize>) -> usize {
        ones(self.part(words).iter().zip(other.part(words)).map(|(a, b)| a & b))
    }

    fn part(&self, words: &Range<usize>) -> &[u64] {
        self.0.get(words.clone()).unwrap_or_default()
    }
}

fn ones(words: impl Iterator<Item = u64>) -> usize {
    words.map(|word| usize::try_from(word.count_ones()).unwrap_or(0)).sum()
}

/// The reps of one day, for the approvals of one period.
#[derive(Debug)]
pub(super) struct Stratum {
    /// Position of the day.
    pub(super) look: usize,
    /// The period of its approvals; none for a day without any.
    pub(super) period: Option<String>,
    /// Its rows.
    pub(super) rows: Range<usize>,
    words: Range<usize>,
}

impl Stratum {
    /// How many of its rows are in both sets.
    pub(super) fn shared(&self, one: &Rows, other: &Rows) -> usize {
        one.shared_within(other, &self.words)
    }
}

/// Whom approvals are told apart from.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Rows with an approval.
    pub(super) approved: Rows,
    /// Those that are a rep's first.
    pub(super) first: Rows,
    /// Rows of reps without any in the period.
    pub(super) others: Rows,
}

impl Evidence {
    /// The same without some rows.
    pub(super) fn without(&self, rows: &Rows) -> Self {
        Self {
            approved: self.approved.without(rows),
            first: self.first.without(rows),
            others: self.others.without(rows),
        }
    }
}

/// All days with all their rows.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) strata: Vec<Stratum>,
    /// Words of every set of rows.
    pub(super) words: usize,
    pub(super) evidence: Evidence,
    /// By row the position of its approval.
    pub(super) approvals: BTreeMap<usize, usize>,
}

impl Ground {
    /// The rows of some approvals, by their positions, at most one a rep and period.
    pub(super) fn of(approvals: &[(usize, &Approval)], looks: &[Look]) -> Self {
        let mut strata = Vec::new();
        let mut words = 0;
        for (look, at) in looks.iter().enumerate() {
            let here = approvals.iter().filter(|(_, approval)| approval.look == look);
            let periods: BTreeSet<&str> = here.map(|(_, approval)| approval.period.as_str()).collect();
            let periods: Vec<Option<String>> = match periods.len() {
                0 => vec![None],
                _ => periods.into_iter().map(|period| Some(period.to_owned())).collect(),
            };
            for period in periods {
                let end = words + at.columns.rows().div_ceil(64);
                let rows = words * 64..words * 64 + at.columns.rows();
                strata.push(Stratum { look, period, rows, words: words..end });
                words = end;
            }
        }
        let none = || Rows::none(words);
        let evidence = Evidence { approved: none(), first: none(), others: none() };
        let mut ground = Self { strata, words, evidence, approvals: BTreeMap::new() };
        ground.place(approvals, looks);
        ground
    }

    fn place(&mut self, approvals: &[(usize, &Approval)], looks: &[Look]) {
        let of: BTreeMap<(&str, &str), (usize, usize)> = (approvals.iter())
            .map(|(place, approval)| {
                ((approval.period.as_str(), approval.rep_id.as_str()), (*place, approval.look))
            })
            .collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for stratum in &self.strata {
            let Some(period) = &stratum.period else { continue };
            let columns = looks.get(stratum.look).map(|look| &look.columns);
            let reps = Subject::find("rep_id").and_then(|subject| columns?.texts(subject));
            for (row, within) in stratum.rows.clone().zip(0..) {
                let Some(rep) = reps.and_then(|reps| reps.names(within).first()) else { continue };
                match of.get(&(period.as_str(), rep.as_str())) {
                    None => self.evidence.others.insert(row),
                    Some(&(place, look)) if look == stratum.look => {
                        self.evidence.approved.insert(row);
                        self.approvals.insert(row, place);
                        if seen.insert(rep.clone()) {
                            self.evidence.first.insert(row);
                        }
                    }
                    // Approved on another day of the period: it tells nothing here.
                    Some(_) => {}
                }
            }
        }
    }

    /// The approvals in a set of rows.
    pub(super) fn approvals_in(&self, rows: &Rows) -> Vec<usize> {
        self.approvals.iter().filter(|(row, _)| rows.has(**row)).map(|(_, place)| *place).collect()
    }

    /// The rows for which `holds` says so, day by day.
    pub(super) fn rows_where(&self, mut holds: impl FnMut(usize) -> Vec<bool>) -> Rows {
        let mut rows = Rows::none(self.words);
        let mut last: Option<(usize, Vec<bool>)> = None;
        for stratum in &self.strata {
            if last.as_ref().is_none_or(|(look, _)| *look != stratum.look) {
                last = Some((stratum.look, holds(stratum.look)));
            }
            let Some((_, held)) = &last else { continue };
            let held = stratum.rows.clone().zip(held).filter(|(_, held)| **held);
            held.for_each(|(row, _)| rows.insert(row));
        }
        rows
    }
}
