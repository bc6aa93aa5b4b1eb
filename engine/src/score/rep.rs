//! A rep's record with leads so far: what came of them, how fast they were answered, how many are open.

use rustc_hash::FxHashMap;

use crate::measure::lead::Lead;
use crate::measure::{ratio, real};
use crate::settings;
use crate::time::{Day, Micros, SECOND};

/// Days of creation that a record looks back on.
const RECORD_DAYS: Day = 90;
/// Ended leads that the company's share counts as, in each rep's.
const PRIOR_LEADS: f64 = 10.0;

/// Leads of the last 90 days, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    ended: i64,
    converted: i64,
    judged: i64,
    in_time: i64,
}

impl Counts {
    fn add(&mut self, lead: &Lead, (settings, end): (&settings::Lead, Micros), times: i64) {
        let converted = lead.converted_at.is_some();
        self.ended += times * i64::from(converted || lead.ended_at.is_some());
        self.converted += times * i64::from(converted);
        if let Some(met) = lead.sla_met(end, settings) {
            self.judged += times;
            self.in_time += times * i64::from(met);
        }
    }
}

/// What a rep did with the leads of the last 90 days that are now in the rep's hands.
///
/// Counts and a median: leads come in no fixed order, so floats must not be added up, and one of them can be taken out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    counts: Counts,
    /// Seconds until each answer, rising.
    seconds: Vec<i64>,
    pub(super) open: i64,
}

/// The records of all reps as of a day.
#[derive(Debug)]
pub(crate) struct Records {
    by_rep: FxHashMap<u32, Record>,
    company: Counts,
    as_of: Day,
    end: Micros,
}

impl Records {
    /// From the leads as of `as_of`, which ends at `end`.
    pub(crate) fn new(leads: &[Lead], settings: &settings::Lead, as_of: Day, end: Micros) -> Self {
        let mut records = Self { by_rep: FxHashMap::default(), company: Counts::default(), as_of, end };
        for lead in leads {
            records.count(lead, settings, 1);
            if let (Some(rep), Some(seconds)) = (lead.assignee, records.answer(lead)) {
                records.by_rep.entry(rep).or_default().seconds.push(seconds);
            }
        }
        records.by_rep.values_mut().for_each(|record| record.seconds.sort_unstable());
        records
    }

    /// Takes one lead as it was out, and as it is now in. Returns whether what all reps' records lean on changed.
    pub(crate) fn change(&mut self, old: &Lead, new: &Lead, settings: &settings::Lead) -> bool {
        let company = self.company;
        for (lead, times) in [(old, -1), (new, 1)] {
            self.count(lead, settings, times);
            let (Some(rep), Some(seconds)) = (lead.assignee, self.answer(lead)) else { continue };
            let all = &mut self.by_rep.entry(rep).or_default().seconds;
            let place = all.partition_point(|other| *other < seconds);
            if times > 0 {
                all.insert(place, seconds);
            } else if all.get(place) == Some(&seconds) {
                all.remove(place);
            }
        }
        self.company != company
    }

    /// Counts a lead so many `times`: 1 puts it in, −1 takes it out.
    fn count(&mut self, lead: &Lead, settings: &settings::Lead, times: i64) {
        let Some(rep) = lead.assignee else { return };
        let record = self.by_rep.entry(rep).or_default();
        record.open += times * i64::from(lead.is_open(self.as_of));
        if lead.created_within(self.as_of, RECORD_DAYS) {
            record.counts.add(lead, (settings, self.end), times);
            self.company.add(lead, (settings, self.end), times);
        }
    }

    /// Seconds until the answer to a lead that counts.
    fn answer(&self, lead: &Lead) -> Option<i64> {
        let answered = lead.answered_at.filter(|_| lead.created_within(self.as_of, RECORD_DAYS))?;
        Some((answered - lead.created_at).max(0) / SECOND)
    }

    pub(crate) fn of(&self, rep: Option<u32>) -> Option<&Record> {
        self.by_rep.get(&rep?)
    }

    /// Share of a rep's ended leads that converted, drawn towards the company's; NaN where none has ended.
    pub(super) fn conversion(&self, record: &Record) -> f64 {
        let Some(company) = ratio(self.company.converted, self.company.ended) else { return f64::NAN };
        (real(record.counts.converted) + PRIOR_LEADS * company) / (real(record.counts.ended) + PRIOR_LEADS)
    }

    /// Share of a rep's leads answered within the SLA, likewise.
    pub(super) fn in_time(&self, record: &Record) -> f64 {
        let Some(company) = ratio(self.company.in_time, self.company.judged) else { return f64::NAN };
        (real(record.counts.in_time) + PRIOR_LEADS * company) / (real(record.counts.judged) + PRIOR_LEADS)
    }
}

impl Record {
    /// Median of the hours until an answer; NaN where nothing was answered.
    pub(super) fn response_hours(&self) -> f64 {
        self.seconds.get(self.seconds.len() / 2).map_or(f64::NAN, |seconds| real(*seconds) / 3_600.0)
    }
}
