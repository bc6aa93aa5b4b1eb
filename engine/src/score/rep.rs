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
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Record {
    ended: i64,
    converted: i64,
    judged: i64,
    in_time: i64,
    answered: i64,
    log_seconds: f64,
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
        records
    }

    pub(super) fn of(&self, rep: Option<u32>) -> Record {
        rep.and_then(|rep| self.by_rep.get(&rep)).copied().unwrap_or_default()
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
            self.answered += 1;
            self.log_seconds += real((answered - lead.created_at).max(SECOND) / SECOND).ln();
        }
    }

    /// Geometric mean of the hours until an answer; NaN where nothing was answered.
    pub(super) fn response_hours(&self) -> f64 {
        if self.answered == 0 { f64::NAN } else { (self.log_seconds / real(self.answered)).exp() / 3_600.0 }
    }
}
