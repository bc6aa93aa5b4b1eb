//! How much better or worse a rep converts leads than the company does: a factor, drawn towards 1 as far as chance explains
//! the difference.
//!
//! ```text
//! k     strength that the spread between reps leaves to the company's mean (moments)
//! f_r   = (converted_r + k) / (expected_r + k)            expected: Σ over ended leads of their source's share
//! f_rs  = (converted_rs + k′ · f_r) / (expected_rs + k′)   by source, drawn towards the rep's own
//! ```
//!
//! The factors are those of a gamma prior over Poisson counts (Robbins' empirical Bayes in the form of Clayton and Kaldor
//! 1987); k and k′ are met by moments. Where reps differ no more than chance makes them, all factors are 1.

use std::collections::BTreeMap;

use crate::measure::facts::Facts;
use crate::measure::funnel::find;
use crate::measure::lead::Lead;
use crate::measure::{ratio, real};
use crate::time::Day;

/// Days of creation that records look back on.
const RECORD_DAYS: Day = 90;
/// Ended leads that the company's share counts as, in each source's.
const PRIOR_LEADS: f64 = 10.0;
/// Expected conversions that the mean counts as, at least.
const STRENGTH_MIN: f64 = 2.0;

/// Ended and converted leads.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    ended: i64,
    converted: i64,
}

/// What was observed, what would be expected, and the variance of that by chance.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    observed: f64,
    expected: f64,
    variance: f64,
}

/// Shares by source, and the factors of reps.
#[derive(Debug)]
pub(super) struct Record {
    /// The share of all ended leads that converted; none where none has ended.
    company: Option<f64>,
    sources: BTreeMap<Option<String>, f64>,
    /// By position in the CRM: the factor, and by source.
    reps: BTreeMap<usize, (f64, BTreeMap<Option<String>, f64>)>,
}

impl Record {
    /// From the leads of the last 90 days. `positions`: of the facts' reps in the CRM.
    pub(super) fn new(leads: &[Lead], facts: &Facts, positions: &[Option<usize>], as_of: Day) -> Self {
        let mut company = Count::default();
        let mut sources: BTreeMap<Option<&str>, Count> = BTreeMap::new();
        let mut reps: BTreeMap<usize, BTreeMap<Option<&str>, Count>> = BTreeMap::new();
        for lead in leads.iter().filter(|lead| lead.created_within(as_of, RECORD_DAYS)) {
            let converted = lead.converted_at.is_some();
            if !converted && lead.ended_at.is_none() {
                continue;
            }
            let source = lead.created.and_then(|created| facts.attribute(created, "source"));
            let own = find(positions, lead.assignee);
            let own = own.map(|rep| reps.entry(rep).or_default().entry(source).or_default());
            for count in
                [Some(&mut company), Some(sources.entry(source).or_default()), own].into_iter().flatten()
            {
                count.ended += 1;
                count.converted += i64::from(converted);
            }
        }
        let mean = ratio(company.converted, company.ended);
        let share = |count: &Count| {
            (real(count.converted) + PRIOR_LEADS * mean.unwrap_or(0.0)) / (real(count.ended) + PRIOR_LEADS)
        };
        let shares: BTreeMap<Option<&str>, f64> =
            sources.iter().map(|(name, count)| (*name, share(count))).collect();
        let cells: BTreeMap<usize, BTreeMap<Option<&str>, Cell>> = reps
            .into_iter()
            .map(|(rep, counts)| {
                let cells = counts.into_iter().map(|(source, count)| (source, cell(count, shares[&source])));
                (rep, cells.collect())
            })
            .collect();
        let owned = |name: Option<&str>| name.map(str::to_owned);
        Self {
            company: mean,
            sources: shares.iter().map(|(name, share)| (owned(*name), *share)).collect(),
            reps: factors(&cells)
                .into_iter()
                .map(|(rep, (own, by))| {
                    (rep, (own, by.into_iter().map(|(name, f)| (owned(name), f)).collect()))
                })
                .collect(),
        }
    }

    /// The share of a source's ended leads that converted, drawn towards that of all.
    pub(super) fn chance(&self, source: Option<&str>) -> Option<f64> {
        self.sources.get(&source.map(str::to_owned)).copied().or(self.company)
    }

    /// What a lead's chance is multiplied by with a rep.
    pub(super) fn factor(&self, rep: usize, source: Option<&str>) -> f64 {
        let Some((own, by)) = self.reps.get(&rep) else { return 1.0 };
        // A map of few names: looking without making a key is quicker than hashing one.
        by.iter().find(|(name, _)| name.as_deref() == source).map_or(*own, |(_, factor)| *factor)
    }
}

fn cell(count: Count, share: f64) -> Cell {
    let ended = real(count.ended);
    Cell { observed: real(count.converted), expected: ended * share, variance: ended * share * (1.0 - share) }
}

/// Factors by rep: the own, and by source.
type Factors<'a> = BTreeMap<usize, (f64, BTreeMap<Option<&'a str>, f64>)>;

fn factors<'a>(reps: &BTreeMap<usize, BTreeMap<Option<&'a str>, Cell>>) -> Factors<'a> {
    let sum = |cells: &BTreeMap<Option<&'a str>, Cell>| {
        cells.values().fold(Cell::default(), |sum, cell| Cell {
            observed: sum.observed + cell.observed,
            expected: sum.expected + cell.expected,
            variance: sum.variance + cell.variance,
        })
    };
    let whole: Vec<Cell> = reps.values().map(sum).collect();
    let between = strength(&whole);
    let own: Vec<f64> = whole.iter().map(|cell| drawn(*cell, 1.0, between)).collect();
    let parts: Vec<Cell> = reps
        .values()
        .zip(&own)
        .flat_map(|(cells, factor)| cells.values().map(|cell| scaled(*cell, *factor)))
        .collect();
    let within = strength(&parts);
    reps.iter()
        .zip(own)
        .map(|((rep, cells), own)| {
            let by = cells.iter().map(|(source, cell)| (*source, drawn(*cell, own, within)));
            (*rep, (own, by.collect()))
        })
        .collect()
}

fn scaled(cell: Cell, factor: f64) -> Cell {
    Cell { expected: factor * cell.expected, variance: factor * cell.variance, ..cell }
}

/// Expected conversions that the mean counts as: fewer where cells spread more than chance makes them; none where they
/// don't.
fn strength(cells: &[Cell]) -> Option<f64> {
    let (mut extra, mut squares) = (0.0_f64, 0.0_f64);
    for cell in cells {
        extra += (cell.observed - cell.expected).powi(2) - cell.variance;
        squares += cell.expected.powi(2);
    }
    (extra > 0.0).then(|| (squares / extra).max(STRENGTH_MIN))
}

/// Observed over expected, drawn towards `prior`.
fn drawn(cell: Cell, prior: f64, strength: Option<f64>) -> f64 {
    strength.map_or(prior, |k| (cell.observed + k * prior) / (cell.expected + k))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(reps: &[&[(&'static str, i64, i64)]], share: f64) -> Factors<'static> {
        let cells = reps.iter().enumerate().map(|(rep, cells)| {
            let cells = cells
                .iter()
                .map(|&(source, ended, converted)| (Some(source), cell(Count { ended, converted }, share)));
            (rep, cells.collect())
        });
        factors(&cells.collect())
    }

    #[test]
    fn differences_that_chance_makes_leave_every_factor_at_one() {
        let found = of(&[&[("web", 10, 2)], &[("web", 10, 3)], &[("web", 10, 1)]], 0.2);
        for (own, by) in found.values() {
            assert!((own - 1.0).abs() < 1e-12 && (by[&Some("web")] - 1.0).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn a_long_record_says_more_than_a_short_one() {
        let (good, short, poor): (&[_], &[_], &[_]) =
            (&[("web", 200, 80)], &[("web", 5, 2)], &[("web", 200, 10)]);
        let found = of(&[good, short, poor], 0.2);
        let own = |rep: usize| found[&rep].0;
        // Twice the company's share both, seen in 200 leads and in five.
        assert!(own(0) > 1.8 && own(0) < 2.0, "{}", own(0));
        assert!(own(1) > 1.0 && own(1) < 1.5, "{}", own(1));
        assert!(own(2) < 0.4, "{}", own(2));
    }

    #[test]
    fn a_source_has_a_factor_of_its_own_where_there_is_enough() {
        let found = of(
            &[
                &[("web", 300, 120), ("fair", 300, 30)],
                &[("web", 300, 30), ("fair", 300, 120)],
                &[("fair", 4, 0)],
            ],
            0.2,
        );
        let by = |rep: usize, source: &'static str| found[&rep].1[&Some(source)];
        assert!(by(0, "web") > 1.5 && by(0, "fair") < 0.7, "{found:?}");
        assert!(by(1, "fair") > 1.5 && by(1, "web") < 0.7, "{found:?}");
        assert!(by(2, "fair") > 0.5, "four leads say little: {found:?}");
    }
}
