//! The cases of leads that are open at the end of a day: what a model may know of them then, and nothing later.
//!
//! | column | what |
//! |---|---|
//! | `age_days`, `stage`, `stage_days` | since its creation; created, responded or qualified; since it got there |
//! | `response_hours`, `sla` | until its first answer; met, missed, open |
//! | `quiet_days`, `busiest_day`, `touches`, `effective_touches` | of its events of the last 30 days |
//! | `completeness`, `urgency` | as in `mart.lead` |
//! | `region_id`, `created_weekday`, `created_hour` | its creation's, the region else its rep's |
//! | `rep_conversion`, `rep_in_time`, `rep_response_hours`, `rep_open_leads` | its rep's record (see `rep`) |
//! | attributes, `CODE (half-life N d)` | as [`LeadFeatures`] says |

use super::attribute::number;
use super::cases::{Cases, Growing};
use super::decay::Counter;
use super::rep::{Record, Records};
use super::{Form, LeadFeatures, LeadScores};
use crate::catalogue::{Catalogue, Flags};
use crate::entity::Crm;
use crate::measure::facts::Facts;
use crate::measure::lead::{Lead, quality};
use crate::measure::{at, count, real};
use crate::settings;
use crate::time::{DAY, Day, Micros, SECOND, Zone};

/// The region of a rep, by id.
pub(crate) type RegionOf<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What cases are made from, the same for every day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeadInputs<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) settings: &'a settings::Lead,
    pub(crate) zone: &'a Zone,
}

/// Cases of one day after the other.
#[derive(Debug)]
pub(crate) struct LeadCases<'a> {
    inputs: LeadInputs<'a>,
    features: &'a LeadFeatures,
    counter: Counter,
    growing: Growing,
}

impl<'a> LeadCases<'a> {
    pub(crate) fn new(inputs: LeadInputs<'a>, features: &'a LeadFeatures) -> Self {
        let counter = Counter::new(&features.decays, inputs.catalogue);
        Self { inputs, features, counter, growing: Growing::default() }
    }

    /// Adds the leads open at the end of `as_of`, by ascending id, and tells their numbers. `leads` are as of that day.
    pub(crate) fn day(&mut self, leads: &[Lead], region_of: RegionOf<'_>, as_of: Day) -> Vec<u32> {
        let LeadInputs { facts, settings, zone, .. } = self.inputs;
        let records = Records::new(leads, settings, as_of, zone.end(as_of));
        let mut open: Vec<u32> =
            leads.iter().zip(0_u32..).filter(|(lead, _)| lead.is_open(as_of)).map(|(_, n)| n).collect();
        open.sort_unstable_by_key(|&number| facts.leads.get(number));
        let chosen = open.iter().map(|&number| &leads[at(number)]);
        self.add(chosen, (&records, region_of), as_of);
        open
    }

    /// Adds some of the open leads, as of `as_of` like the records.
    pub(crate) fn add<'l>(
        &mut self,
        leads: impl Iterator<Item = &'l Lead>,
        (records, region_of): (&Records, RegionOf<'_>),
        as_of: Day,
    ) {
        let LeadInputs { facts, zone, .. } = self.inputs;
        let end = zone.end(as_of);
        for lead in leads {
            self.state(lead, end);
            self.events(lead, end);
            self.origin(lead, region_of, as_of);
            self.record(lead, records);
            self.attributes(lead);
            for (name, sum) in self.counter.count(facts, &lead.recent, end) {
                self.growing.number(name, sum);
            }
            self.growing.end_row();
        }
    }

    pub(crate) fn finish(self) -> Cases {
        self.growing.finish()
    }

    /// How far it has come.
    fn state(&mut self, lead: &Lead, end: Micros) {
        let days = |since: Micros| real(end - since) / real(DAY);
        let reached = lead.stage_times().into_iter().flatten().max().unwrap_or(lead.created_at);
        self.growing.number("age_days", days(lead.created_at));
        self.growing.text("stage", Some(lead.stage()));
        self.growing.number("stage_days", days(reached));
        let answer = lead.answered_at.map_or(f64::NAN, |at| hours((at - lead.created_at).max(0)));
        self.growing.number("response_hours", answer);
        self.growing.text(
            "sla",
            Some(match lead.sla_met(end, self.inputs.settings) {
                Some(true) => "met",
                Some(false) => "missed",
                None => "open",
            }),
        );
    }

    /// What it did, and what was done to it.
    fn events(&mut self, lead: &Lead, end: Micros) {
        let LeadInputs { facts, catalogue, .. } = self.inputs;
        let events = || lead.recent.iter().map(|&row| &facts.rows[row]);
        let touched = |flag: Flags| {
            let is = |flags: Flags| flags.contains(flag);
            real(count(events().filter(|f| catalogue.model(f.code).is_some_and(|m| is(m.flags))).count()))
        };
        let last = events().map(|fact| fact.time).max();
        // Events of a lead are in the order of time, so those of a day stand together.
        let days: Vec<Day> = events().map(|fact| fact.day).collect();
        let busiest = days.chunk_by(|a, b| a == b).map(<[Day]>::len).max().unwrap_or(0);
        let (all, effective) = (touched(Flags::TOUCH), touched(Flags::EFFECTIVE_TOUCH));
        self.growing.number("quiet_days", last.map_or(f64::NAN, |last| real(end - last) / real(DAY)));
        self.growing.number("busiest_day", real(count(busiest)));
        self.growing.number("touches", all);
        self.growing.number("effective_touches", effective);
    }

    /// Where it comes from.
    fn origin(&mut self, lead: &Lead, region_of: RegionOf<'_>, as_of: Day) {
        let LeadInputs { facts, catalogue, settings, zone } = self.inputs;
        let quality = quality(lead, facts, catalogue, settings, zone, as_of);
        let named = lead.created.and_then(|created| facts.attribute(created, "region_id"));
        let of_rep = || region_of(facts.reps.get(lead.assignee?)?);
        let region = named.map(str::to_owned).or_else(of_rep);
        let since_midnight = lead.created_at - zone.start(lead.created_day);
        self.growing.number("completeness", quality.completeness);
        self.growing.number("urgency", quality.urgency);
        self.growing.text("region_id", region.as_deref());
        self.growing.number("created_weekday", f64::from((lead.created_day + 3).rem_euclid(7)));
        self.growing.number("created_hour", hours(since_midnight).floor());
    }

    /// Whose it is.
    fn record(&mut self, lead: &Lead, records: &Records) {
        let none = Record::default();
        let record = records.of(lead.assignee).unwrap_or(&none);
        self.growing.number("rep_conversion", records.conversion(record));
        self.growing.number("rep_in_time", records.in_time(record));
        self.growing.number("rep_response_hours", record.response_hours());
        self.growing.number("rep_open_leads", real(record.open));
    }

    fn attributes(&mut self, lead: &Lead) {
        let facts = self.inputs.facts;
        for attribute in &self.features.attributes {
            let name = attribute.column();
            let value = lead.created.and_then(|created| facts.attribute(created, &attribute.name));
            match attribute.form {
                Form::Number => self.growing.number(&name, value.and_then(number).unwrap_or(f64::NAN)),
                Form::Presence => self.growing.number(&name, f64::from(u8::from(value.is_some()))),
                Form::Category => self.growing.text(&name, value),
            }
        }
    }
}

fn hours(micros: Micros) -> f64 {
    real(micros / SECOND) / 3_600.0
}

/// Open leads by ascending id, and what a model says of each.
#[derive(Debug)]
pub(crate) struct ScoredLeads {
    pub(crate) model_id: String,
    /// Numbers among the leads.
    pub(crate) numbers: Vec<u32>,
    pub(crate) cases: Cases,
    pub(crate) scores: LeadScores,
}

impl ScoredLeads {
    /// The scores on a scale to 100, with the leads' numbers.
    pub(crate) fn points(&self) -> impl Iterator<Item = (usize, f64)> {
        self.numbers.iter().zip(&self.scores.p_convert).map(|(number, chance)| (at(*number), points(chance)))
    }
}

/// A chance, with its interval, on a scale to 100.
pub(crate) fn points([p, ..]: &[f64; 3]) -> f64 {
    100.0 * p
}

/// The region of a rep of the CRM, by id.
pub(crate) fn region_in(crm: &Crm) -> impl Fn(&str) -> Option<String> {
    |rep| crm.regions.ids.get(crm.reps[crm.rep(rep)?].region?).cloned()
}
