//! Leads to reps such that the sum of gains is the largest that capacities allow: a transportation problem, solved exactly.
//!
//! Leads are put in one after the other, each along the cheapest way: to a rep with a free place, or to one whose lead then
//! moves on to another rep, and so on, or drops out. Dijkstra's search goes over reps alone, with potentials that keep all
//! costs at 0 or above (Edmonds and Karp 1972).
//!
//! ```text
//! lead ──−gain──► rep ──what moving its cheapest lead costs──► rep ──► … ──► free place, or out
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::measure::at;

/// How many leads a rep has, and may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Taken before.
    pub taken: u32,
    /// In all.
    pub capacity: u32,
}

impl Places {
    /// Free before.
    pub fn free(self) -> usize {
        usize::try_from(self.capacity.saturating_sub(self.taken)).unwrap_or(usize::MAX)
    }

    /// How full a rep is, in millionths, once it has so many leads more: what evens loads out among equal gains.
    fn level(self, more: usize) -> i64 {
        let leads = i64::from(self.taken).saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        leads.saturating_mul(1_000_000) / i64::from(self.capacity.max(1))
    }
}

/// The rep of each lead, none for those that find no place.
///
/// `gain` says what a lead is worth with a rep, from 1 to [`GAIN_MAX`]; none where it must not go there. Of all assignments
/// the sum of gains is the largest. Where gains are equal, a lead goes to the rep whom it fills least, and leads that come
/// first keep their places. The same input gives the same assignment.
pub fn assign(
    n_leads: usize,
    places: &[Places],
    gain: impl Fn(usize, usize) -> Option<i32>,
) -> Vec<Option<usize>> {
    let mut plan = Plan::new(n_leads, places, gain);
    let best = |lead: usize| plan.row(lead)[..places.len()].iter().copied().max().filter(|&best| best > 0);
    let mut order: Vec<(Option<i32>, usize)> = (0..n_leads).map(|lead| (best(lead), lead)).collect();
    // Those with the largest gain first: whoever comes later seldom moves them.
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for (best, lead) in order {
        if best.is_some() {
            plan.insert(lead);
        }
    }
    let mut found = vec![None; n_leads];
    for (rep, leads) in plan.leads.iter().enumerate() {
        for &lead in leads {
            found[lead] = Some(rep);
        }
    }
    found
}

/// The largest gain. Sums of all that a search adds up fit into 32 bits.
pub const GAIN_MAX: i32 = 1 << 26;
/// The gain of a lead that must not go to a rep: moving it there costs more than anything that is allowed.
const FORBIDDEN: i32 = -(1 << 30);
/// Reps that are looked at together.
const LANES: usize = 32;
/// What costs so much can't be done.
const NEVER: i32 = 1 << 30;

/// An assignment that is the best for the leads that are in it.
struct Plan<'a> {
    places: &'a [Places],
    /// `[lead · n + to]`, at last of being out, which is worth nothing. n is one more than there are reps.
    gains: Vec<i32>,
    /// By rep.
    leads: Vec<Vec<usize>>,
    /// `[from · n + to]`: what it costs to move the cheapest lead of a rep to another, or at last out.
    moves: Vec<i32>,
    /// By rep, and at last of being out: minus the price of a place. What is free costs nothing.
    potential: Vec<i32>,
}

/// What a search has found: by rep, and at last of being out.
struct Search {
    distance: Vec<i32>,
    /// The rep before; [`LEAD`] where the new lead itself comes.
    before: Vec<u32>,
    /// Where the way ends.
    end: usize,
    /// How far away that is.
    length: i32,
}

/// The level of a rep without a free place.
const FULL: i64 = i64::MAX;
/// No rep, but the lead that is put in.
const LEAD: u32 = u32::MAX;

impl Search {
    /// The rep before another on the way.
    fn before(&self, rep: usize) -> Option<usize> {
        Some(at(self.before[rep])).filter(|_| self.before[rep] != LEAD)
    }
}

impl<'a> Plan<'a> {
    fn new(n_leads: usize, places: &'a [Places], gain: impl Fn(usize, usize) -> Option<i32>) -> Self {
        let reps = places.len();
        let mut gains = Vec::with_capacity(n_leads * (reps + 1));
        for lead in 0..n_leads {
            let of = |rep: usize| gain(lead, rep).map_or(FORBIDDEN, |gain| gain.clamp(1, GAIN_MAX));
            gains.extend((0..reps).map(of).chain([0]));
        }
        let moves = vec![NEVER; reps * (reps + 1)];
        Self { places, gains, leads: vec![Vec::new(); reps], moves, potential: vec![0; reps + 1] }
    }

    /// The position of being out.
    fn out(&self) -> usize {
        self.places.len()
    }

    /// The gains of a lead, by rep and at last of being out.
    fn row(&self, lead: usize) -> &[i32] {
        let n = self.out() + 1;
        &self.gains[lead * n..(lead + 1) * n]
    }

    /// How full a rep gets by one lead more, [`FULL`] for one without a place. Being out knows no limit, and comes last.
    fn level(&self, rep: usize) -> i64 {
        if rep == self.out() {
            return FULL - 1;
        }
        let leads = self.leads[rep].len();
        if leads < self.places[rep].free() { self.places[rep].level(leads + 1) } else { FULL }
    }

    fn insert(&mut self, lead: usize) {
        let found = self.search(lead);
        for (potential, &distance) in self.potential.iter_mut().zip(&found.distance) {
            *potential += distance.min(found.length) - found.length;
        }
        let way: Vec<usize> = std::iter::successors(Some(found.end), |&rep| found.before(rep)).collect();
        for pair in way.windows(2) {
            self.shift(pair[1], pair[0]);
        }
        let Some(&first) = way.last().filter(|&&first| first != self.out()) else { return };
        self.leads[first].push(lead);
        if way.len() == 1 {
            // Nothing left: what moving costs can only get cheaper.
            return self.offer(first, lead);
        }
        for rep in way {
            if rep != self.out() {
                self.recount(rep);
            }
        }
    }

    /// The cheapest way for a new lead: to the nearest place, of equally near ones to that of whom it fills least.
    fn search(&self, lead: usize) -> Search {
        let n = self.out() + 1;
        let worth = || self.row(lead).iter().zip(&self.potential).map(|(gain, potential)| gain + potential);
        let best = worth().max().unwrap_or(0);
        let mut distance: Vec<i32> = worth().map(|worth| best - worth).collect();
        let near = |rep: usize, distance: i32| Reverse((distance, self.level(rep), rep));
        let is_end = |rep: usize| self.level(rep) < FULL;
        // Nothing that is further away than a place is of any use.
        let mut nearest = (0..n).filter(|&rep| is_end(rep)).map(|rep| distance[rep]).min().unwrap_or(NEVER);
        for distance in &mut distance {
            *distance = (*distance).min(nearest + 1);
        }
        let reached = distance.iter().enumerate().filter(|(_, distance)| **distance <= nearest);
        let mut open: BinaryHeap<_> = reached.map(|(rep, distance)| near(rep, *distance)).collect();
        let mut found = Search { distance, before: vec![LEAD; n], end: self.out(), length: NEVER };
        while let Some(Reverse((so_far, level, rep))) = open.pop() {
            if so_far > found.distance[rep] {
                continue;
            }
            if level < FULL {
                // Places have no price as long as they are free, so no way further on is shorter.
                (found.end, found.length) = (rep, so_far);
                break;
            }
            let from = so_far + self.potential[rep];
            let by = u32::try_from(rep).unwrap_or(LEAD);
            let costs = &self.moves[rep * n..(rep + 1) * n];
            for first in (0..n).step_by(LANES) {
                let lanes = first..(first + LANES).min(n);
                let shorter = (found.distance[lanes.clone()].iter())
                    .zip(&costs[lanes.clone()])
                    .zip(&self.potential[lanes.clone()])
                    .fold(0, |any, ((known, cost), potential)| {
                        any | i32::from(from + cost - potential < *known)
                    });
                // Hardly ever: that is why all lanes are asked at once.
                if shorter == 0 {
                    continue;
                }
                for to in lanes {
                    let length = from + costs[to] - self.potential[to];
                    if length < found.distance[to] {
                        (found.distance[to], found.before[to]) = (length, by);
                        if length <= nearest {
                            open.push(near(to, length));
                        }
                        if is_end(to) {
                            nearest = nearest.min(length);
                        }
                    }
                }
            }
        }
        found
    }

    /// Moves the cheapest lead of a rep to another, or out; of equals the one that came last.
    fn shift(&mut self, from: usize, to: usize) {
        let cost = |lead: usize| self.row(lead)[from] - self.row(lead)[to];
        let all = self.leads[from].iter().enumerate();
        let cheapest = all.min_by_key(|(_, lead)| (cost(**lead), Reverse(**lead)));
        let Some((place, _)) = cheapest else { return };
        let lead = self.leads[from].swap_remove(place);
        if to != self.out() {
            self.leads[to].push(lead);
        }
    }

    /// What moving one of a rep's leads costs, from all of its leads.
    fn recount(&mut self, rep: usize) {
        let n = self.out() + 1;
        self.moves[rep * n..(rep + 1) * n].fill(NEVER);
        for place in 0..self.leads[rep].len() {
            self.offer(rep, self.leads[rep][place]);
        }
    }

    /// What moving a rep's leads costs with one more.
    fn offer(&mut self, rep: usize, lead: usize) {
        let n = self.out() + 1;
        let gains = &self.gains[lead * n..(lead + 1) * n];
        let own = gains[rep];
        for (cost, gain) in self.moves[rep * n..(rep + 1) * n].iter_mut().zip(gains) {
            *cost = (*cost).min(own - gain);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(of: &[(u32, u32)]) -> Vec<Places> {
        of.iter().map(|&(taken, capacity)| Places { taken, capacity }).collect()
    }

    fn run(gains: &[Vec<Option<i32>>], places: &[Places]) -> Vec<Option<usize>> {
        assign(gains.len(), places, |lead, rep| gains[lead][rep])
    }

    /// The sum of gains; none where it isn't allowed.
    fn worth(found: &[Option<usize>], gains: &[Vec<Option<i32>>], places: &[Places]) -> Option<i64> {
        let mut more = vec![0; places.len()];
        let mut sum = 0;
        for (lead, rep) in found.iter().enumerate() {
            let Some(rep) = *rep else { continue };
            sum += i64::from(gains[lead][rep]?);
            more[rep] += 1;
            if more[rep] > places[rep].free() {
                return None;
            }
        }
        Some(sum)
    }

    /// The best of all assignments, each tried.
    fn best(gains: &[Vec<Option<i32>>], places: &[Places]) -> i64 {
        let ways = (places.len() + 1).pow(u32::try_from(gains.len()).unwrap());
        let of = |mut way: usize| {
            let mut next = || {
                let rep = way % (places.len() + 1);
                way /= places.len() + 1;
                (rep < places.len()).then_some(rep)
            };
            gains.iter().map(|_| next()).collect::<Vec<_>>()
        };
        (0..ways).filter_map(|way| worth(&of(way), gains, places)).max().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn nothing_beats_it(
            gains in prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, 1..9_i32), 3), 0..6),
            places in prop::collection::vec((0..3_u32, 0..4_u32), 3),
        ) {
            let places = self::places(&places);
            let found = run(&gains, &places);
            prop_assert_eq!(worth(&found, &gains, &places), Some(best(&gains, &places)));
        }

        #[test]
        fn leads_with_a_factor_each_are_placed_as_well(
            chances in prop::collection::vec(1..1_000_i32, 0..7),
            factors in prop::collection::vec(500..1_500_i32, 2),
            places in prop::collection::vec((0..2_u32, 0..5_u32), 2),
        ) {
            let gains: Vec<Vec<Option<i32>>> =
                chances.iter().map(|p| factors.iter().map(|factor| Some(p * factor)).collect()).collect();
            let places = self::places(&places);
            prop_assert_eq!(worth(&run(&gains, &places), &gains, &places), Some(best(&gains, &places)));
        }
    }

    #[test]
    fn where_places_are_few_the_largest_gains_get_them() {
        let gains: Vec<_> = [3, 9, 5, 9].map(|gain| vec![Some(gain)]).to_vec();
        assert_eq!(run(&gains, &places(&[(0, 2)])), [None, Some(0), None, Some(0)]);
        assert_eq!(run(&gains, &places(&[(1, 3)])), [None, Some(0), None, Some(0)]);
        // Of equals, those that come first.
        assert_eq!(run(&gains, &places(&[(0, 1)])), [None, Some(0), None, None]);
        assert_eq!(run(&gains, &places(&[(5, 3)])), [None; 4]);
        assert_eq!(run(&gains, &places(&[(0, 0)])), [None; 4]);
        assert_eq!(run(&[vec![], vec![]], &[]), [None, None]);
    }

    #[test]
    fn a_lead_gives_way_where_another_gains_more_by_it() {
        // The second may go to the first rep only, so the first lead goes to the second rep.
        let gains = vec![vec![Some(8), Some(6)], vec![Some(7), None]];
        assert_eq!(run(&gains, &places(&[(0, 1), (0, 1)])), [Some(1), Some(0)]);
    }

    #[test]
    fn equal_gains_fill_reps_evenly() {
        let gains = vec![vec![Some(4); 3]; 6];
        let found = run(&gains, &places(&[(0, 10), (4, 10), (0, 5)]));
        let of = |rep: usize| found.iter().filter(|&&found| found == Some(rep)).count();
        assert_eq!([of(0), of(1), of(2)], [4, 0, 2]);
    }
}
