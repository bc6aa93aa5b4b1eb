//! Which facts tell of which lead and opportunity, in the order in which they are folded.

use std::collections::BTreeSet;

use crate::catalogue::Catalogue;
use crate::error::Result;
use crate::measure::at;
use crate::measure::facts::{Facts, NONE};
use crate::time::Day;
use arrow::array::RecordBatch;

/// Batches of facts of the running day after which they are joined: small ones cost more than their rows.
const COMPACT_BATCHES: usize = 256;

/// The rows of facts by the lead and by the opportunity that they name.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) leads: Vec<Vec<usize>>,
    pub(super) deals: Vec<Vec<usize>>,
    /// Where the facts of the running day begin: rows, batches.
    mark: (usize, usize),
    /// Batches of the running day that are joined.
    joined: usize,
}

/// Leads and opportunities by number.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) leads: BTreeSet<usize>,
    pub(super) deals: BTreeSet<usize>,
}

impl Index {
    /// The facts of closed days, which come in order.
    pub(super) fn new(facts: &Facts) -> Self {
        let mut index = Self { leads: Vec::new(), deals: Vec::new(), mark: facts.mark(), joined: 0 };
        for (row, fact) in facts.rows.iter().enumerate() {
            slot(&mut index.leads, fact.lead).map(|rows| rows.push(row)).unwrap_or_default();
            slot(&mut index.deals, fact.opportunity).map(|rows| rows.push(row)).unwrap_or_default();
        }
        index
    }

    /// Adds facts of the running day, and notes what they name.
    pub(super) fn add(
        &mut self,
        facts: &mut Facts,
        rows: &RecordBatch,
        (day, catalogue): (Day, &Catalogue),
        named: &mut Named,
    ) -> Result<()> {
        let first = facts.rows.len();
        facts.add_running(rows, day, catalogue)?;
        for row in first..facts.rows.len() {
            let (lead, deal) = (facts.rows[row].lead, facts.rows[row].opportunity);
            let lists =
                [(&mut self.leads, lead, &mut named.leads), (&mut self.deals, deal, &mut named.deals)];
            for (lists, number, named) in lists {
                let Some(list) = slot(lists, number) else { continue };
                // After all closed days, and in the order of time within the day.
                let before = |other: &usize| *other < self.mark.0 || facts.place(*other) <= facts.place(row);
                list.insert(list.partition_point(before), row);
                named.insert(at(number));
            }
        }
        if facts.mark().1 >= self.mark.1 + self.joined + COMPACT_BATCHES {
            facts.compact(self.mark.1 + self.joined)?;
            self.joined += 1;
        }
        Ok(())
    }

    /// Forgets the facts of the running day, and notes what they named.
    pub(super) fn rewind(&mut self, facts: &mut Facts, named: &mut Named) {
        for row in self.mark.0..facts.rows.len() {
            let fact = &facts.rows[row];
            let lists = [
                (&mut self.leads, fact.lead, &mut named.leads),
                (&mut self.deals, fact.opportunity, &mut named.deals),
            ];
            for (lists, number, named) in lists {
                let Some(list) = slot(lists, number) else { continue };
                list.retain(|row| *row < self.mark.0);
                named.insert(at(number));
            }
        }
        facts.rewind(self.mark);
        self.joined = 0;
    }
}

/// The list of a number, made where it is missing; none for no number.
fn slot(lists: &mut Vec<Vec<usize>>, number: u32) -> Option<&mut Vec<usize>> {
    if number == NONE {
        return None;
    }
    if lists.len() <= at(number) {
        lists.resize(at(number) + 1, Vec::new());
    }
    lists.get_mut(at(number))
}
