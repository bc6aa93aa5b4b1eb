//! How much of everything happens: the budget of events, and the rates that fit into it.

use crate::number::{real, slot, whole};
use crate::scale::Scale;
use crate::world::calendar::Calendar;

/// Events a rep's leads, opportunities and deals cause on a working day, about.
const LIFE_EVENTS_PER_REP: f64 = 12.0;
const LEADS_PER_REP: f64 = 0.25;
const OPENINGS_PER_REP: f64 = 0.15;
/// Share of customers that order, where the budget allows.
const ORDERING: f64 = 0.8;
/// Largest share of events that may be orders, of which a customer places one in about this many days.
const ORDERS_OF_EVENTS: f64 = 0.08;
const ORDER_INTERVAL_DAYS: f64 = 45.0;
/// Events of a day off against those of a working day.
const DAY_OFF: f64 = 0.35;

/// The rates.
#[derive(Debug)]
pub(crate) struct Pace {
    /// 1, or less where the events asked for are too few for the reps' normal business.
    pub(crate) activity: f64,
    /// Openings of opportunities without a lead, per rep and working day.
    pub(crate) openings: f64,
    /// Leads of the whole period.
    pub(crate) leads: u32,
    /// Leads per rep and working day.
    pub(crate) leads_per_rep: f64,
    /// Share of customers that order.
    pub(crate) ordering: f64,
    /// Share of the period that is over at the end of each day, by events.
    shares: Vec<f64>,
    /// Events of the whole period.
    events: f64,
}

impl Pace {
    pub(crate) fn new(scale: &Scale, calendar: &Calendar) -> Self {
        let days = i32::try_from(scale.days).unwrap_or(1);
        let weight = |day| if calendar.day(day).working { 1.0 } else { DAY_OFF };
        let total: f64 = (0..days).map(weight).sum();
        let mut over = 0.0;
        let shares = (0..days)
            .map(|day| {
                over += weight(day);
                over / total
            })
            .collect();
        let working = f64::from(days_working(calendar, days).max(1));
        let events = real(i64::try_from(scale.events_per_day).unwrap_or(i64::MAX)) * f64::from(days);
        let rep_days = f64::from(scale.reps) * working;
        let activity = (events / (rep_days * LIFE_EVENTS_PER_REP)).min(1.0);
        let leads = match scale.leads {
            0 => u32::try_from(whole(rep_days * LEADS_PER_REP * activity).max(1)).unwrap_or(u32::MAX),
            leads => leads,
        };
        let ordering = ORDERS_OF_EVENTS * events / f64::from(days) * ORDER_INTERVAL_DAYS;
        Self {
            activity,
            openings: OPENINGS_PER_REP * activity,
            leads,
            leads_per_rep: f64::from(leads) / rep_days,
            ordering: (ordering / f64::from(scale.customers)).min(ORDERING),
            shares,
            events,
        }
    }

    /// Events wanted from the first day to the end of `day`.
    pub(crate) fn events_until(&self, day: i32) -> u64 {
        u64::try_from(whole(self.events * self.shares[slot(day)])).unwrap_or(0)
    }

    /// Leads created before the end of `day`; 0 before the first.
    pub(crate) fn leads_until(&self, day: i32) -> u32 {
        if day < 0 {
            return 0;
        }
        u32::try_from(whole(f64::from(self.leads) * self.shares[slot(day)])).unwrap_or(u32::MAX)
    }
}

fn days_working(calendar: &Calendar, days: i32) -> i32 {
    (0..days).map(|day| i32::from(calendar.day(day).working)).sum()
}
