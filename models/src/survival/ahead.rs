//! The years ahead of a customer, step by step.

use rayon::prelude::*;

use super::algorithm::per_step;
use super::{Customer, Customers, STEP_DAYS, Survival, customer};
use crate::tabular::sigmoid;

/// Days of the years looked ahead.
const DAYS_AHEAD: f64 = 1_095.0;
/// Whole steps within them, and one that is cut.
const STEPS: usize = 37;
/// Recency at the end of a step with an order: it came somewhere in it.
const RECENCY_AFTER: f64 = STEP_DAYS / 2.0;

impl Survival {
    /// The orders to be expected in the next three years, by row.
    ///
    /// In each step a customer who last ordered j steps ago orders with the chance of that silence; everything else about
    /// the customer stays as it is.
    pub fn orders_ahead(&self, customers: &Customers<'_>) -> Vec<f64> {
        let segments = self.positions(customers);
        let rows = 0..customers.recency_days.len();
        rows.into_par_iter().map(|row| self.ahead(&customer(customers, row, &segments))).collect()
    }

    fn ahead(&self, customer: &Customer) -> f64 {
        let chance = |recency: f64| sigmoid(self.margin(&Customer { recency, ..*customer }));
        let (mut first, mut after) = ([0.0; STEPS], [0.0; STEPS]);
        let mut silent = 0.0;
        for step in 0..STEPS {
            first[step] = chance(customer.recency + silent);
            after[step] = chance(RECENCY_AFTER + silent);
            silent += STEP_DAYS;
        }
        // Who has not ordered again yet, and of the others how many stood so many steps from their last order.
        let mut waiting = 1.0;
        let mut since = [0.0; STEPS];
        let (mut active, mut left) = (0.0, DAYS_AHEAD);
        for step in 0..STEPS {
            let again: f64 = since[..step].iter().zip(&after).map(|(share, chance)| share * chance).sum();
            let ordering = waiting * first[step] + again;
            active += ordering * (left / STEP_DAYS).min(1.0);
            left -= STEP_DAYS;
            for silence in (0..step).rev() {
                since[silence + 1] = since[silence] * (1.0 - after[silence]);
            }
            since[0] = ordering;
            waiting *= 1.0 - first[step];
        }
        active * per_step(customer) * self.orders_scale
    }
}
