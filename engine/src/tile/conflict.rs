//! Conflicts: one event id on two days. Both events count, and the run says so.
//!
//! A day's ids are kept as sorted hashes, so that two days are compared by walking along both. A day is compared with
//! the days around it, up to [`NEIGHBOUR_DAYS`] away and [`NEIGHBOUR_EVENTS`]: what is sent again, is sent again soon.
//! `lake verify` compares all, and by the ids themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch};
use rayon::prelude::*;

use super::columns::batch;
use super::day::DayTile;
use super::keys::column;
use super::store::{DayTable, Tiles};
use crate::error::Result;
use crate::lake::read;
use crate::time::Day;

/// Days before and after a day that it is compared with.
const NEIGHBOUR_DAYS: Day = 31;
/// Events of other days that a day is compared with: a week of a million a day.
const NEIGHBOUR_EVENTS: u64 = 8_000_000;
/// Bytes of a hash.
pub(super) const HASH_BYTES: usize = 8;
/// A list so many times longer than the other is searched rather than walked along.
const SEARCH_FROM: usize = 32;

/// The hashes of a day's event ids, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Ids {
    all: Vec<i64>,
    /// Of these, those that are new; none given: all of them.
    fresh: Option<Vec<i64>>,
}

impl Ids {
    /// Both in ascending order.
    pub(super) fn new(fresh: Vec<i64>, known: Vec<i64>) -> Self {
        if known.is_empty() {
            return Self { all: fresh, fresh: None };
        }
        let mut all = known;
        all.extend(&fresh);
        sort_runs(&mut all);
        Self { all, fresh: Some(fresh) }
    }

    fn fresh(&self) -> &[i64] {
        self.fresh.as_deref().unwrap_or(&self.all)
    }

    /// The row of `tile.id_day`: all hashes as one value, because encoding millions one by one takes seconds.
    pub(super) fn to_batch(&self) -> Result<RecordBatch> {
        let bytes: Vec<u8> = self.all.iter().flat_map(|id| id.to_le_bytes()).collect();
        batch("tile.id_day", vec![Arc::new(BinaryArray::from_vec(vec![&bytes]))])
    }
}

/// The hashes that a file of `tile.id_day` holds.
pub(super) fn read_ids(path: &Path) -> Result<Vec<i64>> {
    let mut ids = Vec::new();
    for batch in read(path, &[])? {
        for bytes in column::<BinaryArray>(&batch, 0)?.iter().flatten() {
            let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
            ids.extend(hashes.iter().map(|hash| i64::from_le_bytes(*hash)));
        }
    }
    Ok(ids)
}

impl Tiles {
    /// How many ids of the fresh rows of `built` lie on another day as well, added to what was `found` before, by the two
    /// days in order. The tiles of `built` must be committed.
    pub(super) fn conflicts(&self, built: &[DayTile], found: &mut BTreeMap<(Day, Day), u64>) -> Result<()> {
        let fresh: BTreeMap<Day, &Ids> = built.iter().map(|tile| (tile.day, &tile.ids)).collect();
        let mut inside: BTreeSet<(Day, Day)> = BTreeSet::new();
        let mut outside: BTreeMap<Day, Vec<Day>> = BTreeMap::new();
        for &day in fresh.keys() {
            for other in self.neighbours(day) {
                if fresh.contains_key(&other) {
                    inside.insert((day.min(other), day.max(other)));
                } else {
                    outside.entry(other).or_default().push(day);
                }
            }
        }
        let inside = inside.into_par_iter().map(|(a, b)| {
            let (one, two) = (fresh[&a], fresh[&b]);
            let either = common(one.fresh(), &two.all) + common(&one.all, two.fresh());
            Ok(vec![((a, b), either - common(one.fresh(), two.fresh()))])
        });
        let outside = outside.into_par_iter().map(|(other, days)| {
            let Some(path) = self.path(DayTable::Id, other) else { return Ok(Vec::new()) };
            let known = read_ids(path)?;
            let pairs = days.into_iter();
            let count = |day| ((other.min(day), other.max(day)), common(fresh[&day].fresh(), &known));
            Ok(pairs.map(count).collect())
        });
        let counts: Vec<Vec<_>> = inside.chain(outside).collect::<Result<_>>()?;
        // A day built anew is compared as a whole, with what was found of its old tile in it; one that was added to, by
        // its fresh rows alone.
        let anew = |days: &(Day, Day)| {
            [days.0, days.1].iter().any(|day| fresh.get(day).is_some_and(|ids| ids.fresh.is_none()))
        };
        for (days, count) in counts.into_iter().flatten().filter(|(_, count)| *count > 0) {
            let before = if anew(&days) { 0 } else { found.get(&days).copied().unwrap_or(0) };
            found.insert(days, before + count);
        }
        Ok(())
    }

    /// The days nearest to a day, within [`NEIGHBOUR_DAYS`] and [`NEIGHBOUR_EVENTS`].
    fn neighbours(&self, day: Day) -> Vec<Day> {
        let near = |other: &Day| *other != day && (*other - day).abs() <= NEIGHBOUR_DAYS;
        let mut others: Vec<Day> = self.days(Day::MAX).filter(near).collect();
        others.sort_by_key(|other| ((other - day).abs(), *other));
        let mut events = 0;
        let near = others.into_iter().take_while(|other| {
            events += self.events(*other);
            events <= NEIGHBOUR_EVENTS
        });
        near.collect()
    }
}

/// Sorts two ascending runs.
#[expect(clippy::stable_sort_primitive, reason = "the stable sort merges what is in order already")]
fn sort_runs(ids: &mut [i64]) {
    ids.sort();
}

/// How many values two ascending lists have in common.
fn common(a: &[i64], b: &[i64]) -> u64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.len().saturating_mul(SEARCH_FROM) < long.len() {
        return short.iter().map(|id| u64::from(long.binary_search(id).is_ok())).sum();
    }
    let (mut i, mut j, mut found) = (0, 0, 0);
    while let (Some(a), Some(b)) = (short.get(i), long.get(j)) {
        found += u64::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::btree_set;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn what_two_days_have_in_common_is_what_both_hold(
            a in btree_set(-400..400_i64, 0..300),
            b in btree_set(-400..400_i64, 0..9),
        ) {
            let list = |set: &BTreeSet<i64>| set.iter().copied().collect::<Vec<_>>();
            let both = u64::try_from(a.intersection(&b).count()).unwrap();
            prop_assert_eq!(common(&list(&a), &list(&b)), both);
            prop_assert_eq!(common(&list(&b), &list(&a)), both);
            let late: BTreeSet<i64> = b.difference(&a).copied().collect();
            let ids = Ids::new(list(&late), list(&a));
            prop_assert_eq!(&ids.all, &list(&a.union(&b).copied().collect()));
            prop_assert_eq!(ids.to_batch().unwrap().num_rows(), 1);
        }
    }
}
