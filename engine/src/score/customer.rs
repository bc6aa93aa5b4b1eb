//! The cases of customers who have ordered: what a model may know of them at the end of a day, and nothing later.
//!
//! | column | what |
//! |---|---|
//! | `recency_days` | since the last order |
//! | `interval_days` | the customer's own repurchase interval; missing with one order |
//! | `orders` | of the last 365 days |
//! | `tenure_days` | since the first order ever |
//! | `segment` | in force on the day |

use super::cases::{Cases, Growing};
use super::{HORIZON_DAYS, TrainingRequest};
use crate::entity::{Versions, customers_in_force, segments};
use crate::error::Result;
use crate::lake::Lake;
use crate::measure::at;
use crate::measure::customer::{life_stage, repurchase_interval};
use crate::tile::Tiles;
use crate::time::Day;
use crate::window::{ORDER_DAYS, OrderDay, all_orders};

/// Rows that training makes, at most: of more customers, every n-th by id is looked at.
const ROWS_MAX: usize = 400_000;

/// Customers as they stood at the end of past days, in the order of (day, customer id).
#[derive(Debug, Default)]
pub struct CustomerRows {
    /// What was known of each then.
    pub cases: Cases,
    /// The day of each case.
    pub days: Vec<Day>,
    /// The stage of life that the rule says, then.
    pub stages: Vec<&'static str>,
    /// Orders in the [`HORIZON_DAYS`] after that day.
    pub orders: Vec<f64>,
    /// Customers looked at on later days, whose time is not over: left out.
    pub censored: usize,
}

/// What a model says of customers, by their place among the measures; none for those who haven't ordered in a year.
#[derive(Debug)]
pub(crate) struct ScoredCustomers {
    pub(crate) model_id: String,
    /// The chance of an order within [`HORIZON_DAYS`].
    pub(crate) p_order: Vec<Option<f64>>,
    /// Orders expected in three years.
    pub(crate) orders_ahead: Vec<Option<f64>>,
}

/// Adds a customer's case as of a day; false for one who hasn't ordered in the last 365.
pub(crate) fn case(
    growing: &mut Growing,
    (days, first): (&[OrderDay], Option<Day>),
    segment: Option<&str>,
    as_of: Day,
) -> bool {
    let (Some(last), Some(first)) = (days.last(), first) else { return false };
    let orders: i32 = days.iter().map(|day| day.orders).sum();
    growing.number("recency_days", f64::from(as_of - last.day));
    growing.number("interval_days", repurchase_interval(days).unwrap_or(f64::NAN));
    growing.number("orders", f64::from(orders));
    growing.number("tenure_days", f64::from(as_of - first));
    growing.text("segment", segment);
    growing.end_row();
    true
}

/// The rows of the looks.
pub(super) fn customer_rows(
    lake: &Lake,
    tiles: &Tiles,
    versions: &Versions,
    looks: &[Day],
    request: TrainingRequest<'_>,
) -> Result<CustomerRows> {
    let TrainingRequest { as_of, step_days, settings, .. } = request;
    let history = all_orders(tiles, as_of)?;
    let mut keys: Vec<u32> =
        (0_u32..).take(tiles.keys.len()).filter(|key| history.first_order(at(*key)).is_some()).collect();
    tiles.keys.sort_by_id(&mut keys);
    let every = (keys.len() * looks.len()).div_ceil(ROWS_MAX).max(1);
    let keys: Vec<u32> = keys.into_iter().step_by(every).collect();
    let mut rows = CustomerRows::default();
    let (mut growing, mut room) = (Growing::default(), Vec::new());
    for &day in looks {
        let places = customers_in_force(versions, &tiles.keys, lake.zone().end(day))?;
        let (names, segment) = segments(versions, &places);
        for &key in keys.iter().filter(|key| places[at(**key)].is_some()) {
            let all = history.of(at(key), &mut room);
            let year = year_of(all, day);
            let first = history.first_order(at(key)).filter(|first| *first <= day);
            let segment = segment[at(key)].and_then(|segment| names.get(at(segment))).map(String::as_str);
            if case(&mut growing, (year, first), segment, day) {
                rows.days.push(day);
                let interval = repurchase_interval(year);
                rows.stages.push(life_stage(year, first, interval, &settings.lifecycle, day).as_str());
                rows.orders.push(f64::from(orders_after(all, day)));
            }
        }
    }
    rows.cases = growing.finish();
    let later = (as_of - HORIZON_DAYS + 1..=as_of).rev().step_by(usize::try_from(step_days).unwrap_or(1));
    rows.censored = later
        .map(|day| {
            let ordered = |key: &&u32| !year_of(history.of(at(**key), &mut room), day).is_empty();
            keys.iter().filter(ordered).count()
        })
        .sum();
    Ok(rows)
}

/// The days with orders of the 365 that end with `day`.
fn year_of(all: &[OrderDay], day: Day) -> &[OrderDay] {
    let from = all.partition_point(|order| order.day <= day - ORDER_DAYS);
    let to = all.partition_point(|order| order.day <= day);
    &all[from..to]
}

/// The orders of the time that a case asks about.
fn orders_after(all: &[OrderDay], day: Day) -> i32 {
    let within = |order: &&OrderDay| order.day > day && order.day <= day + HORIZON_DAYS;
    all.iter().filter(within).map(|order| order.orders).sum()
}
