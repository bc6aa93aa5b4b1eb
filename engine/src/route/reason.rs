//! Why a lead goes to a rep, or to nobody, in words.

use super::Table;
use super::pool::Cause;
use crate::settings::Strategy;

/// A lead and the rep chosen for it.
pub(super) struct Chosen<'c> {
    pub(super) lead: usize,
    pub(super) rep: usize,
    /// Whether a rep has no place left when all is given out.
    pub(super) full: &'c dyn Fn(usize) -> bool,
}

/// Why a lead goes to a rep.
pub(super) fn of(table: &Table<'_, '_>, chosen: &Chosen<'_>) -> String {
    let among = among(table, chosen.lead);
    if table.candidates(chosen.lead).reps.len() == 1 {
        return among;
    }
    match table.inputs.settings.routing.strategy {
        Strategy::RoundRobin => format!("next in turn {among}"),
        Strategy::Ability => by_ability(table, chosen, &among),
        Strategy::ExpectedWins | Strategy::Off => by_wins(table, chosen, &among),
    }
}

/// Why a lead goes to nobody.
pub(super) fn of_none(table: &Table<'_, '_>, lead: usize) -> String {
    let candidates = table.candidates(lead);
    if candidates.reps.is_empty() {
        return format!("not routed: {}", candidates.why_none);
    }
    let first = match table.inputs.settings.routing.strategy {
        Strategy::ExpectedWins | Strategy::Off => "with leads that gain no less",
        Strategy::RoundRobin => "with leads that came before",
        Strategy::Ability => "with leads that are more probable",
    };
    match candidates.reps.len() {
        1 => format!("not routed: the only rep who may have it is full {first}"),
        reps => format!("not routed: all {reps} reps who may have it are full {first}"),
    }
}

/// Whom the rep was chosen from.
fn among(table: &Table<'_, '_>, lead: usize) -> String {
    let (candidates, waiting) = (table.candidates(lead), &table.pool.waiting[lead]);
    let number = candidates.reps.len();
    let reps = if number == 1 { "the only rep".to_owned() } else { format!("of {number} reps") };
    let ids = &table.inputs.crm.regions.ids;
    let place = match candidates.region.and_then(|region| ids.get(region)) {
        Some(found) if waiting.region == Some(found.as_str()) => format!(" in {found}"),
        Some(found) => {
            let own = waiting.region.unwrap_or("its region");
            format!(" in {found}, where the nearest to {own} are")
        }
        None => String::new(),
    };
    let others =
        if waiting.cause == Cause::Escalated { " beside the one who left it unanswered" } else { "" };
    format!("{reps} who may have it{others}{place}")
}

fn by_wins(table: &Table<'_, '_>, chosen: &Chosen<'_>, among: &str) -> String {
    let Chosen { lead, rep, .. } = *chosen;
    let own = table.factor(lead, rep);
    let candidates = &table.candidates(lead).reps;
    let best = candidates
        .iter()
        .copied()
        .max_by(|&a, &b| table.factor(lead, a).total_cmp(&table.factor(lead, b)).then(b.cmp(&a)));
    let sum = match table.pool.waiting[lead].chance {
        Some(chance) => format!("{:.1} % × {own:.2} by the rep's record", 100.0 * chance),
        None => format!("× {own:.2} by the rep's record"),
    };
    match best.filter(|&best| table.factor(lead, best) > own) {
        None => format!("{sum}, the best {among}"),
        Some(better) => {
            let (id, factor) = (&table.inputs.crm.reps[better].id, table.factor(lead, better));
            // Where a better rep has places left, there would be a better assignment.
            let why = if (chosen.full)(better) {
                "whose places other leads gain no less by"
            } else {
                "which makes no difference here"
            };
            format!("{sum}, {among}; {id} has × {factor:.2}, {why}")
        }
    }
}

fn by_ability(table: &Table<'_, '_>, chosen: &Chosen<'_>, among: &str) -> String {
    match table.ability(chosen.rep) {
        Some(points) => format!("{points:.0} points of ability, the most with a place left {among}"),
        None => format!("no ability is measured yet; the least full {among}"),
    }
}
