//! Customers who order again, or don't: how probable an order is in the next thirty days, and how many are to be expected
//! in three years.
//!
//! Nobody says when a customer is gone. What can be seen is whether one orders within a step of thirty days, and that is a
//! logistic regression (linfa-logistic) on rows of one customer and one look:
//!
//! ```text
//! logit p = b + s(recency) + s(interval) + s(recency ÷ interval) + v · ln orders + u · ln(1 + tenure) + w_segment
//! ```
//!
//! `s` is a line between weights at fixed places, even in ln(1 + x); the interval is the customer's own median, and where there is none its terms are 0 but for a
//! level of their own. The years ahead follow step by step (`Survival::orders_ahead`): with an order the recency starts
//! anew in the middle of the step, without one it grows by a step, and with it the chance falls. So whoever stays away is
//! gone bit by bit, without a day on which that happens.

mod ahead;
mod algorithm;

use serde::{Deserialize, Serialize};

pub use algorithm::{ROWS_MAX, fit};

/// Days of a step.
pub const STEP_DAYS: f64 = 30.0;

/// Customers who have ordered, a row per customer and look.
#[derive(Debug, Clone, Copy)]
pub struct Customers<'a> {
    /// Days since the last order.
    pub recency_days: &'a [f64],
    /// Median days between orders; NaN where there is one order only.
    pub interval_days: &'a [f64],
    /// Orders of the last 365 days, 1 or more.
    pub orders: &'a [f64],
    /// Days since the first order.
    pub tenure_days: &'a [f64],
    /// Positions in `segments`; others are none.
    pub segment: &'a [u32],
    /// The names of segments.
    pub segments: &'a [String],
}

/// What came of each row within a step.
#[derive(Debug, Clone, Copy)]
pub struct Came<'a> {
    /// Whether there was an order.
    pub ordered: &'a [bool],
    /// How many orders there were.
    pub orders: &'a [f64],
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survival {
    intercept: f64,
    /// By column, see [`Survival::columns`].
    slopes: Vec<f64>,
    segments: Vec<String>,
    /// The longest silence that was seen: a longer one is as this.
    recency_max: f64,
    /// By how much more is ordered in a step with an order than the interval says.
    orders_scale: f64,
    /// The penalty that validation chose.
    pub penalty: f64,
}

/// Where the terms have their weights: days, and for the last recency ÷ interval. Beyond the ends they stay as there.
const RECENCY: [f64; 8] = [0.0, 3.0, 7.0, 14.0, 30.0, 60.0, 120.0, 240.0];
const INTERVAL: [f64; 6] = [3.0, 7.0, 15.0, 30.0, 60.0, 120.0];
const RATIO: [f64; 8] = [0.0, 0.3, 0.6, 0.9, 1.3, 2.0, 3.0, 6.0];
/// Columns beside those of segments: the three terms, the level of no interval, orders, tenure.
const COLUMNS: usize = RECENCY.len() + INTERVAL.len() + RATIO.len() + 3;
/// What brings ln orders and ln(1 + tenure) to about 1.
const ORDERS_SCALE: f64 = 3.0;
const TENURE_SCALE: f64 = 6.0;

/// The row of a customer, as far as it changes with time or not.
#[derive(Debug, Clone, Copy)]
struct Customer {
    recency: f64,
    interval: f64,
    orders: f64,
    tenure: f64,
    /// Position among the model's segments.
    segment: Option<usize>,
}

impl Survival {
    /// The names of the columns, in order.
    pub fn columns(&self) -> Vec<String> {
        let line =
            |name: &str, places: &[f64]| places.iter().map(|at| format!("{name} {at}")).collect::<Vec<_>>();
        [
            line("recency", &RECENCY),
            line("interval", &INTERVAL),
            line("recency ÷ interval", &RATIO),
            vec!["no interval".to_owned(), "orders".to_owned(), "tenure".to_owned()],
            self.segments.iter().map(|segment| format!("segment {segment}")).collect(),
        ]
        .concat()
    }

    /// Whether all parts fit each other; one that was read from elsewhere may have been cut or edited.
    pub fn is_sound(&self) -> bool {
        let numbers = [self.intercept, self.recency_max, self.orders_scale, self.penalty];
        self.slopes.len() == COLUMNS + self.segments.len()
            && self.slopes.iter().chain(&numbers).all(|number| number.is_finite())
            && self.recency_max >= 0.0
            && self.orders_scale > 0.0
    }

    /// The weights, by column.
    pub fn weights(&self) -> (f64, &[f64]) {
        (self.intercept, &self.slopes)
    }

    /// The chance of an order within a step, by row.
    pub fn p_order(&self, customers: &Customers<'_>) -> Vec<f64> {
        let segments = self.positions(customers);
        let rows = 0..customers.recency_days.len();
        rows.map(|row| crate::tabular::sigmoid(self.margin(&customer(customers, row, &segments)))).collect()
    }

    /// Where each segment of some customers is among the model's.
    fn positions(&self, customers: &Customers<'_>) -> Vec<Option<usize>> {
        let place = |name: &String| self.segments.iter().position(|known| known == name);
        customers.segments.iter().map(place).collect()
    }

    fn margin(&self, customer: &Customer) -> f64 {
        let recency = customer.recency.min(self.recency_max);
        let values = values(&Customer { recency, ..*customer });
        let sum: f64 = values.iter().zip(&self.slopes).map(|(value, slope)| value * slope).sum();
        let segment = customer.segment.and_then(|segment| self.slopes.get(COLUMNS + segment));
        self.intercept + sum + segment.copied().unwrap_or(0.0)
    }
}

fn customer(of: &Customers<'_>, row: usize, segments: &[Option<usize>]) -> Customer {
    let segment =
        usize::try_from(of.segment[row]).ok().and_then(|place| segments.get(place).copied().flatten());
    Customer {
        recency: of.recency_days[row].max(0.0),
        interval: of.interval_days[row],
        orders: of.orders[row],
        tenure: of.tenure_days[row],
        segment,
    }
}

/// The columns of a customer but those of segments.
fn values(customer: &Customer) -> [f64; COLUMNS] {
    let known = !customer.interval.is_nan();
    let interval = if known { customer.interval.max(1.0) } else { 1.0 };
    let ratio = customer.recency / interval;
    let mut values = [0.0; COLUMNS];
    let (recencies, rest) = values.split_at_mut(RECENCY.len());
    let (intervals, rest) = rest.split_at_mut(INTERVAL.len());
    let (ratios, rest) = rest.split_at_mut(RATIO.len());
    between(customer.recency, &RECENCY, recencies);
    if known {
        between(interval, &INTERVAL, intervals);
        between(ratio, &RATIO, ratios);
    }
    rest[0] = f64::from(u8::from(!known));
    rest[1] = customer.orders.max(1.0).ln() / ORDERS_SCALE;
    rest[2] = customer.tenure.max(0.0).ln_1p() / TENURE_SCALE;
    values
}

/// How near a value is to each of the two places that it lies between: shares that add up to 1.
fn between(value: f64, places: &[f64], shares: &mut [f64]) {
    let after = places.partition_point(|&place| place <= value);
    let (Some(&low), Some(&high)) = (places.get(after.wrapping_sub(1)), places.get(after)) else {
        shares[after.saturating_sub(1)] = 1.0;
        return;
    };
    let share = (value.ln_1p() - low.ln_1p()) / (high.ln_1p() - low.ln_1p());
    (shares[after - 1], shares[after]) = (1.0 - share, share);
}

#[cfg(test)]
mod tests;
