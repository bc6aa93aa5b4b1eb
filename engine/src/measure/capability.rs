//! The capability profile: six skills of a rep, each as what it shows in, ranked among the reps on duty.

use super::process::ProcessHealth;
use super::{count, ratio};
use crate::entity::Crm;
use crate::tile::rep::{RepCounts, RepTile, count as counter};
use crate::time::Day;

/// The skills, in the order of their rows, each with what it shows in.
pub(crate) const SKILLS: [&str; 6] = [
    "communication",     // leads answered in time, 30 days
    "negotiation",       // quotes accepted of those answered, 90 days
    "solution_design",   // accepted of all answers, 90 days
    "relationship",      // owned customers touched, 30 days
    "product_knowledge", // effective touches of all, 90 days
    "execution",         // forward stage moves per opportunity, 30 days
];

/// One skill of one rep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Skill {
    pub(crate) numerator: i64,
    pub(crate) denominator: i64,
    /// 0 to 100: the share of peers below, those level with the rep counted half.
    pub(crate) score: Option<f64>,
    /// Reps on duty with a value, the rep included.
    pub(crate) peers: i64,
}

impl Skill {
    pub(crate) fn value(&self) -> Option<f64> {
        ratio(self.numerator, self.denominator)
    }
}

/// The profile of every rep of the CRM, in its order; only those on duty have peers and a score.
pub(crate) fn capability(
    crm: &Crm,
    process: &[ProcessHealth],
    reps_90d: &RepTile,
    as_of: Day,
) -> Vec<[Skill; SKILLS.len()]> {
    let reps = crm.reps.iter().zip(process);
    let mut profiles: Vec<[Skill; SKILLS.len()]> =
        reps.map(|(rep, process)| shown(process, &reps_90d.get(&rep.id))).collect();
    let on_duty: Vec<bool> = crm.reps.iter().map(|rep| rep.on_duty(as_of)).collect();
    (0..SKILLS.len()).for_each(|skill| rank(&mut profiles, &on_duty, skill));
    profiles
}

/// What one rep's skills show in, not ranked yet.
pub(crate) fn shown(process: &ProcessHealth, days_90: &RepCounts) -> [Skill; SKILLS.len()] {
    let counts = days_90.counts;
    let answered = |yes: usize, no: usize| (counts[yes], counts[yes] + counts[no]);
    let component =
        |position: usize| (process.components[position].numerator, process.components[position].denominator);
    let shown = [
        component(0),
        answered(counter::QUOTES_ACCEPTED, counter::QUOTES_REJECTED),
        answered(counter::ACCEPTED, counter::REJECTED),
        (process.sums.customers_touched, process.sums.customers),
        (counts[counter::EFFECTIVE_TOUCHES], counts[counter::TOUCHES]),
        component(4),
    ];
    shown.map(|(numerator, denominator)| Skill { numerator, denominator, score: None, peers: 0 })
}

/// Ranks one skill among the reps on duty.
pub(crate) fn rank(profiles: &mut [[Skill; SKILLS.len()]], on_duty: &[bool], skill: usize) {
    let mut values: Vec<f64> = profiles
        .iter()
        .zip(on_duty)
        .filter(|(_, on_duty)| **on_duty)
        .filter_map(|(profile, _)| profile[skill].value())
        .collect();
    values.sort_unstable_by(f64::total_cmp);
    for (profile, _) in profiles.iter_mut().zip(on_duty).filter(|(_, on_duty)| **on_duty) {
        let own = &mut profile[skill];
        let Some(value) = own.value() else { continue };
        let below = values.partition_point(|other| *other < value);
        let level = values.partition_point(|other| *other <= value) - below;
        own.peers = count(values.len());
        own.score = ratio(100 * count(2 * below + level), 2 * own.peers);
    }
}
