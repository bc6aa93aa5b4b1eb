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

/// What a rep did with the leads of the last 90 days that are now in the rep's hands.
///
/// Counts and a median: leads come in no fixed order, so floats must not be added up.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    ended: i64,
    converted: i64,
    judged: i64,
    in_time: i64,
    /// Seconds until each answer.
    seconds: Vec<i64>,
    pub(super) open: i64,
}

/// The records of all reps as of a day.
#[derive(Debug)]
pub(super) struct Records {
    by_rep: FxHashMap<u32, Record>,
    company: Record,
}

impl Records {
    /// From the leads as of `as_of`, which ends at `end`.
    pub(super) fn new(leads: &[Lead], settings: &settings::Lead, as_of: Day, end: Micros) -> Self {
        let mut records = Self { by_rep: FxHashMap::default(), company: Record::default() };
        for lead in leads {
            let Some(rep) = lead.assignee else { continue };
            let record = records.by_rep.entry(rep).or_default();
            record.open += i64::from(lead.is_open(as_of));
            if lead.created_within(as_of, RECORD_DAYS) {
                record.add(lead, settings, end);
                records.company.add(lead, settings, end);
            }
        }
        records.by_rep.values_mut().for_each(|record| record.seconds.sort_unstable());
        records
    }

    pub(super) fn of(&self, rep: Option<u32>) -> Option<&Record> {
        self.by_rep.get(&rep?)
    }

    /// Share of a rep's ended leads that converted, drawn towards the company's; NaN where none has ended.
    pub(super) fn conversion(&self, record: &Record) -> f64 {
        let Some(company) = ratio(self.company.converted, self.company.ended) else { return f64::NAN };
        (real(record.converted) + PRIOR_LEADS * company) / (real(record.ended) + PRIOR_LEADS)
    }

    /// Share of a rep's leads answered within the SLA, likewise.
    pub(super) fn in_time(&self, record: &Record) -> f64 {
        let Some(company) = ratio(self.company.in_time, self.company.judged) else { return f64::NAN };
        (real(record.in_time) + PRIOR_LEADS * company) / (real(record.judged) + PRIOR_LEADS)
    }
}

impl Record {
    fn add(&mut self, lead: &Lead, settings: &settings::Lead, end: Micros) {
        let converted = lead.converted_at.is_some();
        self.ended += i64::from(converted || lead.ended_at.is_some());
        self.converted += i64::from(converted);
        if let Some(met) = lead.sla_met(end, settings) {
            self.judged += 1;
            self.in_time += i64::from(met);
        }
        if let Some(answered) = lead.answered_at {
            self.seconds.push((answered - lead.created_at).max(0) / SECOND);
        }
    }

    /// Median of the hours until an answer; NaN where nothing was answered.
    pub(super) fn response_hours(&self) -> f64 {
        self.seconds.get(self.seconds.len() / 2).map_or(f64::NAN, |seconds| real(*seconds) / 3_600.0)
    }
}
