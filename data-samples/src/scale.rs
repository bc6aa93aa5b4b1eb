//! What a generated world is made of: its size, its days, and how dirty its files are.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::Serialize;

use crate::error::GenerateError;

/// The parameters of a world. The same parameters give the same bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Scale {
    /// Seed of every draw.
    pub seed: u64,
    /// Reps with a quota, those who join or leave in the period included (1 to 1,000,000).
    pub reps: u32,
    /// Customers, those created in the period included (1 to 50,000,000).
    pub customers: u32,
    /// Leads over the whole period; 0 = as many as suit the reps, the days and `events_per_day`.
    pub leads: u32,
    /// Days generated (1 to 3,660).
    pub days: u32,
    /// Mean of the distinct, good behaviour events a day (1 to 50,000,000). Working days have more, others
    /// fewer. Duplicates and bad records come on top.
    pub events_per_day: u64,
    /// The last day generated (between 2001 and 2098).
    pub end: NaiveDate,
    /// Business time zone: days, business hours and the offset of written timestamps.
    #[serde(serialize_with = "zone_name")]
    pub timezone: Tz,
    /// Days of market-factor observations before the first day (0 to 3,660).
    pub market_history_days: u32,
    /// How dirty the behaviour files are.
    pub dirt: Dirt,
}

/// Shares of the good behaviour events that come with each kind of dirt. An event has at most one kind,
/// besides being out of order.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dirt {
    /// Exact copies: the same bytes once more.
    pub duplicates: f64,
    /// Of those, the share that arrives a day later instead of the same day.
    pub duplicates_next_day: f64,
    /// Copies with the same `event_id` on the same day, and another content; the original is the one to keep.
    pub conflicts: f64,
    /// Ordinary events of which the `event_id` is used again on the next day.
    pub reused_ids: f64,
    /// Events that arrive 1 to `late_days_max` days late.
    pub late: f64,
    /// The largest lateness, in days (at least 1).
    pub late_days_max: u32,
    /// Records moved back within their file, by up to `reorder_minutes_max`.
    pub reordered: f64,
    /// The largest displacement, in minutes of event time.
    pub reorder_minutes_max: u32,
    /// Extra records that break the contract, in every way the format can express.
    pub bad: f64,
    /// Extra records more than a day ahead of their arrival.
    pub future: f64,
    /// Ordinary events of a rep or a customer that the CRM does not know.
    pub unknown_entities: f64,
}

impl Default for Dirt {
    fn default() -> Self {
        Self {
            duplicates: 0.005,
            duplicates_next_day: 0.3,
            conflicts: 0.000_2,
            reused_ids: 0.000_02,
            late: 0.01,
            late_days_max: 5,
            reordered: 0.02,
            reorder_minutes_max: 30,
            bad: 0.000_5,
            future: 0.000_05,
            unknown_entities: 0.000_5,
        }
    }
}

impl Dirt {
    /// No dirt at all: every event once, on its day, in order of time.
    pub const fn none() -> Self {
        Self {
            duplicates: 0.0,
            duplicates_next_day: 0.0,
            conflicts: 0.0,
            reused_ids: 0.0,
            late: 0.0,
            late_days_max: 1,
            reordered: 0.0,
            reorder_minutes_max: 0,
            bad: 0.0,
            future: 0.0,
            unknown_entities: 0.0,
        }
    }
}

impl Default for Scale {
    /// A small company: 200 reps, 5,000 customers, 90 days of 10,000 events.
    fn default() -> Self {
        Self {
            seed: 1,
            reps: 200,
            customers: 5_000,
            leads: 0,
            days: 90,
            events_per_day: 10_000,
            end: NaiveDate::from_ymd_opt(2026, 3, 31).unwrap_or(NaiveDate::MIN),
            timezone: chrono_tz::Asia::Shanghai,
            market_history_days: 365,
            dirt: Dirt::default(),
        }
    }
}

impl Scale {
    /// The first day generated.
    pub fn start(&self) -> NaiveDate {
        let back = u64::from(self.days.max(1) - 1);
        self.end.checked_sub_days(chrono::Days::new(back)).unwrap_or(NaiveDate::MIN)
    }

    /// Says whether every parameter is in its range.
    ///
    /// # Errors
    /// [`GenerateError::Scale`] for the first that is not.
    pub fn check(&self) -> Result<(), GenerateError> {
        let dirt = &self.dirt;
        let shares = [
            dirt.duplicates,
            dirt.conflicts,
            dirt.reused_ids,
            dirt.late,
            dirt.bad,
            dirt.future,
            dirt.unknown_entities,
        ];
        let share = |x: &f64| (0.0..=1.0).contains(x);
        let rules = [
            ("reps", (1..=1_000_000).contains(&self.reps), "between 1 and 1,000,000"),
            ("customers", (1..=50_000_000).contains(&self.customers), "between 1 and 50,000,000"),
            ("leads", self.leads <= 50_000_000, "at most 50,000,000"),
            ("days", (1..=3_660).contains(&self.days), "between 1 and 3,660"),
            ("events_per_day", (1..=50_000_000).contains(&self.events_per_day), "between 1 and 50,000,000"),
            ("end", (2001..=2098).contains(&self.end.year()), "between the years 2001 and 2098"),
            ("market_history_days", self.market_history_days <= 3_660, "at most 3,660"),
            ("dirt", shares.iter().all(share), "shares between 0 and 1"),
            ("dirt", shares.iter().sum::<f64>() <= 1.0, "shares that add up to at most 1"),
            ("dirt.duplicates_next_day", share(&dirt.duplicates_next_day), "between 0 and 1"),
            ("dirt.reordered", share(&dirt.reordered), "between 0 and 1"),
            ("dirt.late_days_max", (1..=365).contains(&dirt.late_days_max), "between 1 and 365"),
            ("dirt.reorder_minutes_max", dirt.reorder_minutes_max <= 1_440, "at most 1,440"),
        ];
        match rules.iter().find(|(_, holds, _)| !holds) {
            Some(&(field, _, expected)) => Err(GenerateError::Scale { field, expected }),
            None => Ok(()),
        }
    }
}

/// The world of `data-samples/sample`: 12 reps, 120 customers, 45 days of 200 events, with more dirt than usual
/// so that a few days show every kind.
pub fn sample_scale() -> Scale {
    Scale {
        seed: 20_260_105,
        reps: 12,
        customers: 120,
        days: 45,
        events_per_day: 200,
        end: NaiveDate::from_ymd_opt(2026, 2, 14).unwrap_or(NaiveDate::MIN),
        market_history_days: 15,
        dirt: Dirt {
            duplicates: 0.01,
            conflicts: 0.002,
            reused_ids: 0.001,
            late: 0.02,
            bad: 0.01,
            future: 0.002,
            unknown_entities: 0.004,
            ..Dirt::default()
        },
        ..Scale::default()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn zone_name<S: serde::Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}
