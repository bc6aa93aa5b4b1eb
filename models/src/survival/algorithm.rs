//! Fitting: looks at customers become one logistic regression.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::{COLUMNS, Came, Customer, Customers, STEP_DAYS, Survival, customer, values};
use crate::tabular::linear::path;
use crate::tabular::{TabularError, log_loss, real};

/// The path of penalties, strongest first.
const PENALTIES: [f64; 4] = [300.0, 30.0, 3.0, 0.3];
/// Rows of the regression, at most: evenly spaced ones where there are more. Thirty weights need no more.
pub const ROWS_MAX: usize = 24_000;
/// The part of the rows, in their order, that is fitted on while the penalty is chosen by the rest.
const FITTED: f64 = 0.75;
/// Share of the rows that a segment needs for a weight of its own.
const SEGMENT_SHARE_MIN: f64 = 0.005;

/// Fits on the rows named by `of`, in the order of their looks.
///
/// # Errors
/// [`TabularError::OneClass`] where fewer than two ordered, or didn't; [`TabularError::Solver`].
pub fn fit(customers: &Customers<'_>, of: &[usize], came: &Came<'_>) -> Result<Survival, TabularError> {
    let of: Vec<usize> = if of.len() > ROWS_MAX {
        (0..ROWS_MAX).map(|place| of[place * of.len() / ROWS_MAX]).collect()
    } else {
        of.to_vec()
    };
    let labels: Vec<bool> = of.iter().map(|&row| came.ordered[row]).collect();
    let positives = labels.iter().filter(|&&label| label).count();
    if positives < 2 || labels.len() < positives + 2 {
        return Err(TabularError::OneClass { positives, rows: labels.len() });
    }
    let (segments, positions) = segments(customers, &of);
    let rows: Vec<Customer> = of.iter().map(|&row| customer(customers, row, &positions)).collect();
    let x = design(&rows, segments.len());
    let cut = share(rows.len());
    let chosen = choose(&x, &labels, cut)?;
    let mut fitted = path(&x, &labels, &PENALTIES[..=chosen])?;
    let Some(weights) = fitted.pop() else {
        return Err(TabularError::Solver { reason: "no penalty".to_owned() });
    };
    Ok(Survival {
        intercept: weights.intercept,
        slopes: weights.slopes,
        segments,
        recency_max: rows.iter().map(|row| row.recency).fold(0.0, f64::max),
        orders_scale: orders_scale(&rows, &of, came),
        penalty: PENALTIES[chosen],
    })
}

/// The segments that enough rows have, by name, and where each of the rows' is among them.
fn segments(customers: &Customers<'_>, of: &[usize]) -> (Vec<String>, Vec<Option<usize>>) {
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for &row in of {
        let place = usize::try_from(customers.segment[row]).ok();
        if let Some(name) = place.and_then(|place| customers.segments.get(place)) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let least = SEGMENT_SHARE_MIN * real(of.len());
    let kept: Vec<String> =
        counts.into_iter().filter(|(_, rows)| real(*rows) >= least).map(|(name, _)| name.clone()).collect();
    let place = |name: &String| kept.iter().position(|known| known == name);
    let positions = customers.segments.iter().map(place).collect();
    (kept, positions)
}

/// `(n_samples, COLUMNS + n_segments)`, stored by column.
fn design(rows: &[Customer], segments: usize) -> Array2<f64> {
    let mut x = Array2::zeros(ndarray::ShapeBuilder::f((rows.len(), COLUMNS + segments)));
    for (row, customer) in rows.iter().enumerate() {
        for (column, value) in values(customer).into_iter().enumerate() {
            x[(row, column)] = value;
        }
        if let Some(segment) = customer.segment {
            x[(row, COLUMNS + segment)] = 1.0;
        }
    }
    x
}

/// The penalty under which early rows say most of later ones.
fn choose(x: &Array2<f64>, labels: &[bool], cut: usize) -> Result<usize, TabularError> {
    let both = |labels: &[bool]| labels.contains(&true) && labels.contains(&false);
    let (early, late) = labels.split_at(cut);
    if !both(early) || !both(late) {
        return Ok(1);
    }
    let (x_early, x_late) = x.view().split_at(ndarray::Axis(0), cut);
    let fitted = path(&x_early.to_owned(), early, &PENALTIES)?;
    let x_late = x_late.to_owned();
    let loss = |at: usize| -> f64 {
        let margins = fitted[at].margins(&x_late);
        late.iter().zip(margins).map(|(&ordered, margin)| log_loss(ordered, margin)).sum()
    };
    Ok((0..PENALTIES.len()).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap_or(1))
}

/// Orders of steps with an order, over those that intervals say.
fn orders_scale(rows: &[Customer], of: &[usize], came: &Came<'_>) -> f64 {
    let (mut seen, mut said) = (0.0, 0.0);
    for (customer, &row) in rows.iter().zip(of).filter(|(_, row)| came.ordered[**row]) {
        seen += came.orders[row];
        said += per_step(customer);
    }
    if said > 0.0 && seen > 0.0 { seen / said } else { 1.0 }
}

/// Orders of a step with an order, as the interval says: at least that one.
pub(super) fn per_step(customer: &Customer) -> f64 {
    if customer.interval.is_nan() { 1.0 } else { (STEP_DAYS / customer.interval.max(1.0)).max(1.0) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of rows")]
fn share(of: usize) -> usize {
    (real(of) * FITTED) as usize
}
