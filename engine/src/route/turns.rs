//! The plain strategies: in turn, and by ability.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Table;
use crate::measure::funnel::find;
use crate::time::Micros;

/// Leads in the order in which they came, each to the rep who has waited longest for one and has a place.
///
/// Whose turn it is follows from the last assignment of each rep, so the turns go on where they stopped the day before.
pub(super) fn in_turn(table: &Table<'_, '_>, positions: &[Option<usize>]) -> Vec<Option<usize>> {
    let mut last: BTreeMap<usize, (u8, Micros, usize)> =
        turns(table, positions).into_iter().map(|(rep, given)| (rep, (0, given, 0))).collect();
    let mut order: Vec<usize> = (0..table.pool.waiting.len()).collect();
    // The pool has the newest first.
    order.reverse();
    let mut room = Room::new(table);
    let mut chosen = vec![None; order.len()];
    for (turn, lead) in order.into_iter().enumerate() {
        let reps = table.candidates(lead).reps.iter().copied().filter(|&rep| room.has(rep));
        let next = reps.min_by_key(|rep| (last.get(rep).copied().unwrap_or((0, Micros::MIN, 0)), *rep));
        if let Some(rep) = next {
            room.take(rep);
            // After everybody who has had none yet today.
            last.insert(rep, (1, 0, turn));
            chosen[lead] = Some(rep);
        }
    }
    chosen
}

/// When each rep was last given a lead that is open or came in the last 90 days: older ones may be forgotten.
fn turns(table: &Table<'_, '_>, positions: &[Option<usize>]) -> BTreeMap<usize, Micros> {
    let as_of = table.inputs.as_of;
    let mut last = BTreeMap::new();
    for lead in table.inputs.leads.iter().filter(|lead| lead.is_open(as_of) || lead.created_within(as_of, 90))
    {
        if let Some(rep) = find(positions, lead.assignee) {
            let known = last.entry(rep).or_insert(Micros::MIN);
            *known = lead.assigned_at.max(*known);
        }
    }
    last
}

/// The most probable lead to the ablest rep with a place, and so on; of equals, to the one who is less full.
pub(super) fn ablest(table: &Table<'_, '_>) -> Vec<Option<usize>> {
    let chance = |lead: usize| table.pool.waiting[lead].chance.unwrap_or(0.0);
    let mut order: Vec<usize> = (0..table.pool.waiting.len()).collect();
    order.sort_by(|&a, &b| chance(b).total_cmp(&chance(a)).then(a.cmp(&b)));
    let ability: Vec<f64> =
        (0..table.inputs.crm.reps.len()).map(|rep| table.ability(rep).unwrap_or(-1.0)).collect();
    let mut room = Room::new(table);
    let mut chosen = vec![None; order.len()];
    for lead in order {
        let reps = table.candidates(lead).reps.iter().copied().filter(|&rep| room.has(rep));
        let best = reps.max_by(|&a, &b| {
            let by_ability = ability[a].total_cmp(&ability[b]);
            by_ability.then(room.free(a).cmp(&room.free(b))).then(Reverse(a).cmp(&Reverse(b)))
        });
        if let Some(rep) = best {
            room.take(rep);
            chosen[lead] = Some(rep);
        }
    }
    chosen
}

/// Free places, as they are taken.
struct Room(Vec<usize>);

impl Room {
    fn new(table: &Table<'_, '_>) -> Self {
        Self(table.staff.places.iter().map(|places| places.free()).collect())
    }

    fn free(&self, rep: usize) -> usize {
        self.0[rep]
    }

    fn has(&self, rep: usize) -> bool {
        self.0[rep] > 0
    }

    fn take(&mut self, rep: usize) {
        self.0[rep] = self.0[rep].saturating_sub(1);
    }
}
