//! Leads as of a day: when they came, who has them, when they were answered, how far they got.

mod life;

pub(crate) use life::{LeadLife, lead_rows};

use super::facts::{Created, Fact, Facts, NONE, OPEN_LEAD_DAYS};
use super::{at, count, real};
use crate::catalogue::{Catalogue, EventCode, Flags, Model};
use crate::settings;
use crate::time::{DAY, Day, Micros, SECOND, Zone};

/// Days whose events tell how busy a lead is.
const RECENT_DAYS: Day = 30;

/// A lead's state at the end of a day. Numbers refer to the names of [`Facts`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Lead {
    /// Its earliest `lead.created`.
    pub(crate) created: Option<Created>,
    pub(crate) created_at: Micros,
    pub(crate) created_day: Day,
    /// The rep of its last `lead.assigned`.
    pub(crate) assignee: Option<u32>,
    /// When that was.
    pub(crate) assigned_at: Micros,
    pub(crate) answered_at: Option<Micros>,
    /// First `lead.responded`.
    responded_at: Option<Micros>,
    /// The row of each rep's first touch before that, with whose and when: who has the lead at last has answered it with
    /// theirs.
    pub(super) touches: Vec<(usize, u32, Micros)>,
    pub(crate) qualified_at: Option<Micros>,
    pub(crate) converted_at: Option<Micros>,
    /// First `lead.lost` or `lead.disqualified`.
    pub(crate) ended_at: Option<Micros>,
    pub(crate) disqualified: bool,
    pub(crate) followed_7d: bool,
    /// Rows of its events of the last [`RECENT_DAYS`], for its activity.
    pub(crate) recent: Vec<usize>,
    /// Of its last touch or `lead.…` event.
    pub(crate) last_day: Day,
}

/// The codes of a lead's life.
#[derive(Debug)]
struct Codes {
    created: Option<EventCode>,
    assigned: Option<EventCode>,
    responded: Option<EventCode>,
    qualified: Option<EventCode>,
    disqualified: Option<EventCode>,
    converted: Option<EventCode>,
    lost: Option<EventCode>,
}

impl Codes {
    fn new(catalogue: &Catalogue) -> Self {
        let code = |name: &str| catalogue.get(name).map(|(code, _)| code);
        Self {
            created: code("lead.created"),
            assigned: code("lead.assigned"),
            responded: code("lead.responded"),
            qualified: code("lead.qualified"),
            disqualified: code("lead.disqualified"),
            converted: code("lead.converted"),
            lost: code("lead.lost"),
        }
    }
}

/// Folds the facts up to the end of `as_of` into the state of every lead, by lead number.
pub(crate) fn leads(facts: &Facts, catalogue: &Catalogue, as_of: Day) -> Vec<Lead> {
    let mut leads: Vec<Lead> = (0..facts.leads.len()).map(|number| facts.leads_then.then(number)).collect();
    let of_leads = |row: &usize| facts.rows[*row].lead != NONE;
    let rows = (0..facts.rows.len()).filter(of_leads);
    fold(facts, &rows, (&mut leads, at), catalogue, as_of);
    leads
}

/// Folds one lead from the rows of its facts, in their order.
pub(crate) fn lead(facts: &Facts, number: usize, rows: &[usize], catalogue: &Catalogue, as_of: Day) -> Lead {
    let mut lead = facts.leads_then.then(number);
    fold(facts, &rows.iter().copied(), (std::slice::from_mut(&mut lead), |_| 0), catalogue, as_of);
    lead
}

/// Folds facts that name leads into `leads`, in which `place` says where a lead's number is.
fn fold(
    facts: &Facts,
    rows: &(impl Iterator<Item = usize> + Clone),
    (leads, place): (&mut [Lead], impl Fn(u32) -> usize),
    catalogue: &Catalogue,
    as_of: Day,
) {
    let codes = Codes::new(catalogue);
    let known = |row: &usize| facts.rows[*row].day <= as_of;
    let rows =
        || rows.clone().filter(known).map(|row| (row, &facts.rows[row])).filter(|(_, fact)| fact.state);
    for (row, fact) in rows().filter(|(_, fact)| fact.fresh) {
        let lead = &mut leads[place(fact.lead)];
        if catalogue.model(fact.code).is_some_and(keeps_alive) {
            lead.last_day = fact.day;
        }
        if Some(fact.code) == codes.created && lead.created.is_none() {
            let created = Some(Created::Fact(row));
            (lead.created, lead.created_at, lead.created_day) = (created, fact.time, fact.day);
        } else if Some(fact.code) == codes.assigned && fact.rep != NONE {
            (lead.assignee, lead.assigned_at) = (Some(fact.rep), fact.time);
        }
    }
    for (row, fact) in rows() {
        let flags = catalogue.model(fact.code).map_or(Flags::NONE, |model| model.flags);
        let lead = &mut leads[place(fact.lead)];
        if lead.created.is_none() || fact.time < lead.created_at {
            continue;
        }
        // A touch after the answer answers nothing, whoever has the lead.
        let answered = lead.responded_at.is_some_and(|at| at <= fact.time);
        let met = || lead.touches.iter().any(|(_, rep, _)| *rep == fact.rep);
        if flags.contains(Flags::TOUCH) && fact.rep != NONE && !answered && !met() {
            lead.touches.push((row, fact.rep, fact.time));
        }
        if fact.fresh {
            follow(lead, fact, flags, &codes);
        }
        if fact.day > as_of - RECENT_DAYS && Some(fact.code) != codes.assigned {
            lead.recent.push(row);
        }
    }
    for lead in leads {
        let touch = lead.touches.iter().find(|(_, rep, _)| Some(*rep) == lead.assignee);
        lead.answered_at = lead.responded_at.into_iter().chain(touch.map(|(.., time)| *time)).min();
    }
}

/// Whether a lead that nothing else happens to stays open for a while after such an event.
pub(super) fn keeps_alive(model: &Model) -> bool {
    model.flags.contains(Flags::TOUCH) || model.code.starts_with("lead.")
}

/// What one event after the creation does to a lead.
fn follow(lead: &mut Lead, fact: &Fact, flags: Flags, codes: &Codes) {
    let code = Some(fact.code);
    if code == codes.responded {
        lead.responded_at = lead.responded_at.or(Some(fact.time));
    }
    if flags.contains(Flags::EFFECTIVE_TOUCH) && fact.time < lead.created_at + 7 * DAY {
        lead.followed_7d = true;
    }
    if code == codes.qualified {
        lead.qualified_at = lead.qualified_at.or(Some(fact.time));
    } else if code == codes.converted {
        lead.converted_at = lead.converted_at.or(Some(fact.time));
    } else if code == codes.lost || code == codes.disqualified {
        lead.ended_at = lead.ended_at.or(Some(fact.time));
        lead.disqualified |= code == codes.disqualified;
    }
}

impl Lead {
    /// One of which nothing is known.
    fn unknown() -> Self {
        Self { last_day: Day::MIN, ..Self::default() }
    }

    /// Whether the lead was created in the `days` days that end with `as_of`.
    pub(crate) fn created_within(&self, as_of: Day, days: Day) -> bool {
        self.created.is_some() && self.created_day > as_of - days && self.created_day <= as_of
    }

    /// Whether the lead is neither converted nor ended, and was touched or moved lately.
    pub(crate) fn is_open(&self, as_of: Day) -> bool {
        self.created.is_some()
            && self.converted_at.is_none()
            && self.ended_at.is_none()
            && self.last_day > as_of - OPEN_LEAD_DAYS
    }

    /// Whole seconds from creation to answer.
    pub(crate) fn response_seconds(&self) -> Option<i64> {
        self.answered_at.map(|answered| (answered - self.created_at).div_euclid(SECOND))
    }

    /// Whether the answer came within the SLA; null while there is still time.
    pub(crate) fn sla_met(&self, end: Micros, settings: &settings::Lead) -> Option<bool> {
        let sla = settings.sla_seconds * SECOND;
        match self.answered_at {
            Some(answered) => Some(answered - self.created_at <= sla),
            None => (end - self.created_at > sla).then_some(false),
        }
    }

    /// Whether nobody had answered when escalation was due.
    pub(crate) fn escalated(&self, end: Micros, settings: &settings::Lead) -> bool {
        let due = settings.escalation_seconds * SECOND;
        match self.answered_at {
            Some(answered) => answered - self.created_at > due,
            None => end - self.created_at >= due,
        }
    }

    /// The last stage reached.
    pub(crate) fn stage(&self) -> &'static str {
        match (self.converted_at, self.ended_at, self.qualified_at, self.answered_at) {
            (Some(_), ..) => "converted",
            (_, Some(_), ..) if self.disqualified => "disqualified",
            (_, Some(_), ..) => "lost",
            (_, _, Some(_), _) => "qualified",
            (_, _, _, Some(_)) => "responded",
            _ => "created",
        }
    }

    /// The times at which the stages created, responded, qualified, converted were entered.
    pub(crate) fn stage_times(&self) -> [Option<Micros>; 4] {
        [self.created.map(|_| self.created_at), self.answered_at, self.qualified_at, self.converted_at]
    }
}

/// A lead's quality: information completeness, behaviour activity, urgency, each 0–1, and the MQL verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quality {
    pub(crate) completeness: f64,
    pub(crate) activity: f64,
    pub(crate) urgency: f64,
    pub(crate) mql: bool,
}

/// Codes whose presence in the last 7 days makes a lead urgent.
const URGENT: [&str; 5] = [
    "web.pricing_viewed",
    "web.form_submitted",
    "budget.confirmed",
    "decision_maker.identified",
    "quote.sent",
];

/// The quality of a lead at `end`.
///
/// Completeness is the share of the standard's attributes that `lead.created` carries. Activity is a / (a + half),
/// with a = Σ 0.5^(age / half-life) over its events of the last 30 days. Urgency is the share of the last seven days,
/// counted from the newest urgent event; 0 without one.
pub(crate) fn quality(
    lead: &Lead,
    facts: &Facts,
    catalogue: &Catalogue,
    settings: &settings::Lead,
    zone: &Zone,
    as_of: Day,
) -> Quality {
    let end = zone.end(as_of);
    let given = lead.created.map_or(0, |created| {
        let present = settings.attributes.iter().filter(|name| facts.attribute(created, name).is_some());
        count(present.count())
    });
    let completeness = real(given) / real(count(settings.attributes.len()).max(1));
    let days_ago = |time: Micros| real(end - time) / real(DAY);
    let (mut decayed, mut urgency) = (0.0_f64, 0.0_f64);
    for &row in &lead.recent {
        let fact = &facts.rows[row];
        decayed += 0.5_f64.powf(days_ago(fact.time) / settings.activity_half_life_days);
        let urgent = catalogue.model(fact.code).is_some_and(|model| URGENT.contains(&model.code.as_str()));
        if urgent {
            urgency = urgency.max(1.0 - days_ago(fact.time) / 7.0);
        }
    }
    let activity = decayed / (decayed + settings.activity_half);
    let [complete, active, urgent] = settings.mql;
    let mql = completeness >= complete && activity >= active && urgency >= urgent;
    Quality { completeness, activity, urgency, mql }
}
