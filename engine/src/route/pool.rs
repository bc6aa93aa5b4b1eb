//! The leads that wait for a proposal: why, whose they are, and how probable a conversion is.

use rustc_hash::FxHashMap;

use super::RouteInputs;
use super::record::Record;
use crate::measure::funnel::{find, place};
use crate::measure::lead::Lead;
use crate::settings::Proposed;
use crate::time::Micros;

/// Why a lead waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Nobody has it.
    Unassigned,
    /// Whoever has it isn't on duty.
    OffDuty,
    /// Nobody had answered when escalation was due, nor since.
    Escalated,
    /// Nobody has answered yet.
    Unanswered,
}

impl Cause {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::OffDuty => "off_duty",
            Self::Escalated => "escalated",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A lead that waits.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    pub(super) id: &'a str,
    pub(super) lead: &'a Lead,
    pub(super) cause: Cause,
    /// Who has it: position in the CRM, and id.
    pub(super) from: Option<usize>,
    pub(super) from_id: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) source: Option<&'a str>,
    pub(super) chance: Option<f64>,
    pub(super) basis: &'static str,
}

/// All that wait, the newest first: of equals, those come first.
#[derive(Debug)]
pub(super) struct Pool<'a> {
    pub(super) waiting: Vec<Waiting<'a>>,
}

impl<'a> Pool<'a> {
    /// `positions`: of the facts' reps in the CRM.
    pub(super) fn new(inputs: &RouteInputs<'a>, positions: &[Option<usize>], record: &Record) -> Self {
        let RouteInputs { facts, leads, scored, as_of, .. } = *inputs;
        let end = inputs.zone.end(as_of);
        let chances: FxHashMap<u32, f64> = scored.map_or_else(FxHashMap::default, |scored| {
            scored
                .numbers
                .iter()
                .zip(&scored.scores.p_convert)
                .map(|(number, [p, ..])| (*number, *p))
                .collect()
        });
        let open = leads.iter().zip(0_u32..).filter(|(lead, _)| lead.is_open(as_of));
        let mut waiting: Vec<Waiting<'a>> = open
            .filter_map(|(lead, number)| {
                let from = find(positions, lead.assignee);
                let cause = cause(inputs, lead, from, end)?;
                let (region, source) = place(lead, facts, inputs.crm);
                let (chance, basis) = match chances.get(&number) {
                    Some(&chance) => (Some(chance), "model"),
                    None => match record.chance(source) {
                        Some(chance) => (Some(chance), "record"),
                        None => (None, "none"),
                    },
                };
                let from_id = lead.assignee.and_then(|rep| facts.reps.get(rep));
                let id = facts.leads.get(number)?;
                Some(Waiting { id, lead, cause, from, from_id, region, source, chance, basis })
            })
            .collect();
        waiting.sort_by(|a, b| b.lead.created_at.cmp(&a.lead.created_at).then(a.id.cmp(b.id)));
        Self { waiting }
    }

    /// How many wait that a rep has.
    pub(super) fn of_reps(&self, reps: usize) -> Vec<i64> {
        let mut counts = vec![0; reps];
        for rep in self.waiting.iter().filter_map(|lead| lead.from) {
            counts[rep] += 1;
        }
        counts
    }
}

/// Why a lead waits; none where it doesn't.
fn cause(inputs: &RouteInputs<'_>, lead: &Lead, from: Option<usize>, end: Micros) -> Option<Cause> {
    let unanswered = lead.answered_at.is_none();
    if lead.assignee.is_none() {
        Some(Cause::Unassigned)
    } else if !from.is_some_and(|rep| inputs.crm.reps[rep].on_duty(inputs.as_of)) {
        Some(Cause::OffDuty)
    } else if unanswered && lead.escalated(end, &inputs.settings.lead) {
        Some(Cause::Escalated)
    } else {
        let all = inputs.settings.routing.leads == Proposed::Unanswered;
        (all && unanswered).then_some(Cause::Unanswered)
    }
}
